"""DOT text of single boxes, frames and edges, as `dot` would write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from graphbuild.render.boxes import Cluster, Link, Picture
from graphbuild.render.cards import BODY, GAP, MARKS, PER_ROW, of_kind, of_mark, of_scale, word
from graphbuild.render.dot import STYLES, Direction, Style, dot, edge_attributes
from graphbuild.render.engine import CURVES
from graphbuild.render.kinds import WORDS
from graphbuild.render.text import measure
from graphbuild.render.theme import HUES, LIGHT, SCALE


def of_node(given: Mapping[str, str]) -> str:
    """Attributes of a node or an edge as they stand in DOT text, between the brackets."""
    import graphviz

    scratch = graphviz.Digraph()
    label = given.get("label")
    scratch.node("n", label, **{name: text for name, text in given.items() if name != "label"})
    return str(scratch.body[0])[len("\tn [") : -len("]\n")] if given else ""


def of_cluster(given: Mapping[str, str]) -> str:
    """The statement that sets the attributes of a cluster."""
    import graphviz

    scratch = graphviz.Digraph()
    scratch.attr(**given)
    return str(scratch.body[0]).strip()


def statements(what: Picture) -> dict[str, Any]:
    """What the DOT text of any picture of a graph is made of, besides boxes and frames."""
    bare = replace(what, boxes=(), links=(), root=Cluster("root", "", what.name, "", 0, ()))
    bare = replace(bare, color_by="kind")
    heads = {}
    for direction in get_args(Direction):
        text = dot(bare, Style(direction=direction, splines="true"))
        heads[direction] = text[: text.rindex("}")]
    marks = {mark: of_mark(mark, LIGHT) for mark in MARKS}
    legend: dict[str, Any] = {"gap": GAP, "row": PER_ROW, "marks": marks}
    if what.color_by == "kind":
        legend["kinds"] = {kind: of_kind(kind, LIGHT) for kind in WORDS}
    else:
        legend["scale"] = of_scale(what.color_by, LIGHT)
        legend["most"] = word("$", LIGHT)
    return {
        "head": heads,
        "edges": _edges(),
        "legend": legend,
        "hues": HUES,
        "scale": SCALE,
        "tints": LIGHT.tints,
        "line": LIGHT.line,
        "column": measure("n", BODY),
        "curves": CURVES,
        "colorBy": what.color_by,
    }


def _edges() -> dict[str, str]:
    """By style, whether it is on the main way, and the form of what it leads to."""
    found = {}
    for style in STYLES:
        for main in (False, True):
            for form in ("card", "bar", "sign"):
                tip = "" if style in ("shared", "tied") else "$"
                link = Link("", "", style, tip=tip, main=main)  # type: ignore[arg-type]
                found[f"{style} {form}{' main' * main}"] = of_node(
                    edge_attributes(link, form, LIGHT)
                )
    return found
