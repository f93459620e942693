"""Two graphs as one, with marks: what a picture of their difference is drawn from.

The result is no graph that could be compiled: a node may have the operands of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from graphbuild.diff import words
from graphbuild.diff.facts import Facts
from graphbuild.diff.matching import Pairing, passed
from graphbuild.diff.places import Found, Here
from graphbuild.diff.values import Both, shape
from graphbuild.diff.wiring import Wiring, output_name
from graphbuild.dims import Dims
from graphbuild.ir import Edge, Graph, Input, Node, Output, Tensor, Type
from graphbuild.render.marks import Mark, MarkedEdge, MarkedInput, MarkedNode, MarkedOutput, Union

End = tuple[str, tuple[int, ...]]
Shapes = tuple[tuple[int, ...] | None, ...]  # at each probe


class Merger:
    """Merges scopes; a pair of scopes that stands at several places is merged once."""

    def __init__(self, facts: Facts, dims: Both) -> None:
        self.facts, self.dims = facts, dims
        self._known: dict[Pairing, Union] = {}

    def whole(self, pairing: Pairing, name: str) -> Union:
        """The two graphs that a difference is of."""
        dims = tuple(d or Dims(()) for d in self.dims)
        both = _Dims(dims[1].free, dims[0], frozenset(_shapes(pairing.after, set())))
        return replace(self.union(pairing), name=name, doc="", dims=both)

    def union(self, pairing: Pairing) -> Union:
        if pairing not in self._known:
            self._known[pairing] = _Scope(self, pairing).union()
        return self._known[pairing]

    def told(self, pairing: Pairing) -> dict[int, list[str]]:
        """What changed at the nodes that are in both, by the identity of the second's."""
        found: dict[int, list[str]] = {}
        for fact in self.facts.of(pairing):
            both = fact.before is not None and fact.after is not None
            if both and not fact.hidden and fact.kind != "renumbered":
                text = words.text([Found(fact, Here(), pairing)], self.dims, self.facts.matcher)
                found.setdefault(id(fact.after), []).append(words.short(text))
        return found

    def around(self, pairing: Pairing) -> list[str]:
        """What changed in a scope as a whole."""
        found = [fact for fact in self.facts.of(pairing) if fact.kind in ("choice", "form", "let")]
        here = Here()
        return [
            words.text([Found(fact, here, pairing)], self.dims, self.facts.matcher)
            for fact in found
        ]


@dataclass(frozen=True)
class _Dims(Dims):
    """The free dimensions of the second; what has no shape of it is shown by those of the first."""

    before: Dims
    own: frozenset[Shapes]

    def show_shape(self, shapes: Sequence[tuple[int, ...] | None]) -> str:
        known = tuple(shapes) in self.own
        return super().show_shape(shapes) if known else self.before.show_shape(shapes)


def _shapes(graph: Graph, seen: set[Graph]) -> Iterator[Shapes]:
    """The shapes of all values of a graph."""
    seen.add(graph)
    types: list[Type] = [given.type for given in graph.inputs]
    for type_ in (*types, *(node.type for node in graph.nodes)):
        stack = [type_]
        while stack:
            type_ = stack.pop()
            if isinstance(type_, Tensor):
                yield type_.shapes
            else:
                stack += type_.items
    for node in graph.nodes:
        if isinstance(node.call, Graph) and node.call not in seen:
            yield from _shapes(node.call, seen)


