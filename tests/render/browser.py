"""A headless Chromium for tests of the viewer: Debian's package, driven by playwright."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ARGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync"
    " --disable-background-networking --disable-component-update"
).split()
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; where there is none the tests are skipped, but in CI they fail."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        told = f"no Chromium is installed (looked for {', '.join(_NAMES)})"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=ARGS)
        yield browser
        browser.close()


class Viewer:
    """A page with a graph, and what it did that it should not."""

    def __init__(self, browser: Browser, file: Path, hash: str = "", **options: Any) -> None:
        options = {"viewport": {"width": 1280, "height": 800}, **options}
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.faults.append("dialog"), dialog.dismiss()))
        self.page.on("request", self._asked)
        self.file = file
        self.page.goto(f"file://{file}{hash}")
        self.ready()

    def _asked(self, request: Any) -> None:
        own = request.url.split("#")[0] == f"file://{self.file}"
        if not own and not request.url.startswith("blob:"):
            self.faults.append(f"asked for {request.url}")

    def ready(self) -> None:
        self.page.wait_for_selector("html[data-ready=true]", state="attached")

    def dot(self) -> str:
        """The text that the picture is laid out from."""
        text: str = self.page.evaluate("graphbuild.dot()")
        return same(text)

    def settle(self) -> None:
        """Wait until what was asked for is laid out and shown."""
        self.page.wait_for_selector("html:not([data-busy])", state="attached")

    def thing(self, key: str) -> Any:
        """A box or a frame on the canvas."""
        return self.page.locator(f'#canvas .thing[data-key="{key}"]')

    def sign(self, key: str) -> None:
        """Click on the sign that opens or closes a thing."""
        self.page.evaluate(
            "key => document.querySelector(`#canvas .thing[data-key='${key}'] .sign`)"
            ".dispatchEvent(new MouseEvent('click', {bubbles: true}))",
            key,
        )
        self.settle()

    def shown(self) -> set[str]:
        """What is on the canvas, with the frames."""
        found = self.page.locator("#canvas .thing").all()
        return {thing.get_attribute("data-key") or "" for thing in found}

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def close(self) -> None:
        self.context.close()
        assert not self.faults, self.faults


def same(text: str) -> str:
    """DOT text with tooltips always in quotes, of which the package graphviz spares some."""
    return re.sub(r'tooltip=([^"\s\]]+)', r'tooltip="\1"', text)
