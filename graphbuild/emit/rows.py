"""The children of a container while they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from graphbuild.emit.items import Item
from graphbuild.emit.sizes import dimension_name
from graphbuild.emit.symbols import SymType
from graphbuild.emit.units import Call
from graphbuild.ir import Edge, Graph
from graphbuild.names import identifier
from graphbuild.ops.base import Op


@dataclass
class Slot:
    """One written node of a scope, in all instances and turns."""

    present: list[Call] = field(default_factory=list)
    absent: list[Call] = field(default_factory=list)  # an operand passes through
    never: list[Call] = field(default_factory=list)  # there is no value

    @property
    def everyone(self) -> list[Call]:
        return [*self.present, *self.absent]

    def passes(self, edges: Sequence[Edge]) -> Edge | None:
        """The operand that a node hands on everywhere: left out by `if`, or a merge of it alone."""
        if not self.present:
            return edges[0]
        node = self.present[0].node
        merges = isinstance(node.call, Op) and node.call.passes
        return edges[0] if merges and len(edges) == 1 < len(node.operands) else None


@dataclass
class Row:
    """The children of a container so far."""

    graph: Graph
    given: SymType
    current: SymType
    before: str
    items: list[Item] = field(default_factory=list)
    results: list[SymType] = field(default_factory=list)
    others: list[SymType] = field(default_factory=list)  # further inputs, which every child takes

    @property
    def operand(self) -> SymType:
        return self.given if self.graph.connect == "parallel" else self.current

    @property
    def hint(self) -> str:
        """What a local variable for the size of the operand is called."""
        rank = len(self.current) if isinstance(self.current, tuple) else 0
        first = self.before == self.graph.data[0].name or self.before.isdigit()
        size = dimension_name(rank, 1 if rank > 3 else rank - 1)
        return f"{identifier(self.graph.name if first else self.before)}_{size}"

    def add(self, item: Item, results: list[SymType]) -> None:
        self.items.append(item)
        self.results += results
        self.current = results[-1] if results else self.current
        self.before = item.name
