"""What differs between two paired scopes, node by node; what follows from elsewhere is marked so."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from graphbuild.diff.matching import ALIKE, Matcher, Pairing, present
from graphbuild.diff.sequences import stayed
from graphbuild.diff.values import (
    Both,
    arguments,
    exact,
    reads,
    same,
    shape,
    shown,
    source,
    when,
    written,
)
from graphbuild.diff.wiring import Wiring, wire
from graphbuild.errors import Span
from graphbuild.ir import NOTHING, Arg, Edge, Graph, Node, Type
from graphbuild.ops.base import Op

Kind = Literal[
    "added",
    "removed",
    "repeat",
    "op",
    "argument",
    "let",
    "wiring",
    "moved",
    "renamed",
    "renumbered",
    "mode",
    "sharing",
    "times",
    "choice",
    "form",
    "order",
    "shape",
    "inside",
]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that changed at a node: its name, and what it was and is."""

    name: str
    old: str
    new: str
    before: Span | None = None
    after: Span | None = None


@dataclass(frozen=True, eq=False)
class Fact:
    """One difference. Its node is of the one scope, of the other, or of both; or it is of the scope."""

    kind: Kind
    before: Node | None
    after: Node | None
    items: tuple[Item, ...] = ()
    follows: bool = False  # from a param, from the arguments of a call, or from an operand's shape
    hidden: bool = False  # told only if all is
    several: tuple[Node, ...] = ()  # added or removed together, as turns of one repetition
    note: str = ""
    key: tuple[Hashable, ...] = field(default=(), compare=False)


