"""Which nodes of two scopes are the same: by name, in lists by their order, else by what they are.

pairing = Matcher().pairing(before, after)
[(a and a.name, b and b.name) for a, b in pairing.pairs]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from graphbuild.diff.sequences import aligned
from graphbuild.diff.values import arguments, exact
from graphbuild.ir import Edge, Graph, Input, Node
from graphbuild.ops.base import Op

Pair = tuple[Node | None, Node | None]
OUTPUT = "(output)"  # among the users of a node
ALIKE = 0.5  # two scopes that have less in common are told as a whole


def present(node: Node) -> bool:
    """Whether a node is there: its `if` holds, and its `when` in one mode at least."""
    return node.call is not None and node.mode != "never"


@dataclass(frozen=True, eq=False)
class Pairing:
    """Two scopes, and which of their nodes and inputs are the same, in the order of both files."""

    before: Graph
    after: Graph
    pairs: tuple[Pair, ...]
    inputs: tuple[tuple[Input | None, Input | None], ...]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What nodes and inputs of the one are called in the other."""
        found = {a.name: b.name for a, b in self.inputs if a is not None and b is not None}
        found.update((a.name, b.name) for a, b in self.matched)
        return found

    @property
    def matched(self) -> Iterator[tuple[Node, Node]]:
        for a, b in self.pairs:
            if a is not None and b is not None:
                yield a, b


