"""Pictures of a graph: folded to what a reader can take in, as SVG, PNG, PDF, DOT or Mermaid.

Stage by stage, each a plain value: `fold` (graph -> tree of what is visible), `picture` (-> boxes,
clusters and links with their text), `dot` (-> DOT text), `layout` (-> a drawing).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from graphbuild.render.dot import Direction, Style, dot
from graphbuild.render.fold import Folding
from graphbuild.render.picture import ColorBy, Picture, picture
from graphbuild.render.theme import ThemeName

if TYPE_CHECKING:
    from graphbuild.ir import Graph

__all__ = [
    "ColorBy",
    "Direction",
    "Drawing",
    "Folding",
    "Format",
    "Picture",
    "Style",
    "ThemeName",
    "draw",
    "picture",
    "render",
]

Format = Literal["svg", "png", "pdf", "dot", "mmd"]
DPI = 144  # of a PNG; what is larger than LARGEST pixels either way is drawn with fewer
LARGEST = 30_000


@dataclass(frozen=True, slots=True)
class Drawing:
    """What was drawn, and what a reader of it should know of how."""

    content: bytes
    visible: int  # boxes, inputs and outputs
    note: str = ""


def render(
    graph: Graph,
    format: Format = "svg",
    folding: Folding | None = None,
    style: Style | None = None,
    color_by: ColorBy = "kind",
) -> Drawing:
    """Draw a graph."""
    return draw(picture(graph, folding or Folding(), color_by), format, style or Style())


def draw(what: Picture, format: Format, style: Style) -> Drawing:
    """Draw a picture in a format; all of them show the same."""
    from dataclasses import replace

    from graphbuild.render import engine

    visible = len(what.boxes)
    if format == "mmd":
        from graphbuild.render.mermaid import mermaid

        return Drawing(mermaid(what, style.direction).encode(), visible)
    style = replace(style, splines=engine.splines(visible, len(what.links)))
    text = dot(what, style)
    if format == "dot":
        return Drawing(text.encode(), visible)
    note = ""
    if style.splines == "line":
        note = f"straight lines, since curves among {visible:,} boxes take too long"
    if format == "svg":
        from graphbuild.render.svg import finish

        drawn = finish(engine.layout(text, "svg"), auto=style.theme == "auto")
        return Drawing(drawn, visible, note)
    return Drawing(engine.layout(text, format, DPI if format == "png" else None), visible, note)
