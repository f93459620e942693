"""Graphviz, as the `pygraphviz` wheel brings it: from DOT text to a drawing."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Format = Literal["svg", "png", "pdf"]

# Curves are fitted through all that stands in their way; past this it takes too long.
CURVES = 1000
FONTS = Path(__file__).parent / "fonts.conf"


def splines(boxes: int, links: int) -> Literal["true", "line"]:
    """How edges are drawn in a picture of that size: curves, or straight lines."""
    return "true" if max(boxes, links) <= CURVES else "line"


def layout(text: str, form: Format, dpi: int | None = None) -> bytes:
    """Lay DOT text out and draw it; raises RuntimeError with what Graphviz says where it cannot."""
    with _fonts(), _said() as said:
        drawn = _draw(text.encode(), form, dpi)
    if drawn is None:
        raise RuntimeError(f"Graphviz cannot draw this as {form}: {' '.join(said)}".strip())
    return drawn


def _draw(text: bytes, form: Format, dpi: int | None) -> bytes | None:
    from pygraphviz import graphviz as gv

    with tempfile.TemporaryFile("w+b") as file:
        file.write(text)
        file.seek(0)
        graph = gv.agread(file, None)
    if dpi is not None:
        gv.agsafeset(graph, b"dpi", str(dpi).encode(), b"")
    context = gv.gvContextWithBuiltins()
    try:
        if gv.gvLayout(context, graph, b"dot"):
            return None
        failed, drawn = gv.gvRenderData(context, graph, form.encode())
        gv.gvFreeLayout(context, graph)
        return None if failed else bytes(drawn)
    finally:
        gv.agclose(graph)
        gv.gvFreeContext(context)


@contextmanager
def _fonts() -> Iterator[None]:
    """Let fontconfig, when it is first asked, read our few lines instead of the machine's.

    So the same fonts are preferred everywhere.
    """
    name = "FONTCONFIG_FILE"
    if name in os.environ:
        yield
        return
    os.environ[name] = str(FONTS)
    try:
        yield
    finally:
        del os.environ[name]


@contextmanager
def _said() -> Iterator[list[str]]:
    """What the libraries below print; people are told of it only where it matters."""
    lines: list[str] = []
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with tempfile.TemporaryFile("w+b") as file:
            os.dup2(file.fileno(), 2)
            try:
                yield lines
            finally:
                os.dup2(kept, 2)
                file.seek(0)
                lines += file.read().decode(errors="replace").splitlines()
    finally:
        os.close(kept)