class _Scope:
    def __init__(self, merger: Merger, pairing: Pairing) -> None:
        self.merger, self.pairing = merger, pairing
        self.before, self.after = pairing.before, pairing.after
        self.wiring = Wiring(pairing)
        self.told = merger.told(pairing)
        taken = {*self.after.by_name, *self.after.input_names}
        self.names = dict(pairing.names)
        for name in (*self.before.by_name, *self.before.input_names):
            if name not in self.names:
                self.names[name] = _free(name, taken)
                taken.add(self.names[name])
        self.gone = {self.names[name] for name in self.wiring.gone}

    def union(self) -> Union:
        nodes = [self._node(a, b) for a, b in self.pairing.pairs]
        shared: dict[str, Any] = {f.name: getattr(self.after, f.name) for f in fields(Graph)}
        shared |= {
            "inputs": tuple(self._inputs()),
            "nodes": tuple(nodes),
            "order": tuple(range(len(nodes))),
            "outputs": tuple(self._outputs()),
        }
        return Union(**shared, before=self.before, after=self.after)

    def _inputs(self) -> list[Input]:
        """Those of the second, then what only the first has."""
        partner = {id(b): a for a, b in self.pairing.inputs if b is not None}
        found: list[Input] = []
        for b in self.after.inputs:
            a = partner[id(b)]
            told = [f"was {a.name}"] if a is not None and a.name != b.name else []
            if a is not None and self._shape(a, 0) != self._shape(b, 1):
                told.append(f"was {self._shape(a, 0)}")
            mark: Mark = "added" if a is None else "changed" if told else ""
            found.append(_input(b, mark, tuple(told)))
        gone = [a for a, b in self.pairing.inputs if a is not None and b is None]
        return found + [replace(_input(a, "removed"), name=self.names[a.name]) for a in gone]

    def _shape(self, given: Input, side: int) -> str:
        return shape(given.type, self.merger.dims[side])

    def _old(self, edge: Edge) -> End:
        source, select = passed(self.before, edge)
        name = self.names.get(source, source)
        if name in self.after.by_name or name in self.after.input_names:
            try:
                self.after.value(Edge(name, select))
            except (IndexError, ValueError):  # the second has no such part: all of it is meant
                select = ()
        return name, select

    def _node(self, a: Node | None, b: Node | None) -> MarkedNode:
        node = b if b is not None else a
        if node is None:
            raise ValueError("a pair of nothing")
        call, told = node.call, self.told.get(id(b), []) if a is not None else []
        inner = self.merger.facts.opened(a, b) if a is not None and b is not None else None
        if inner is not None:
            call, told = self.merger.union(inner), [*told, *self.merger.around(inner)]
        mark: Mark = "added" if a is None else "removed" if b is None else "changed" if told else ""
        given: dict[str, Any] = {f.name: getattr(node, f.name) for f in fields(Node)}
        given |= {"call": call, "operands": tuple(self._operands(a, b, inner))}
        if b is None:
            given |= {"name": self.names[node.name], "shared": self.names.get(node.shared, "")}
        return MarkedNode(**given, mark=mark, before=a, after=b, told=tuple(told))

    def _operands(self, a: Node | None, b: Node | None, inner: Pairing | None) -> list[Edge]:
        """The operands of the second by position, then what the first took beside them."""
        old = [self._old(edge) for edge in a.operands] if a is not None else []
        new = [passed(self.after, edge) for edge in b.operands] if b is not None else []
        if b is None:
            return [MarkedEdge(*end, mark="removed") for end in old]
        rewired = a is not None and self.wiring.changed(a, b) is not None
        bridged = any(end[0] in self.gone for end in old)  # over what was taken out
        found: list[Edge] = []
        for source, select in new:
            fresh = (rewired or bridged) and (source, select) not in old
            found.append(MarkedEdge(source, select, mark="added" if fresh else ""))
        places = self._places(inner)
        lonely, others = [], []
        for position, end in enumerate(old):
            to = places[position] if position < len(places) else None
            edge = MarkedEdge(*end, mark="removed", position=to)
            if to is not None and to >= len(new):  # an input that only the first has
                lonely.append(edge)
            elif end not in new and (rewired or end[0] in self.gone):
                others.append(edge)
        return [*found, *lonely, *others]

    def _places(self, inner: Pairing | None) -> list[int]:
        """Where the inputs of the first's scope stand among those of both."""
        if inner is None:
            return []
        second = [id(b) for b in inner.after.inputs]
        lonely = [id(a) for a, b in inner.inputs if a is not None and b is None]
        partner = {id(a): id(b) for a, b in inner.inputs if a is not None and b is not None}
        return [
            second.index(partner[id(a)]) if id(a) in partner else len(second) + lonely.index(id(a))
            for a in inner.before.inputs
        ]

    def _outputs(self) -> list[Output]:
        """Those of the second; what the first handed out beside them leads to the same end."""
        root = self.after.kind == "spec" and self.before.kind == "spec"
        single = self.before.form == self.after.form == "single"
        found: list[Output] = []
        for a, b in self.wiring.outputs:
            old = self._old(a.edge) if a is not None else None
            if b is None:
                if root and a is not None and old is not None:
                    gone = MarkedEdge(*old, a.edge.span, mark="removed")
                    found.append(MarkedOutput(a.name, gone, mark="removed"))
                continue
            source, select = passed(self.after, b.edge)
            edge, before = MarkedEdge(source, select, b.edge.span), None
            if (
                a is not None
                and old is not None
                and old != (source, select)
                and (old[0] in self.gone or not self.wiring.same(a.edge, b.edge))
            ):
                edge = replace(edge, mark="added")
                before = MarkedEdge(*old, mark="removed")
            was = output_name(self.before, a) if a is not None else ""
            told = (f"was {was}",) if a and b.name and was != b.name else ()
            mark: Mark = "added" if a is None else "changed" if told else ""
            if root or before is None or not single:
                found.append(MarkedOutput(b.name, edge, mark, told, before if root else None))
            else:
                found += [MarkedOutput("", edge), MarkedOutput("", before)]
        return found


def _input(given: Input, mark: Mark, told: tuple[str, ...] = ()) -> MarkedInput:
    return MarkedInput(given.name, given.type, given.sizes, given.span, mark=mark, told=told)


def _free(name: str, taken: set[str]) -> str:
    """A name for what is gone, where the second has another thing of that name."""
    while name in taken:
        name = f"{name} (old)"
    return name
