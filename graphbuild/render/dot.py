"""A picture as DOT text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from graphbuild.render.cards import bar, card, frame, heading, pill, width
from graphbuild.render.text import FONT, attribute, markup
from graphbuild.render.theme import Theme, ThemeName, themed

if TYPE_CHECKING:
    from graphviz import Digraph

    from graphbuild.errors import Span
    from graphbuild.render.picture import Box, Cluster, Link, Picture

Direction = Literal["TB", "LR"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a picture is drawn."""

    direction: Direction = "TB"
    theme: ThemeName = "light"
    link_base: str | None = None  # where the specs lie; each node links to its line
    splines: str = "true"


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
        _edge(graph, link, boxes, theme)
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
            _node(graph, boxes[inner], theme, style)
            continue
        # Edges to the cases fan out, so the names of those at the right stand at their right; what
        # chooses comes in from any side, so the name of the whole stands below.
        case = any(link.style == "case" for link in into[inner.id])
        right = case and frames.index(inner) * 2 >= len(frames)
        below = any(i.style == "control" and i.head in inner.inside for i in into[inner.id])
        with graph.subgraph(name=inner.id) as sub:
            dashed = inner.mode != "always" or inner.badge
            sub.attr(
                label=frame(inner, theme, _room(inner, into[inner.id], boxes)),
                labeljust="r" if right or style.direction == "LR" else "l",
                labelloc="b" if below else "t",
                style="rounded,filled,dashed" if dashed else "rounded,filled",
                fillcolor=theme.tints[min(inner.depth, len(theme.tints)) - 1],
                color=theme.shared if inner.badge else theme.frame,
                margin="10",
                tooltip=attribute(inner.path),
                **_link(inner.span, style),
            )
            _fill(sub, inner, boxes, into, theme, style)


def _room(cluster: Cluster, into: list[Link], boxes: dict[str, Box]) -> float:
    """How wide the box is that edges come into from above.

    A single one stands in the middle, so it has the room of the widest; of several, side by side,
    it may be any. Merges are come at from aside.
    """
    entered = {link.head for link in into if boxes[link.head].form == "card"}
    if len(entered) > 1:
        return min(width(boxes[one]) for one in entered)
    return max(width(boxes[one]) for one in cluster.boxes())


def _node(graph: Digraph, box: Box, theme: Theme, style: Style) -> None:
    common = {"tooltip": attribute(box.tip), **_link(box.span, style)}
    if box.form == "sign":
        graph.node(
            box.id,
            label=f"<<B>{markup(box.title)}</B>>",
            shape="circle",
            fixedsize="true",
            width="0.27",
            fontsize="14",
            color=theme.strong,
            fontcolor=theme.strong,
            style="filled",
            fillcolor=theme.card,
            **common,
        )
        return
    label = {"card": card, "bar": bar, "pill": pill}[box.form](box, theme)
    if box.form == "bar" and box.group:
        common["group"] = box.group
    graph.node(box.id, label=label, **common)


_STYLES: dict[str, dict[str, str]] = {
    "data": {},
    "case": {"style": "dashed", "weight": "5"},  # the choice stands amidst its cases
    "control": {"style": "dashed"},
    "bus": {"penwidth": "3", "weight": "300", "arrowhead": "none"},
    "shared": {"style": "dotted", "dir": "none", "constraint": "false", "penwidth": "1.4"},
    "tied": {"style": "dotted", "dir": "none", "constraint": "false", "penwidth": "1.4"},
}


def _edge(graph: Digraph, link: Link, boxes: dict[str, Box], theme: Theme) -> None:
    attributes = dict(_STYLES[link.style])
    if link.main and link.style == "data":
        attributes["weight"] = "400"  # more than Graphviz has for narrow clusters
    if link.style in ("shared", "tied"):
        attributes["color"] = theme.shared
    elif link.style != "data":
        attributes["color"] = theme.strong
    if boxes[link.head].form in ("bar", "sign") and link.style == "data":
        attributes["arrowsize"] = "0.5"
    if boxes[link.head].form == "bar" and link.style == "data":
        attributes["penwidth"] = "1.8"
    if link.label:
        attributes["label"] = f"<&#160;{markup(link.label)}&#160;>"
    if link.tip:
        attributes["tooltip"] = attribute(link.tip)
        attributes["labeltooltip"] = attribute(link.tip)
    if link.frame:
        attributes["ltail"] = link.frame
    graph.edge(link.tail, link.head, **attributes)


def _link(span: Span | None, style: Style) -> dict[str, str]:
    """Where a node stands in its spec; `{file}` and `{line}` say where these go."""
    if style.link_base is None or span is None or not span.line:
        return {}
    file, base = quote(span.source.name), style.link_base
    if "{file}" in base or "{line}" in base:
        url = base.replace("{file}", file).replace("{line}", str(span.line))
    else:
        url = f"{base.rstrip('/')}/{file.lstrip('/')}#L{span.line}"
    return {"URL": attribute(url), "target": "_top"}
