"""Where every value of a graph goes, op by op, and what of that a folded picture should show.

Naive on purpose: each scope is walked anew at each call, nothing is shared with `render`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphbuild.ir import Graph, Node
from graphbuild.ops.base import Op
from graphbuild.render.fold import Item
from graphbuild.render.wires import wires

Value = Any  # a path, a list of values, a set of paths, or None
Pairs = set[tuple[str, str]]


def absent(node: Node) -> bool:
    return node.call is None or node.mode == "never"


def ops(graph: Graph, prefix: str = "") -> Iterator[str]:
    """The paths of all ops, with slashes, since synthetic names have dots."""
    for node in graph.nodes:
        if absent(node):
            continue
        if isinstance(node.call, Graph):
            yield from ops(node.call, f"{prefix}{node.name}/")
        else:
            yield prefix + node.name


def flow(
    graph: Graph, given: list[Value], pairs: Pairs, closed: set[str], prefix: str = ""
) -> Value:
    """What a scope gives; notes in `pairs` which op takes of which.

    A closed scope stands between what it takes and what it gives, also where it only hands it on.
    """
    if graph.routing is not None:
        given = [set().union(*map(paths, given))] * len(given)
    values = dict(zip(graph.input_names, given, strict=False))
    for position in graph.order:
        node = graph.nodes[position]
        operands = [pick(values.get(e.source), e.select) for e in node.operands]
        if absent(node):
            values[node.name] = operands[0] if operands else None
        elif isinstance(node.call, Graph):
            path = prefix + node.name
            values[node.name] = flow(node.call, operands, pairs, closed, f"{path}/")
            if path in closed:
                values[node.name] = path
                pairs |= {(source, path) for operand in operands for source in paths(operand)}
        elif isinstance(node.call, Op):
            path = prefix + node.name
            pairs |= {(source, path) for operand in operands for source in paths(operand)}
            values[node.name] = path
    out = [pick(values.get(o.edge.source), o.edge.select) for o in graph.outputs]
    if graph.routing is not None:
        return set().union(*map(paths, out))
    return out[0] if graph.form == "single" else out


def pick(value: Value, select: tuple[int, ...]) -> Value:
    for index in select:
        value = value[index] if isinstance(value, list) else value
    return value


def paths(value: Value) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(paths, value))
    return value if isinstance(value, set) else {value} - {None}


def place(view: Item, path: str) -> tuple[Item, dict[int, int]]:
    """The visible item that an op lies in, and in which turn of the runs around it."""
    item, names, turns = view, path.split("/"), {}
    while item.open:
        name = names.pop(0)
        found = [i for i in item.items if name in {node.name for node in i.part.nodes}]
        assert len(found) == 1, path
        item = found[0]
        if item.part.form == "run":
            turns[id(item)] = [node.name for node in item.part.nodes].index(name)
    return item, turns


def scopes(item: Item, prefix: str = "") -> Iterator[str]:
    """The paths of the scopes that are closed boxes, or turns of one."""
    for inner in item.items:
        calls = [n for n in inner.part.nodes if isinstance(n.call, Graph)]
        if inner.open:
            for node in calls:  # of a run, each turn
                yield from scopes(inner, f"{prefix}{node.name}/")
        else:
            yield from (prefix + node.name for node in calls)


def expected(graph: Graph, view: Item) -> set[tuple[str, str]]:
    """The edges that a picture should show, by the paths of items.

    Of a run one turn is drawn: with what comes into the first, and not what goes on to the next.
    """
    pairs: Pairs = set()
    inputs = [f"<{name}>" for name in graph.input_names]
    closed = set(scopes(view))
    out = flow(graph, list(inputs), pairs, closed)
    where = {path: place(view, path) for path in (*ops(graph), *closed)}
    found = set()
    for source, path in pairs:
        item, turns = where[path]
        other, others = where.get(source, (None, {}))
        if other is not item and all(turn == others.get(run, 0) for run, turn in turns.items()):
            found.add((source if other is None else key(other), key(item)))
    values = out if isinstance(out, list) else [out]
    for source in set().union(*map(paths, values)):
        found.add((source if source in inputs else key(where[source][0]), "<output>"))
    return found


def shown(view: Item) -> set[tuple[str, str]]:
    """The edges that a picture shows, those through where a choice is made or ends joined up."""
    after: dict[str, set[str]] = {}
    for wire in wires(view):
        tail = key(wire.tail) if isinstance(wire.tail, Item) else f"<{wire.tail.name}>"
        head = key(wire.head) if isinstance(wire.head, Item) else "<output>"
        after.setdefault(tail, set()).add(head)
    through = {key(item) for item in view.leaves() if not item.part.nodes}

    def ends(head: str) -> set[str]:
        return set().union(*map(ends, after.get(head, ()))) if head in through else {head}

    return {
        (tail, end)
        for tail, heads in after.items()
        if tail not in through
        for h in heads
        for end in ends(h)
    }


def key(item: Item) -> str:
    return f"{item.path} {item.part.form if not item.part.nodes else ''}".strip()
