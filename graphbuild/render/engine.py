"""Graphviz, as the `pygraphviz` wheel brings it: from DOT text to a drawing."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Literal

Format = Literal["svg", "png", "pdf"]

# Curves are fitted through all that stands in their way; past this it takes too long.
CURVES = 1000
CROWDED = 40_000  # rows that edges cross, by the row and by the edge beside them
QUICK = 1500  # rows crossed, up to which nothing takes long
# What can be laid out in seconds.
MOST_BOXES, MOST_SPANS = 3000, 25_000
FONTS = Path(__file__).parent / "fonts.conf"


def effort(boxes: int, links: int, spans: int) -> tuple[Literal["true", "line"], dict[str, str]]:
    """How edges are drawn in a picture of that size, curves or straight lines, and where to stop.

    spans: how many rows the edges cross in all. Graphviz improves a layout until nothing is better,
    which a few hundred long edges can put off for hours.
    """
    crowded = spans**2 > CROWDED * max(boxes, 1)
    if crowded:
        return "line", {"nslimit": "0.1", "nslimit1": "0.1", "mclimit": "0.01"}
    limits = {"nslimit": "1"} if spans > QUICK else {}
    return ("true" if max(boxes, links) <= CURVES else "line"), limits


def layout(text: str, form: Format, more: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Lay DOT text out and draw it, with more attributes of the graph than stand in the text.

    Raises RuntimeError with what Graphviz says where it cannot.
    """
    with _fonts(), _said() as said:
        drawn = _draw(text.encode(), form, more)
    if drawn is None:
        raise RuntimeError(f"Graphviz cannot draw this as {form}: {' '.join(said)}".strip())
    return drawn


def _draw(text: bytes, form: Format, more: Mapping[str, str]) -> bytes | None:
    from pygraphviz import graphviz as gv

    with tempfile.TemporaryFile("w+b") as file:
        file.write(text)
        file.seek(0)
        graph = gv.agread(file, None)
    for name, value in more.items():
        gv.agsafeset(graph, name.encode(), value.encode(), b"")
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
