"""Two graphs in one: what a picture of a difference knows of each node and edge beside what they are.

A `Union` has the nodes of both graphs, those in both once. Where no picture has marks, none of
this is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from graphbuild.ir import ABSENT, Edge, Graph, Input, Node, Output, Type

if TYPE_CHECKING:
    from graphbuild.render.fold import Item

Mark = Literal["", "added", "removed", "changed"]
SIGNS: dict[Mark, str] = {"added": "+", "removed": "−", "changed": "~"}
MOST = 3  # rows that a box says of what changed


@dataclass(frozen=True, slots=True)
class MarkedEdge(Edge):
    """An edge that is in one graph only; `position`: the input it led to, where another one does."""

    mark: Mark = ""
    position: int | None = None


@dataclass(frozen=True, slots=True)
class MarkedNode(Node):
    """A node of one graph or of both; `told` says what changed."""

    mark: Mark = ""
    before: Node | None = None
    after: Node | None = None
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkedInput(Input):
    mark: Mark = ""
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkedOutput(Output):
    """An output; `before` is where it came from, if that was another place."""

    mark: Mark = ""
    told: tuple[str, ...] = ()
    before: Edge | None = None


@dataclass(frozen=True, eq=False)
class Union(Graph):
    """A scope of both graphs."""

    before: Graph | None = None
    after: Graph | None = None

    def value(self, edge: Edge) -> Type:
        """The type of what an edge carries; nothing where it leads to a part that is gone."""
        try:
            return super().value(edge)
        except (IndexError, StopIteration, ValueError):
            return ABSENT

    @cached_property
    def touched(self) -> bool:
        """Whether anything in it has a mark."""
        return any(map(touched, self.nodes))


def touched(node: Node) -> bool:
    """Whether a node has a mark, or anything inside of it."""
    return bool(mark(node)) or hides(node)


def hides(node: Node) -> bool:
    """Whether something inside of a node has a mark."""
    return isinstance(node.call, Union) and node.call.touched


def mark(what: object) -> Mark:
    """The mark of a node, an edge, an input or an output."""
    found: Mark = getattr(what, "mark", "")
    return found


def of(item: Item) -> Mark:
    """The mark of a box: that of all of its nodes, or `changed` if they differ or hide a change."""
    nodes = item.part.nodes
    if not nodes:  # where a choice is made, or its cases meet
        around = item.scope.node if item.scope is not None and item.scope.part.nodes else None
        changed = item.part.form == "router" and mark(around) == "changed"
        return "changed" if changed else whole([around] if around is not None else [])
    if item.scope is not None and (outer := of(item.scope)) in ("added", "removed"):
        return outer
    return whole(nodes) or ("changed" if any(map(touched, nodes)) else "")


def end(what: Item | Input | Output) -> Mark:
    """The mark of what an edge leads to."""
    return mark(what) if isinstance(what, Input | Output) else of(what)


def whole(nodes: Iterable[Node]) -> Mark:
    """`added` or `removed`, where all of some nodes are."""
    found = {mark(node) for node in nodes}
    one = found.pop() if len(found) == 1 else ""
    return one if one in ("added", "removed") else ""


def told(item: Item) -> tuple[str, ...]:
    """The rows of a box that say what changed."""
    nodes, rows = item.part.nodes, list[str]()
    if item.part.form == "router" and item.scope is not None:
        nodes = (item.scope.node,)
        return tuple(getattr(nodes[0], "told", ()))
    if item.part.form in ("repeat", "run"):
        turns = [sum(_is(n, side) for n in nodes if not n.synthetic) for side in (0, 1)]
        if turns[0] != turns[1]:
            rows.append(f"{turns[0]} → {turns[1]} times")
        nodes = tuple(node for node in nodes if mark(node) not in ("added", "removed"))[:1]
    for node in nodes:
        rows += [*getattr(node, "told", ()), *_inside(node, "")]
    found = list(dict.fromkeys(rows))
    more = len(found) - MOST
    return tuple(found) if more < 2 else (*found[:MOST], f"… and {more} more")


def signature(item: Item) -> tuple[str, ...]:
    """What changed in a box but for the numbers, so that it is to be seen but once."""
    rows = (row for node in item.part.nodes for row in _inside(node, ""))
    return tuple(sorted(re.sub(r"\d+", "#", row) for row in rows))


def _inside(node: Node, prefix: str) -> Iterator[str]:
    """What changed in a closed box, by names."""
    for inner in node.call.nodes if isinstance(node.call, Union) else ():
        name = f"{prefix}{inner.name}"
        if mark(inner) in ("added", "removed"):
            if not inner.synthetic:
                yield f"{SIGNS[mark(inner)]} {name}"
            continue
        yield from (f"{name}: {row}" for row in getattr(inner, "told", ()))
        yield from _inside(inner, f"{name}.")


def _is(node: Node, side: int) -> bool:
    """Whether a node is in the first graph, or in the second."""
    gone = mark(node) == ("added", "removed")[side]
    return not gone


def origins(scope: Graph, nodes: Iterable[Node], side: int) -> Iterator[tuple[Graph, Node]]:
    """Nodes as they are in one of the graphs, with their scope there."""
    for node in nodes:
        graph: Graph | None = scope
        own: Node | None = node
        if isinstance(scope, Union) and isinstance(node, MarkedNode):
            graph, own = ((scope.before, node.before), (scope.after, node.after))[side]
        if graph is not None and own is not None:
            yield graph, own


def before(output: Output) -> Iterator[Edge]:
    """Where an output came from, if that was another place."""
    edge = getattr(output, "before", None)
    if edge is not None:
        yield edge


def replaced(operands: tuple[Edge, ...], position: int) -> Iterator[Edge]:
    """What an operand was before, if that is another value now."""
    for at, edge in enumerate(operands):
        if at != position and isinstance(edge, MarkedEdge) and edge.position == position:
            yield edge