class Matcher:
    """Pairs scopes; equal scopes are looked at once, however often they are called."""

    def __init__(self) -> None:
        self._pairings: dict[tuple[Graph, Graph], Pairing] = {}  # graphs compare by identity
        self._numbers: dict[Hashable, int] = {}
        self._keeps: dict[Graph, bool] = {}
        self._prints: dict[tuple[Graph, bool], int] = {}

    def pairing(self, before: Graph, after: Graph) -> Pairing:
        key = before, after
        if key not in self._pairings:
            inputs = tuple(_inputs(before, after))
            nodes = [[n for n in graph.nodes if present(n)] for graph in key]
            pairs = self._pairs(before, after, *nodes)
            self._pairings[key] = Pairing(before, after, tuple(pairs), inputs)
        return self._pairings[key]

    def same(self, before: Graph, after: Graph) -> bool:
        """Whether two scopes are equal in all, shapes too."""
        return self._graph(before, True) == self._graph(after, True)

    def equal(self, before: Graph, after: Graph) -> bool:
        """Whether they are equal but for what the operands determine."""
        return self._graph(before, False) == self._graph(after, False)

    def keeps(self, node: Node) -> bool:
        """Whether a node has entries in state_dict."""
        if node.shared or node.call is None:
            return False
        if isinstance(node.call, Op):
            return bool(node.call.parameters or node.call.buffers or node.call.own)
        if node.call not in self._keeps:
            self._keeps[node.call] = any(map(self.keeps, filter(present, node.call.nodes)))
        return self._keeps[node.call]

    def alike(self, before: Graph, after: Graph) -> float:
        """How much of the larger of two scopes is in the other as well, from 0 to 1."""
        pairing = self.pairing(before, after)
        pairs = list(pairing.matched)
        if before.kind == after.kind == "repeat" and pairs:
            return 1.0  # more turns, or fewer, of something else perhaps
        pairs = [(a, b) for a, b in pairs if type(a.call) is type(b.call) and not b.synthetic]
        slots = [
            {_slot(n) for n in graph.nodes if present(n) and not n.synthetic}
            for graph in (before, after)
        ]
        same = min(len({_slot(pair[side]) for pair in pairs}) for side in (0, 1))
        return same / max(map(len, slots)) if any(slots) else 1.0

    def _pairs(
        self, before: Graph, after: Graph, left: list[Node], right: list[Node]
    ) -> Iterator[Pair]:
        if before.listed and after.listed:
            found = self._aligned(left, right)
        else:
            other = {node.name: node for node in right}
            found = [(node, other[node.name]) for node in left if node.name in other]
            taken = {a.name for a, _ in found}
            names = {name: name for name in taken}
            names.update((a.name, b.name) for a, b in _inputs(before, after) if a and b)
            one, two = ([n for n in nodes if n.name not in taken] for nodes in (left, right))
            found += self._renamed(before, after, one, two, names)
        return _merged(left, right, found)

    def _aligned(self, left: Sequence[Node], right: Sequence[Node]) -> list[tuple[Node, Node]]:
        """Nodes of lists, whose names say no more than their order."""
        found: list[tuple[Node, Node]] = []
        i = j = 0
        for k, m in [*self._common(left, right), (len(left), len(right))]:
            found += _placed(left[i:k], right[j:m])
            found += zip(left[k : k + 1], right[m : m + 1], strict=True)
            i, j = k + 1, m + 1
        return found

    def _common(self, left: Sequence[Node], right: Sequence[Node]) -> list[tuple[int, int]]:
        """Positions of nodes that do the same, or at least call the same op, in a common order."""
        kinds = [[_kind(node) for node in nodes] for nodes in (left, right)]
        if kinds[0] == kinds[1]:
            return [(at, at) for at in range(len(left))]
        names = [[node.name for node in nodes] for nodes in (left, right)]
        if (kinds[0], names[0]) > (kinds[1], names[1]):  # so that it is the same both ways round
            return [(i, j) for j, i in self._common(right, left)]
        one, other = ([*map(self.fingerprint, nodes)] for nodes in (left, right))
        low = high = 0
        least = min(len(left), len(right))
        while low < least and one[low] == other[low]:
            low += 1
        while high < least - low and one[-1 - high] == other[-1 - high]:
            high += 1
        n, m = len(left) - high - low, len(right) - high - low

        def score(i: int, j: int) -> int:
            i, j = i + low, j + low
            if one[i] == other[j]:
                return 3
            return 2 if kinds[0][i] == kinds[1][j] and self._near(left[i], right[j]) else 0

        found = [(at, at) for at in range(low)]
        found += [(i + low, j + low) for i, j in aligned(n, m, score)]
        return found + [(len(left) - at, len(right) - at) for at in range(high, 0, -1)]

    def _near(self, a: Node, b: Node) -> bool:
        """Whether two scopes have about the same ops in them."""
        one, other = a.call, b.call
        if not isinstance(one, Graph) or not isinstance(other, Graph):
            return True
        counts = [Counter(map(_kind, filter(present, graph.nodes))) for graph in (one, other)]
        return (counts[0] & counts[1]).total() >= ALIKE * max(c.total() for c in counts)

    def _renamed(
        self,
        before: Graph,
        after: Graph,
        left: Sequence[Node],
        right: Sequence[Node],
        names: Mapping[str, str],
    ) -> list[tuple[Node, Node]]:
        """Nodes that do the same under another name, in the same order and beside the same ones."""
        if not left or not right:
            return []
        guess = [(left[i], right[j]) for i, j in self._common(left, right)]
        guess = [(a, b) for a, b in guess if _kind(a) == _kind(b) and self._near(a, b)]
        known = {**names, **{a.name: b.name for a, b in guess}, OUTPUT: OUTPUT}
        lonely = [
            {n.name for n in left} - known.keys(),
            {n.name for n in right} - {*known.values()},
        ]
        takers = [users(before), users(after)]

        def beside(a: Node, b: Node) -> bool:
            fed = {known.get(name) for name in _fed(before, a, lonely[0])}
            used = {known.get(name) for name in takers[0].get(a.name, ())}
            same = fed & _fed(after, b, lonely[1])
            return bool(same or used & set(takers[1].get(b.name, ()))) or not (fed or used)

        return [(a, b) for a, b in guess if beside(a, b)]

    def fingerprint(self, node: Node, whole: bool = False) -> int:
        """A number that equal calls have in common, whatever their names and operands.

        What the operands determine, and shapes, count only in a `whole` one.
        """
        return self._number(
            (
                self._graph(node.call, whole) if isinstance(node.call, Graph) else _kind(node),
                _told(node, whole),
                node.mode,
                bool(node.shared),
                exact(node.times),
                node.type if whole else None,
            )
        )

    def _graph(self, graph: Graph, whole: bool) -> int:
        key = graph, whole
        if key not in self._prints:
            nodes = [node for node in graph.nodes if present(node)]
            self._prints[key] = self._number(
                (
                    tuple(
                        (n.name, self.fingerprint(n, whole), n.shared, tuple(n.ties.items()))
                        for n in nodes
                    ),
                    tuple(tuple(passed(graph, edge) for edge in n.operands) for n in nodes),
                    tuple((o.name, passed(graph, o.edge)) for o in graph.outputs),
                    graph.form,
                    graph.connect,
                    graph.routing and (graph.routing.kind, exact(graph.routing.top_k)),
                    tuple(i.name for i in graph.inputs),
                    tuple(i.type for i in graph.inputs) if whole else None,
                )
            )
        return self._prints[key]

    def _number(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


def _placed(left: Sequence[Node], right: Sequence[Node]) -> Iterator[tuple[Node, Node]]:
    """Nodes that are different in all, by their place: as many, or turns of one repetition."""
    if len(left) == len(right):
        yield from zip(left, right, strict=True)
        return
    turns = {(n.loop.key, n.loop.index): n for n in right if n.loop is not None}
    for node in left:
        other = turns.get((node.loop.key, node.loop.index)) if node.loop is not None else None
        if other is not None:
            yield node, other


def _told(node: Node, whole: bool) -> tuple[tuple[str, str], ...]:
    """The arguments of an op; those of a block have no effect but inside of it."""
    if not isinstance(node.call, Op):
        return ()
    found = arguments(node, inferred=whole)
    return tuple(sorted((name, exact(arg)) for name, arg in found.items()))


def passed(graph: Graph, edge: Edge) -> tuple[str, tuple[int, ...]]:
    """Where a value comes from, through nodes that are not there."""
    node = graph.by_name.get(edge.source)
    while node is not None and not present(node) and node.operands:
        edge = node.operands[min(node.through, len(node.operands) - 1)]
        node = graph.by_name.get(edge.source)
    return edge.source, edge.select


def _slot(node: Node) -> str:
    """A node's name, or that of the repetition that it is a turn of."""
    return node.loop.key if node.loop is not None else node.name


def _kind(node: Node) -> str:
    """The op, or the block that is called; groups are all of one kind."""
    call = node.call
    if isinstance(call, Op):
        return call.name
    if call is None:
        return ""
    return f"{call.name} block" if call.kind == "block" else "group"


def users(graph: Graph) -> dict[str, list[str]]:
    """Who takes the value of a node."""
    found: dict[str, list[str]] = {}
    for node in filter(present, graph.nodes):
        for edge in node.operands:
            found.setdefault(passed(graph, edge)[0], []).append(node.name)
    for output in graph.outputs:
        found.setdefault(passed(graph, output.edge)[0], []).append(OUTPUT)
    return found


def _fed(graph: Graph, node: Node, lonely: set[str]) -> set[str]:
    """What a node takes, through nodes that are in one of the scopes only."""
    found = set()
    for edge in node.operands:
        source = passed(graph, edge)[0]
        while source in lonely and graph.by_name[source].operands:
            source = passed(graph, graph.by_name[source].operands[0])[0]
        found.add(source)
    return found


def _inputs(before: Graph, after: Graph) -> Iterator[tuple[Input | None, Input | None]]:
    """Inputs by name, else in their order where the types are equal; what chooses comes first."""
    left, right = list(before.inputs), list(after.inputs)
    pairs: list[tuple[Input, Input]] = []
    if before.routing is not None and after.routing is not None:
        pairs.append((left.pop(0), right.pop(0)))
    other = {i.name: i for i in right}
    pairs += [(i, other[i.name]) for i in left if i.name in other]
    if len(pairs) == 0 and len(left) == len(right) == 1 and before.kind != "spec":
        pairs.append((left[0], right[0]))
    lonely = [i for i in right if all(i is not b for _, b in pairs)]
    for one in left:
        if all(one is not a for a, _ in pairs):
            fit = next((b for b in lonely if b.type == one.type), None)
            if fit is not None:
                lonely.remove(fit)
                pairs.append((one, fit))
    partner = {id(a): b for a, b in pairs}
    yield from ((a, partner.get(id(a))) for a in before.inputs)
    taken = {id(b) for _, b in pairs}
    yield from ((None, b) for b in after.inputs if id(b) not in taken)


def _merged(
    left: Sequence[Node], right: Sequence[Node], found: Sequence[tuple[Node, Node]]
) -> Iterator[Pair]:
    """All pairs in the order of the second file; what is gone follows what it followed."""
    partner = {id(b): a for a, b in found}
    taken = {id(a): b for a, b in found}
    after: dict[int | None, list[Node]] = {}
    last: int | None = None
    for node in left:
        if id(node) in taken:
            last = id(taken[id(node)])
        else:
            after.setdefault(last, []).append(node)
    yield from ((gone, None) for gone in after.get(None, ()))
    for node in right:
        yield partner.get(id(node)), node
        yield from ((gone, None) for gone in after.get(id(node), ()))
