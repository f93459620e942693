"""What an item costs: parameters and MACs as the report counts them, and memory of activations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from graphbuild.ir import Graph, Node, Several, Tensor, Type
from graphbuild.modes import there
from graphbuild.ops.base import Op
from graphbuild.render.fold import Item
from graphbuild.render.marks import Union, origins
from graphbuild.report import Counter, Counts, report

_BYTES = {"float64": 8, "int64": 8, "float16": 2, "bfloat16": 2, "int16": 2, "int8": 1, "uint8": 1}
_BYTES |= {"bool": 1, "complex64": 8, "complex128": 16}


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one; an item that stands for several equal ones costs as many times that.

    MACs are those of evaluation, as everywhere.
    """

    params: int = 0
    macs: int = 0
    memory: int = 0  # bytes of what its ops hand out at the example, without views and overwriting

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.params + other.params, self.macs + other.macs, self.memory + other.memory)

    def __mul__(self, times: int) -> Cost:
        return Cost(self.params * times, self.macs * times, self.memory * times)


class Costs:
    """Costs of the nodes of a graph; each distinct scope is summed once, memory only if asked."""

    def __init__(self, graph: Graph, *, memory: bool) -> None:
        self.memory = memory
        self.counter = Counter()
        self.known: dict[Graph, int] = {}
        self.root = graph

    @property
    def total(self) -> Cost:
        root = self.root.after if isinstance(self.root, Union) and self.root.after else self.root
        counts = report(root, depth=1).totals
        return Cost(counts.parameters, counts.macs, self._held(root) if self.memory else 0)

    @property
    def first(self) -> Cost | None:
        """Of two graphs in one, what the first costs."""
        if not isinstance(self.root, Union) or self.root.before is None:
            return None
        counts = report(self.root.before, depth=1).totals
        return Cost(counts.parameters, counts.macs)

    def item(self, item: Item) -> Cost:
        """What is inside of a box; of a run, one turn."""
        if item.scope is None or item.scope.inside is None:
            return self.total
        scope = item.scope.inside
        nodes = item.part.nodes[:1] if item.part.form == "run" else item.part.nodes
        if isinstance(scope, Union):  # as it is now, or as it was where it is gone
            own = list(origins(scope, nodes, 1)) or list(origins(scope, nodes, 0))
            return self._sum(own)
        counts = sum((self.counter.node(scope, node) for node in nodes), Counts())
        memory = sum(map(self._node, nodes)) if self.memory else 0
        macs = counts.macs if there(item.scope.mode, training=False) else 0
        prefix = item.path.removesuffix(nodes[0].name)
        inside = tuple(f"{prefix}{node.name}." for node in nodes)
        tied = sum(prod(tie.shape) for tie in self.root.ties if tie.path.startswith(inside))
        return Cost(counts.parameters - tied, macs, memory)

    def before(self, item: Item) -> Cost:
        """What was inside of a box in the first of two graphs."""
        scope = item.scope.inside if item.scope is not None else None
        nodes = item.part.nodes[:1] if item.part.form == "run" else item.part.nodes
        return self._sum(origins(scope, nodes, 0)) if scope is not None else Cost()

    def _sum(self, nodes: Iterable[tuple[Graph, Node]]) -> Cost:
        counts, memory = Counts(), 0
        for scope, node in nodes:
            counts += self.counter.node(scope, node)
            memory += self._node(node) if self.memory else 0
        return Cost(counts.parameters, counts.macs, memory)

    def _held(self, graph: Graph) -> int:
        if graph not in self.known:
            self.known[graph] = sum(map(self._node, graph.nodes))
        return self.known[graph]

    def _node(self, node: Node) -> int:
        if isinstance(node.call, Graph):
            return self._held(node.call)
        if node.call is None or _free(node.call, node):
            return 0
        return _size(node.type)


def _free(op: Op, node: Node) -> bool:
    """Whether an op needs no memory of its own."""
    if op.aliases or op.overwrites is True:
        return True
    if isinstance(op.overwrites, str):
        arg = node.args.get(op.overwrites)
        return arg is not None and bool(arg.value)
    return False


def _size(type_: Type) -> int:
    if isinstance(type_, Several):
        return sum(map(_size, type_.items))
    return (
        prod(map(int, type_.shape)) * _BYTES.get(type_.dtype, 4) if isinstance(type_, Tensor) else 0
    )


def short(number: int, unit: str = "") -> str:
    """A number with three digits and an SI suffix: 7.98M."""
    value, suffixes = float(number), iter(("", "k", "M", "G", "T", "P"))
    suffix = next(suffixes)
    while value >= 999.5 and (larger := next(suffixes, "")):
        value, suffix = value / 1000, larger
    if not suffix:
        return f"{number}{unit}"
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}{suffix}{unit}"
