"""The edges between what is visible, through closed, open and absent scopes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from graphbuild.ir import Edge, Graph, Input, Output, Type
from graphbuild.render import marks
from graphbuild.render.fold import Item
from graphbuild.render.kinds import is_concat
from graphbuild.render.marks import Mark
from graphbuild.render.parts import present

End = Item | Input | Output


@dataclass(frozen=True, slots=True)
class Wire:
    """A value on its way from one visible thing to another.

    control: it chooses among cases. case: to the case of that name. bus: along the running concat
    of a dense group.
    """

    tail: Item | Input
    head: Item | Output
    type: Type
    style: Literal["data", "control", "case", "bus"] = "data"
    case: str = ""
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class _Source:
    end: Item | Input
    type: Type
    case: str = ""
    mark: Mark = ""


def wires(view: Item) -> Iterator[Wire]:
    """All edges of a folded graph, in the order of the file."""
    graph = _graph(view)
    for item in view.leaves():
        yield from _into(item)
    for output in graph.outputs:
        for edge in (output.edge, *marks.before(output)):
            for source in _sources(view, edge):
                yield Wire(source.end, output, source.type, mark=source.mark)


def _into(item: Item) -> Iterator[Wire]:
    scope = item.scope
    if scope is None:
        return
    if item.part.form == "router":
        yield from _chosen(item, scope)
        return
    if item.part.form == "join":
        for output in _graph(scope).outputs:
            for source in _sources(scope, output.edge):
                yield Wire(source.end, item, source.type, mark=source.mark)
        return
    own = {node.name for node in item.part.nodes}
    single = item.part.form == "call"
    seen = set()
    for node in item.part.nodes:
        control = node.call.routing is not None if isinstance(node.call, Graph) else False
        for position, edge in enumerate(node.operands):
            if edge.source in own:
                continue
            for source in _sources(scope, edge, item):
                if source.end is item:  # through an absent node, all inside of it
                    continue
                style: Literal["data", "control", "case", "bus"] = "data"
                if source.case:
                    style = "case"
                elif control and position == 0:
                    style = "control"
                elif single and position == 0 and _continues(item, scope):
                    style = "bus"
                key = (source.end, edge.select, style, source.mark)
                if single or key not in seen:
                    seen.add(key)
                    yield Wire(source.end, item, source.type, style, source.case, source.mark)


def _chosen(item: Item, routed: Item) -> Iterator[Wire]:
    """What goes into the place where a routed scope chooses."""
    scope = routed.scope
    if scope is None:
        return
    for position, edge in enumerate(routed.node.operands):
        for source in _sources(scope, edge, routed):
            style: Literal["data", "control", "case"] = "control" if position == 0 else "data"
            style = "case" if source.case else style
            yield Wire(source.end, item, source.type, style, source.case, source.mark)


def _continues(bar: Item, scope: Item) -> bool:
    """Whether an item is where the running concat of a dense group is taken up."""
    return _graph(scope).connect == "dense" and bar.node.synthetic and is_concat(bar.node)


def _sources(scope: Item, edge: Edge, through: Item | None = None) -> list[_Source]:
    """Where a value comes from that is read inside of an open scope, by the item `through`."""
    found, mark = _ends(scope, edge, through), marks.mark(edge)
    return [replace(source, mark=source.mark or mark) for source in found] if mark else found


def _ends(scope: Item, edge: Edge, through: Item | None) -> list[_Source]:
    graph = _graph(scope)
    node = graph.by_name.get(edge.source)
    if node is None:
        return _given(scope, edge, through)
    while not present(node):  # hands its first operand on
        if not node.operands:
            return []
        edge = node.operands[0]
        before = graph.by_name.get(edge.source)
        if before is None:
            return _given(scope, edge, through)
        node = before
    item = scope.holder[node.name]
    if not item.open:
        return [_Source(item, graph.value(edge))]
    inner = _graph(item)
    if inner.routing is not None:
        return [_Source(item.items[-1], graph.value(edge))]
    outputs, select = inner.outputs, edge.select
    if inner.form != "single" and select:
        outputs, select = (outputs[select[0]],), select[1:]
    return [
        source
        for output in outputs
        for source in _sources(
            item, replace(output.edge, select=(*output.edge.select, *select)), None
        )
    ]


def _given(scope: Item, edge: Edge, through: Item | None) -> list[_Source]:
    """Where an input of an open scope comes from."""
    graph = _graph(scope)
    position = graph.input_names.index(edge.source)
    if scope.scope is None:
        return [_Source(graph.inputs[position], graph.value(edge))]
    if graph.routing is not None:
        case = scope.items[-2]  # where it is chosen
        return [_Source(case, graph.value(edge), through.node.name if through else edge.source)]
    operands = scope.node.operands
    if position >= len(operands):
        return []
    return [
        source
        for outer in (operands[position], *marks.replaced(operands, position))
        for source in _sources(
            scope.scope, replace(outer, select=(*outer.select, *edge.select)), scope
        )
    ]


def _graph(item: Item) -> Graph:
    if item.inside is None:
        raise ValueError(f"{item.path} is not a scope")
    return item.inside


def plain(every: list[Wire]) -> list[Wire]:
    """Wires without those of a difference that run beside one which is in both."""
    kept = {(id(w.tail), id(w.head)) for w in every if not w.mark}
    return [w for w in every if not w.mark or (id(w.tail), id(w.head)) not in kept]


def chooses(wire: Wire) -> bool:
    """Whether it is one of many ways, of which none is the main one."""
    joins = isinstance(wire.head, Item) and wire.head.part.form == "join"
    return joins or wire.style in ("case", "control")
