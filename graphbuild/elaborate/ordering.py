"""Which nodes come before which, and the stable topological order of a scope."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from graphbuild import expr
from graphbuild.elaborate import operands
from graphbuild.elaborate.state import MAX_NOTES, Poisoned, circle
from graphbuild.errors import Note
from graphbuild.ir import Node

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope


def link(scope: Scope) -> list[list[int]]:
    """Each item's operands by name, and the items that have to be built before it."""
    needs: list[list[int]] = []
    for position, item in enumerate(scope.items):
        before: list[int] = []
        if not item.broken:
            try:
                item.wires = operands.wire(scope, item, position)
            except Poisoned:
                item.wires, scope.sound = None, False
            scope.state.wire(len(item.wires or ()))
            for name in operands.sources(item.wires or ()):
                if name in scope.index:
                    before.append(scope.index[name])
            if item.owner is not None:
                before.append(scope.index[item.owner.name])
            if item.template.own_reads:
                _reads_nodes(scope, item, before)
        if scope.connect == "dense" and position:
            before.append(position - 1)
        needs.append(before)
    return needs


def _reads_nodes(scope: Scope, item: Item, before: list[int]) -> None:
    """A node whose shape is read has to be built first, as if it were an operand."""
    for name in sorted(item.template.own_reads):
        if name in scope.index and name not in item.visible:
            before.append(scope.index[name])


def only(scope: Scope, order: list[int], needs: list[list[int]], names: Iterable[str]) -> list[int]:
    """Of the order, what is needed for the nodes of some names; there may be none of a name."""
    stack = [scope.index[name] for name in names if name in scope.index]
    found: set[int] = set()
    while stack:
        position = stack.pop()
        if position not in found:
            found.add(position)
            stack += needs[position]
    return [position for position in order if position in found]


def sort(scope: Scope, needs: list[list[int]]) -> list[int]:
    """The stable topological order: of all nodes that can come next, the first in the file."""
    if all(b < position for position, before in enumerate(needs) for b in before):
        return list(range(len(needs)))
    waiting = [len(set(before)) for before in needs]
    after: list[list[int]] = [[] for _ in needs]
    for position, before in enumerate(needs):
        for b in set(before):
            after[b].append(position)
    ready = [position for position, count in enumerate(waiting) if not count]
    order: list[int] = []
    while ready:
        position = heapq.heappop(ready)
        order.append(position)
        for next_ in after[position]:
            waiting[next_] -= 1
            if not waiting[next_]:
                heapq.heappush(ready, next_)
    if len(order) < len(needs):
        _cycle(scope, needs, set(range(len(needs))) - set(order))
    return order


def early(nodes: Sequence[Node], order: Sequence[int]) -> list[int]:
    """An order in which a node that is there in one mode alone runs as soon as it can.

    So nothing is kept for it in the other mode, as far as that is in our hands.
    """
    rank: dict[str, int] = {}  # of a value: the place of the node that all of it hangs on
    keys: dict[int, tuple[int, bool, int]] = {}
    for place, position in enumerate(order):
        node = nodes[position]
        waits = node.mode in ("training", "eval")
        needs = [edge.source for edge in node.operands] + [node.shared] * bool(node.shared)
        for arg in node.args.values():
            needs += expr.names(arg.expr) if arg.free and arg.expr is not None else ()
        last = max((rank.get(name, -1) for name in needs), default=-1)
        rank[node.name] = last if waits else place
        keys[position] = (rank[node.name], waits, place)
    return sorted(order, key=keys.__getitem__)


def _cycle(scope: Scope, needs: list[list[int]], stuck: set[int]) -> None:
    """Report one path of every knot; the nodes behind it stay unbuilt."""
    import networkx

    graph: Any = networkx.DiGraph()
    graph.add_nodes_from(sorted(stuck))
    graph.add_edges_from((b, p) for p in sorted(stuck) for b in needs[p] if b in stuck)
    for knot in sorted(map(sorted, networkx.strongly_connected_components(graph))):
        inside = graph.subgraph(knot)
        if not inside.number_of_edges():
            continue
        path = [edge[0] for edge in networkx.find_cycle(inside, source=min(knot))]
        start = path.index(min(path))
        path = path[start:] + path[:start]
        names = [scope.items[p].name for p in path]
        notes = [
            _step(scope.items[p], scope.items[q])
            for q, p in zip([path[-1], *path[:-1]], path, strict=True)
        ]
        scope.report(
            "E203",
            f"a cycle: {circle(names)}",
            scope.items[path[0]].template.span,
            notes=notes[:MAX_NOTES],
        )
    for position in stuck:
        scope.values[scope.items[position].name] = None
    scope.sound = False


def _step(item: Item, before: Item) -> Note:
    word = "shares" if item.owner is before else "takes"
    return Note(f"{item.name} {word} {before.name}", item.span)
