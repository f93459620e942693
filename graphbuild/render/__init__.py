"""Pictures of a graph: folded to what a reader can take in, as SVG, PNG, PDF, DOT, Mermaid,
or a page to look around in.

Stage by stage, each a plain value: `fold` (graph -> tree of what is visible), `picture` (-> boxes,
clusters and links with their text), `dot` (-> DOT text), `layout` (-> a drawing). The page lays out
what its reader opens by itself; see `viewer`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from graphbuild.ir import Graph
from graphbuild.pause import collection_paused
from graphbuild.render.boxes import ColorBy, Picture
from graphbuild.render.dot import Direction, Style, dot
from graphbuild.render.engine import MOST_BOXES, MOST_SPANS, effort, layout
from graphbuild.render.fold import Folding, NoSuchPath, TooLarge
from graphbuild.render.mermaid import mermaid
from graphbuild.render.picture import picture
from graphbuild.render.svg import finish
from graphbuild.render.theme import ThemeName
from graphbuild.render.trunk import spans

__all__ = [
    "FORMATS",
    "STILLS",
    "ColorBy",
    "Direction",
    "Drawing",
    "Folding",
    "Format",
    "NoSuchPath",
    "Picture",
    "Still",
    "Style",
    "ThemeName",
    "TooLarge",
    "draw",
    "draw_page",
    "most",
    "picture",
]

Still = Literal["svg", "png", "pdf", "dot", "mmd"]  # which show one picture
Format = Still | Literal["html"]
STILLS: tuple[Still, ...] = ("svg", "png", "pdf", "dot", "mmd")
FORMATS: tuple[Format, ...] = (*STILLS, "html")
DPI = 144  # of a PNG
_MIMES = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True, slots=True)
class Drawing:
    """What was drawn. A notebook shows it, where it is SVG or PNG."""

    format: Format
    content: bytes = field(repr=False)
    visible: int  # boxes, inputs and outputs
    note: str = ""  # what a reader should know of how it was drawn

    @property
    def text(self) -> str:
        """The text of an SVG, DOT or Mermaid drawing."""
        return self.content.decode()

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, object]:
        bundle: dict[str, object] = {"text/plain": repr(self)}
        if self.format in _MIMES:
            content = self.content if self.format == "png" else self.text
            bundle[_MIMES[self.format]] = content
        return bundle


def most(format: Format) -> int | None:
    """How many boxes a format takes; what is text alone takes any."""
    return None if format in ("dot", "mmd") else MOST_BOXES


def draw(what: Picture, format: Still, style: Style, *, finished: bool = True) -> Drawing:
    """Draw a picture in a format; all of them show the same. A page needs more: see `draw_page`.

    Raises TooLarge where laying it out would take minutes.
    """
    visible = len(what.boxes)
    if format == "mmd":
        return Drawing(format, mermaid(what, style.direction).encode(), visible)
    placed = [link for link in what.links if link.style not in ("shared", "tied")]
    rows = spans([(link.tail, link.head) for link in placed])
    curves, limits = effort(visible, len(what.links), rows)
    style = replace(style, splines=curves)
    text = dot(what, style)
    if format == "dot":
        return Drawing(format, text.encode(), visible)
    if visible > MOST_BOXES:
        raise TooLarge(f"{visible:,} boxes")
    if rows > MOST_SPANS:
        raise TooLarge(f"{len(what.links):,} edges among {visible:,} boxes")
    note = ""
    if style.splines == "line":
        among = f"{len(what.links):,} edges among " * (visible <= 1000)
        note = f"straight lines, since curves for {among}{visible:,} boxes would take long"
    drawn = layout(text, format, {**limits, "dpi": str(DPI)} if format == "png" else limits)
    if format == "svg" and finished:
        drawn = finish(drawn, what.name, what.totals, auto=style.theme == "auto")
    return Drawing(format, drawn, visible, note)


def draw_page(
    graph: Graph, what: Picture, folding: Folding, style: Style, *, concrete: bool = False
) -> Drawing:
    """A page that begins with a picture of a graph, so folded, and can open and close all of it."""
    from graphbuild.render.viewer import page, statements, tree

    plain = replace(style, theme="light", link_base=None)  # the page has both themes, and a panel
    first = draw(what, "svg", plain, finished=False)
    with collection_paused():
        data = {
            **tree(graph, folding, concrete=concrete, link_base=style.link_base),
            **statements(what),
            "direction": style.direction,
        }
        text = page(graph.name, first.text, data, style.theme)
    return replace(first, format="html", content=text.encode())