class Facts:
    """The differences of scopes, each pair of scopes looked at once."""

    def __init__(self, matcher: Matcher, dims: Both) -> None:
        self.matcher, self.dims = matcher, dims
        self._known: dict[Pairing, tuple[Fact, ...]] = {}

    def of(self, pairing: Pairing) -> tuple[Fact, ...]:
        if pairing not in self._known:
            self._known[pairing] = tuple(self._all(pairing))
        return self._known[pairing]

    def opened(self, a: Node, b: Node) -> Pairing | None:
        """The pairing of what two nodes call, where it is worth to be looked into."""
        one, other = a.call, b.call
        if not isinstance(one, Graph) or not isinstance(other, Graph) or (a.shared and b.shared):
            return None
        if self.matcher.same(one, other) or self._foreign(one, other):
            return None
        return self.matcher.pairing(one, other)

    def _foreign(self, one: Graph, other: Graph) -> bool:
        """Whether two scopes have so little in common that one takes the place of the other."""
        return self.matcher.alike(one, other) < ALIKE

    def _all(self, pairing: Pairing) -> Iterator[Fact]:
        yield from self._scope(pairing)
        wiring = Wiring(pairing)
        turns = self._turns(pairing)
        told: set[str] = set()
        for a, b in pairing.pairs:
            node = b if b is not None else a
            if node is None:
                continue
            if a is not None and b is not None:
                yield from self._node(pairing, a, b, wiring)
                continue
            if node.synthetic and (pairing.after if b else pairing.before).connect == "dense":
                continue  # the running concat, which says no more than the nodes
            key = node.loop.key if node.loop is not None else ""
            counts = turns.get(key)
            kind: Kind = "added" if b is not None else "removed"
            if counts is None or counts[0] == counts[1]:
                yield Fact(kind, a, b, note=wiring.around(node, after=b is not None))
            elif key not in told:
                told.add(key)
                side = 1 if b is not None else 0
                gone = [p[side] for p in pairing.pairs if p[1 - side] is None]
                several = [
                    n for n in gone if n and n.loop and n.loop.key == key and not n.synthetic
                ]
                item = Item("repeat", str(counts[0]), str(counts[1]), node.span, node.span)
                yield Fact("repeat", a, b, (item,), several=tuple(several))
        yield from self._order(pairing)

    def _scope(self, pairing: Pairing) -> Iterator[Fact]:
        """What differs in a scope as a whole."""
        one, other = pairing.before, pairing.after
        spans = one.span, other.span
        if one.connect != other.connect and (one.routing is None) == (other.routing is None):
            yield Fact("form", None, None, (Item("connect", one.connect, other.connect, *spans),))
        choices = [graph.routing.kind if graph.routing else "group" for graph in (one, other)]
        items = [Item("", choices[0], choices[1], *spans)] if choices[0] != choices[1] else []
        old, new = (graph.routing.top_k if graph.routing else None for graph in (one, other))
        if not same(old, new):
            items.append(Item("top_k", _or_none(old), _or_none(new), *spans))
        if items:
            yield Fact("choice", None, None, tuple(items))
        lets = [
            {v.name: Arg(v.value, v.expr) for v in graph.variables if v.kind == "let"}
            for graph in (one, other)
        ]
        for name in filter(lets[1].__contains__, lets[0]):
            a, b = lets[0][name], lets[1][name]
            if source(a) != source(b) and exact(a.value) != exact(b.value):
                item = Item(name, f"$({source(a)})", f"$({source(b)})", *spans)
                yield Fact("let", None, None, (item,))
        yield from self._outputs(pairing)

    def _outputs(self, pairing: Pairing) -> Iterator[Fact]:
        one, other = pairing.before, pairing.after
        if one.kind == "spec" or one.routing is not None or other.routing is not None:
            return  # those of the whole are told by themselves, and cases are nodes
        spans = one.span, other.span
        names = [[(o.name or str(at)) for at, o in enumerate(g.outputs)] for g in (one, other)]
        if one.form != other.form or names[0] != names[1]:
            item = Item("outputs", _outputs(one), _outputs(other), *spans)
            yield Fact("form", None, None, (item,))
            return
        wiring = Wiring(pairing)
        for a, b in zip(one.outputs, other.outputs, strict=True):
            if not wiring.same(a.edge, b.edge):
                item = Item(f"output {b.name}".strip(), wire(a.edge), wire(b.edge), *spans)
                yield Fact("form", None, None, (item,))

    def _turns(self, pairing: Pairing) -> dict[str, tuple[int, int]]:
        """How often the repetitions of a scope turn."""
        found: list[dict[str, int]] = [{}, {}]
        for side, graph in enumerate((pairing.before, pairing.after)):
            for node in filter(present, graph.nodes):
                if node.loop is not None:
                    found[side][node.loop.key] = node.loop.count
        return {key: (found[0][key], found[1][key]) for key in found[0].keys() & found[1].keys()}

    def _node(self, pairing: Pairing, a: Node, b: Node, wiring: Wiring) -> Iterator[Fact]:
        spans = a.span, b.span
        if a.name != b.name:
            listed = pairing.before.listed and pairing.after.listed
            yield Fact(
                "renumbered" if listed else "renamed", a, b, (Item("", a.name, b.name, *spans),)
            )
        if type(a.call) is not type(b.call) or (
            isinstance(a.call, Op) and isinstance(b.call, Op) and a.call.name != b.call.name
        ):
            yield Fact("op", a, b, (Item("", "", "", *spans),))
        elif isinstance(a.call, Graph) and isinstance(b.call, Graph):
            yield from self._called(a, b, a.call, b.call)
        else:
            yield from _arguments(pairing, a, b)
        if a.mode != b.mode:
            yield Fact("mode", a, b, (Item("runs", when(a.mode), when(b.mode), *spans),))
        if exact(a.times) != exact(b.times):
            item = Item("repeat with share", _or_none(a.times), _or_none(b.times), *spans)
            yield Fact("times", a, b, (item,))
        if pairing.names.get(a.shared, a.shared) != b.shared:
            yield Fact("sharing", a, b, (Item("weights", _weights(a), _weights(b), *spans),))
        moved = wiring.changed(a, b)
        if moved is not None:
            old, new = ([wire(edge) for edge in node.operands] for node in (a, b))
            if old == new:  # a node has the name that an input had, or an input that of a node
                graphs = pairing.before, pairing.after
                old, new = (
                    [_end(graph, edge) for edge in node.operands]
                    for graph, node in zip(graphs, (a, b), strict=True)
                )
            item = Item("from", _listed(old), _listed(new), *spans)
            yield Fact("moved" if moved else "wiring", a, b, (item,))
        if self._differ(a.type, b.type):
            yield Fact("shape", a, b, follows=True, hidden=True)

    def _called(self, a: Node, b: Node, one: Graph, other: Graph) -> Iterator[Fact]:
        """Two calls of scopes: whether one took the place of the other, else its arguments."""
        if self.matcher.same(one, other):
            return
        if self._foreign(one, other):
            yield Fact("op", a, b, (Item("", "", "", a.span, b.span),))
            return
        blocks = one.kind == other.kind == "block" and one.name != other.name
        if blocks and not self.matcher.equal(one, other):
            item = Item("block", one.name, other.name, a.span, b.span)
            yield Fact("op", a, b, (item,), note="opened")
        items = []
        for name, old, new in _differing(arguments(a), arguments(b)):
            if old is None or new is None or (source(old) == source(new) and reads(new)):
                continue  # handed on from around, or a block that takes other arguments
            items.append(_item(name, old, new, a, b))
        if items:
            yield Fact("argument", a, b, tuple(items))

    def _order(self, pairing: Pairing) -> Iterator[Fact]:
        """Layers that are registered after others than before, so that keys change places."""
        keeps = self.matcher.keeps
        pairs = [(a, b) for a, b in pairing.matched if keeps(a) and keeps(b)]
        place = {
            id(node): at for g in (pairing.before, pairing.after) for at, node in enumerate(g.nodes)
        }
        names = [(a.name, b.name) for a, b in pairs]
        kept = stayed(names, [(place[id(a)], place[id(b)]) for a, b in pairs])
        behind = [_behind(graph, self.matcher) for graph in (pairing.before, pairing.after)]
        for at, (a, b) in enumerate(pairs):
            if at not in kept:
                item = Item("", behind[0][a.name], behind[1][b.name], a.span, b.span)
                yield Fact("order", a, b, (item,))

    def _differ(self, one: Type, other: Type) -> bool:
        """Whether two values have other shapes, however the free sizes are called or probed."""
        if one == other or self.dims[0] == self.dims[1]:
            return one != other
        return shape(one, self.dims[0]) != shape(other, self.dims[1])


