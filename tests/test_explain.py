"""The page of each finding: both of its examples are what it says they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_cli import main

from graphbuild import check
from graphbuild.errors import CODES, Finding
from graphbuild.explain import page, pages

HEAD = {
    "graphbuild": "graphbuild: 1\n",
    "name": "name: example\n",
    "inputs": "inputs: {image: [N, 3, H=32, W=32]}\n",
    "nodes": "nodes: {stem: {op: Conv2d, out_channels: 8, kernel_size: 3, padding: 1}}\n",
}


def example(code: str, which: str, folder: Path) -> list[Finding]:
    """What is found in the example that stands below `Wrong:` or `Right:`: a spec, or a command."""
    match = re.search(rf"{which}:\n\n```(yaml|sh)\n(.*?)```", page(code), re.DOTALL)
    assert match is not None
    language, own = match.groups()
    if language == "sh":
        return check(own.removeprefix("graphbuild check ").strip())
    lacking = [line for key, line in HEAD.items() if not re.search(rf"(?m)^{key}:", own)]
    file = folder / "example.yaml"
    file.write_text("".join([*lacking, own]), encoding="utf-8")
    return check(file)


def test_every_code_has_a_page() -> None:
    assert list(pages()) == list(CODES)
    for code, text in pages().items():
        assert text.startswith(f"## {code} {CODES[code]}\n")
        assert len(re.findall("```(?:yaml|sh)\n", text)) == 2


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_example_has_the_finding(code: str, tmp_path: Path) -> None:
    assert {finding.code for finding in example(code, "Wrong", tmp_path)} == {code}


@pytest.mark.parametrize("code", CODES)
def test_the_right_example_has_none(code: str, tmp_path: Path) -> None:
    assert example(code, "Right", tmp_path) == []


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = main(capsys, "explain", "e204")
    assert (code, err) == (0, "")
    assert out.startswith("## E204 shape mismatch\n")
    code, out, err = main(capsys, "explain", "E999")
    assert (code, out) == (2, "")
    assert "no finding has the code 'E999'" in err
