"""A picture as DOT text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlsplit

from graphbuild.render.cards import bar, card, frame, heading, pill, width
from graphbuild.render.marks import SIGNS
from graphbuild.render.text import FONT, attribute, markup
from graphbuild.render.theme import Theme, ThemeName, themed

if TYPE_CHECKING:
    from graphviz import Digraph

    from graphbuild.errors import Source, Span
    from graphbuild.render.boxes import Box, Cluster, Link, Picture

Direction = Literal["TB", "LR"]
SCHEMES = ("", "http", "https", "file", "vscode")  # of links; others may be run where they stand
_SKIPPED = "".join(map(chr, range(0x21)))  # what browsers read past in front of a scheme


@dataclass(frozen=True, slots=True)
class Style:
    """How a picture is drawn."""

    direction: Direction = "TB"
    theme: ThemeName = "light"
    link_base: str | None = None  # where the specs lie; each node links to its line
    splines: str = "true"

    def __post_init__(self) -> None:
        """Raises ValueError where links would lead to something other than a file or a page."""
        base = (self.link_base or "").lstrip(_SKIPPED)
        if urlsplit(base).scheme not in SCHEMES:
            known = ", ".join(filter(None, SCHEMES))
            raise ValueError(f"links lead to a file or a page: a path, or one of {known}")


def dot(picture: Picture, style: Style = Style()) -> str:
    """The DOT text of a picture; no text of a spec is read as anything but text."""
    import graphviz

    theme = themed(style.theme)
    graph = graphviz.Digraph(name="graphbuild", comment=None)
    graph.attr(
        "graph",
        rankdir=style.direction,
        bgcolor=theme.paper,
        fontname=FONT,
        fontsize="11",
        nodesep="0.3",
        ranksep="0.32" if style.direction == "TB" else "0.42",
        pad="0.25",
        compound="true",  # a line may end at the frame of a cluster
        newrank="true",  # else edges into clusters may run backwards
        splines=style.splines,
        label=heading(picture, theme),
        labelloc="t",
        labeljust="l",
        tooltip=attribute(picture.name),
    )
    graph.attr("node", shape="plain", fontname=FONT, fontsize="10", fontcolor=theme.text)
    graph.attr(
        "edge",
        fontname=FONT,
        fontsize="8.5",
        fontcolor=theme.muted,
        color=theme.line,
        penwidth="1.1",
        arrowsize="0.6",
    )
    boxes = {box.id: box for box in picture.boxes}
    _fill(graph, picture.root, boxes, _into(picture), theme, style)
    for link in picture.links:
        tail, head = boxes[link.tail], boxes[link.head]
        if link.mark and not (tail.mark or head.mark):  # it is not told by colour alone
            link = replace(link, label=f"{SIGNS[link.mark]} {link.label}".strip())
        graph.edge(link.tail, link.head, **edge_attributes(link, head.form, theme))
    return str(graph.source)


def _into(picture: Picture) -> dict[str, list[Link]]:
    """Of each cluster, by id, the links that come into it from outside."""
    around: dict[str, tuple[str, ...]] = {}
    found: dict[str, list[Link]] = {}
    for cluster in picture.root.clusters():
        found[cluster.id] = []
        for box in cluster.boxes():
            around[box] = (*around.get(box, ()), cluster.id)
    for link in picture.links:
        left = around.get(link.tail, ())
        for id_ in around.get(link.head, ()):
            if id_ not in left:
                found[id_].append(link)
    return found


def _fill(
    graph: Digraph,
    cluster: Cluster,
    boxes: dict[str, Box],
    into: dict[str, list[Link]],
    theme: Theme,
    style: Style,
) -> None:
    frames = [inner for inner in cluster.inside if not isinstance(inner, str)]
    for inner in cluster.inside:
        if isinstance(inner, str):
            graph.node(inner, **node_attributes(boxes[inner], theme, style))
            continue
        # Edges to the cases fan out, so the names of those at the right stand at their right; what
        # chooses comes in from any side, so the name of the whole stands below.
        case = any(link.style == "case" for link in into[inner.id])
        right = case and frames.index(inner) * 2 >= len(frames)
        below = any(i.style == "control" and i.head in inner.inside for i in into[inner.id])
        with graph.subgraph(name=inner.id) as sub:
            label = frame(inner, theme, _room(inner, into[inner.id], boxes))
            right = right or style.direction == "LR"
            sub.attr(**cluster_attributes(inner, label, theme, style, right=right, below=below))
            _fill(sub, inner, boxes, into, theme, style)


def cluster_attributes(
    cluster: Cluster,
    label: str,
    theme: Theme,
    style: Style,
    *,
    right: bool = False,
    below: bool = False,
) -> dict[str, str]:
    """How a cluster is drawn whose name stands at that place."""
    dashed = cluster.mode != "always" or cluster.mark == "removed"
    line = ",dashed" if dashed else ",dotted" if cluster.badge else ""
    edge = theme.shared if cluster.badge else theme.frame
    return {
        "label": label,
        "labeljust": "r" if right else "l",
        "labelloc": "b" if below else "t",
        "style": f"rounded,filled{line}",
        "fillcolor": theme.tints[min(cluster.depth, len(theme.tints)) - 1],
        "color": {"added": theme.added, "removed": theme.removed}.get(cluster.mark, edge),
        "margin": "10",
        "tooltip": attribute(cluster.path),
        **_link(cluster.span, style),
    }


def _room(cluster: Cluster, into: list[Link], boxes: dict[str, Box]) -> float:
    """How wide the box is that edges come into from above.

    A single one stands in the middle, so it has the room of the widest; of several, side by side,
    it may be any. Merges are come at from aside.
    """
    heads = (boxes[link.head] for link in into)
    entered = {
        box.id for box in heads if box.form == "card" and not (box.mark and box.kind == "merge")
    }
    if len(entered) > 1:
        return min(width(boxes[one]) for one in entered)
    return max(width(boxes[one]) for one in cluster.boxes())


def node_attributes(box: Box, theme: Theme, style: Style) -> dict[str, str]:
    """How a box is drawn."""
    common = {"tooltip": attribute(box.tip), **_link(box.span, style)}
    if box.form == "sign":
        return {
            "label": f"<<B>{markup(box.title)}</B>>",
            "shape": "circle",
            "fixedsize": "true",
            "width": "0.27",
            "fontsize": "14",
            "color": theme.strong,
            "fontcolor": theme.strong,
            "style": "filled",
            "fillcolor": theme.card,
            **common,
        }
    if box.form == "bar" and box.group:
        common["group"] = box.group
    return {"label": {"card": card, "bar": bar, "pill": pill}[box.form](box, theme), **common}


STYLES: dict[str, dict[str, str]] = {
    "data": {},
    "case": {"style": "dashed", "weight": "5"},  # the choice stands amidst its cases
    "control": {"style": "dashed"},
    "bus": {"penwidth": "3", "weight": "300", "arrowhead": "none"},
    "shared": {"style": "dotted", "dir": "none", "constraint": "false", "penwidth": "1.4"},
    "tied": {"style": "dotted", "dir": "none", "constraint": "false", "penwidth": "1.4"},
}


def edge_attributes(link: Link, form: str, theme: Theme) -> dict[str, str]:
    """How a link is drawn to a box of that form."""
    attributes = dict(STYLES[link.style])
    if link.main and link.style == "data":
        attributes["weight"] = "400"  # more than Graphviz has for narrow clusters
    if link.style in ("shared", "tied"):
        attributes["color"] = theme.shared
    elif link.style != "data":
        attributes["color"] = theme.strong
    if form in ("bar", "sign") and link.style == "data":
        attributes["arrowsize"] = "0.5"
    if form == "bar" and link.style == "data":
        attributes["penwidth"] = "1.8"
    if link.mark in ("added", "removed"):
        added = link.mark == "added"
        attributes["color"] = theme.added if added else theme.removed
        attributes["style"] = attributes.get("style", "solid") if added else "dashed"
        attributes["penwidth"] = "2" if added else "1.6"
    if link.label:
        attributes["label"] = f"<&#160;{markup(link.label)}&#160;>"
    if link.tip:
        attributes["tooltip"] = attribute(link.tip)
        attributes["labeltooltip"] = attribute(link.tip)
    if link.frame:
        attributes["ltail"] = link.frame
    return attributes


def link_to(source: Source, base: str) -> str:
    """Where a spec is to be found, with `{line}` for a line."""
    file = quote(source.name)
    if "{file}" in base or "{line}" in base:
        return base.replace("{file}", file)
    return f"{base.rstrip('/')}/{file.lstrip('/')}#L{{line}}"


def _link(span: Span | None, style: Style) -> dict[str, str]:
    """Where a node stands in its spec; `{file}` and `{line}` say where these go."""
    if style.link_base is None or span is None or not span.line:
        return {}
    url = link_to(span.source, style.link_base).replace("{line}", str(span.line))
    return {"URL": attribute(url), "target": "_top"}