def _arguments(pairing: Pairing, a: Node, b: Node) -> Iterator[Fact]:
    """The arguments of an op that differ: those that the spec changed, and those that follow."""
    op = b.call
    causes, follows, inferred = [], [], []
    for name, old, new in _differing(arguments(a), arguments(b)):
        item = _item(name, old, new, a, b)
        if isinstance(op, Op) and name in op.infer and _fed(pairing, a, b):
            inferred.append(item)
        elif old is not None and new is not None and _handed(old, new, a, b):
            follows.append(item)
        else:
            causes.append(item)
    if causes:
        yield Fact("argument", a, b, tuple(causes))
    if follows:
        yield Fact("argument", a, b, tuple(follows), follows=True)
    if inferred:
        yield Fact("argument", a, b, tuple(inferred), follows=True, hidden=True)


def _fed(pairing: Pairing, a: Node, b: Node) -> bool:
    """Whether two nodes are given something else."""
    types = (
        [graph.value(edge) for edge in node.operands]
        for graph, node in ((pairing.before, a), (pairing.after, b))
    )
    one, other = types
    return one != other


def _handed(old: Arg, new: Arg, a: Node, b: Node) -> bool:
    """Whether an argument is written as before, so that what it reads has changed elsewhere."""
    names = reads(new)
    if not names or source(old) != source(new) or old.free or new.free:
        return False
    loops = [node.loop.over if node.loop is not None else NOTHING for node in (a, b)]
    over = [{name: source(Arg(None, tree)) for name, tree in loop.items()} for loop in loops]  # type: ignore[arg-type]
    return all(over[0].get(name) == over[1].get(name) for name in names)


def _differing(
    one: dict[str, Arg], other: dict[str, Arg]
) -> Iterator[tuple[str, Arg | None, Arg | None]]:
    for name in {**one, **other}:
        old, new = one.get(name), other.get(name)
        if not same(old, new):
            yield name, old, new


def _item(name: str, old: Arg | None, new: Arg | None, a: Node, b: Node) -> Item:
    places = (
        arg.span if arg is not None and arg.span else n.span for arg, n in ((old, a), (new, b))
    )
    return Item(name, _or_none(old), _or_none(new), *places)


def _or_none(arg: Arg | None) -> str:
    return "none" if arg is None else written(arg)


def _behind(graph: Graph, matcher: Matcher) -> dict[str, str]:
    """Of each node the layer that is registered in front of it."""
    found, last = {}, "nothing"
    for node in graph.nodes:
        found[node.name] = last
        last = node.name if matcher.keeps(node) else last
    return found


def _weights(node: Node) -> str:
    return f"those of {node.shared}" if node.shared else "its own"


def _end(graph: Graph, edge: Edge) -> str:
    what = "input " if edge.source in graph.input_names else ""
    return f"{what}{wire(edge)}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else shown(tuple(names)) if names else "nothing"


def _outputs(graph: Graph) -> str:
    names = [output.name or wire(output.edge) for output in graph.outputs]
    return {"single": "one value", "list": shown(tuple(names))}.get(
        graph.form, "{" + ", ".join(names) + "}"
    )
