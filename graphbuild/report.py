"""What a graph consists of: one row per layer, and totals that no folding changes.

The rows of a report never overlap: an open scope is told by the rows inside it, a folded one by a
single row that holds their sum. So the rows add up to the totals at every depth.

Only the MACs of cases do not: what a choice costs depends on the input, so the most that it can
cost is counted. That is the costliest case of a switch and of a route, and of a mixture all cases,
or as many of the costliest as `top_k` says. A row inside of a case tells what it costs where that
case is chosen for all; `Report.idle` is what the rows hold beyond the total.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import prod
from types import SimpleNamespace
from typing import Any

from graphbuild.dims import Dims
from graphbuild.ir import ABSENT, Graph, Node, Routing, Several, Tensor, Tie, Type
from graphbuild.modes import Mode, Modes, both, there
from graphbuild.ops.base import Op


@dataclass(frozen=True, slots=True)
class Counts:
    """What a layer or a scope costs; MACs are those of one pass at the example size, in evaluation."""

    parameters: int = 0
    buffers: int = 0  # their elements, not their number
    macs: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.parameters + other.parameters,
            self.buffers + other.buffers,
            self.macs + other.macs,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One layer, or one folded scope with the sum of what is inside it."""

    path: str
    op: str
    output: str  # the shape, such as N×256×H/8×W/8; several are parted by commas
    size: tuple[int, ...] | None  # the output at the example; None where there are several
    counts: Counts
    mode: str = "always"  # or "training", "eval": it is there in that mode alone
    shares: str | None = None  # the path of the layer or scope whose module it calls again
    times: int | None = None  # how often one module is applied in turn
    ties: tuple[tuple[str, str], ...] = ()  # paths of parameters here, and of those that they are

    @property
    def what(self) -> str:
        """The op, and how its weights are shared, in words."""
        text = f"shares {self.shares}" if self.shares else self.op
        if self.times is not None:
            text += f" ×{self.times}" + ("" if self.shares else " shared")
        alone = [source for path, source in self.ties if path.startswith(f"{self.path}.")]
        return f"{text}, tied to {', '.join(alone)}" if 0 < len(alone) < 3 else text


@dataclass(frozen=True, slots=True)
class Report:
    """The rows of a graph in file order, its inputs and outputs by name, and the totals."""

    name: str
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    totals: Counts
    idle: int = 0  # MACs in rows of cases that are not counted

    @property
    def parameter_bytes(self) -> int:
        """The size of the parameters in the dtype that they are built in, float32."""
        return 4 * self.totals.parameters

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        rows = [
            {
                "path": r.path,
                "op": r.op,
                "output": r.output,
                "size": r.size,
                "mode": r.mode,
                **asdict(r.counts),
                "shares": r.shares,
                "times": r.times,
                "ties": dict(r.ties),
            }
            for r in self.rows
        ]
        totals = {**asdict(self.totals), "parameter_bytes": self.parameter_bytes}
        return {
            "name": self.name,
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "rows": rows,
            "totals": totals,
            "idle_macs": self.idle,
        }


def report(graph: Graph, depth: int | None = None, *, concrete: bool = False) -> Report:
    """The report of an elaborated spec.

    ``depth`` folds every scope below that many levels; ``concrete`` shows the sizes at the example
    in place of formulas in the free dimensions.
    """
    show = partial(_show, dims=None if concrete else graph.dims)
    count = Counter()
    outputs = (
        (o.name or o.edge.source, show(graph.value(o.edge)) + _only(graph.mode(o.edge)))
        for o in graph.outputs
    )
    return Report(
        name=graph.name,
        inputs=tuple((i.name, show(i.type)) for i in graph.inputs),
        outputs=tuple(outputs),
        rows=tuple(_rows(graph, "", depth, count, show, "always", graph.ties)),
        totals=count.graph(graph) + _tied(graph.ties),
        idle=_idle(graph, depth, count),
    )


class Counter:
    """Sums a scope once, however often it is called; each call is a copy and counts again."""

    def __init__(self) -> None:
        self.known: dict[Graph, Counts] = {}  # graphs compare by identity

    def graph(self, graph: Graph) -> Counts:
        if graph not in self.known:
            nodes = [self.node(graph, node) for node in graph.nodes]
            total = sum(nodes, Counts())
            if graph.routing is not None:
                total = replace(total, macs=_most(graph.routing, [one.macs for one in nodes]))
            self.known[graph] = total
        return self.known[graph]

    def node(self, graph: Graph, node: Node) -> Counts:
        match node.call:
            case None:
                return Counts()
            case Graph():
                found = self.graph(node.call)
            case Op() as op:
                found = _count(op, graph, node)
        macs = found.macs * (_times(node) or 1) if there(node.mode, training=False) else 0
        return Counts(macs=macs) if node.shared else replace(found, macs=macs)


def _times(node: Node) -> int | None:
    """How often a node applies one module in turn."""
    count = node.times.value if node.times is not None else None
    return count if isinstance(count, int) else None


def _tied(ties: Iterable[Tie]) -> Counts:
    """What is counted where it is tied to."""
    return Counts(parameters=-sum(prod(tie.shape) for tie in ties))


def _most(routing: Routing, cases: list[int]) -> int:
    """The MACs of the costliest choice."""
    if routing.kind == "mixture" and routing.top_k is None:
        return sum(cases)
    chosen = routing.top_k.value if routing.top_k is not None else 1
    return sum(sorted(cases)[-chosen:]) if isinstance(chosen, int) else 0


def _idle(graph: Graph, depth: int | None, count: Counter) -> int:
    """The MACs of cases that stand in rows, but not in the total."""
    if depth == 0:
        return 0
    inside = None if depth is None else depth - 1
    calls = [node.call for node in graph.nodes if isinstance(node.call, Graph)]
    idle = sum(_idle(call, inside, count) for call in calls)
    if graph.routing is not None:
        cases = sum(count.node(graph, node).macs for node in graph.nodes)
        idle += cases - count.graph(graph).macs
    return idle


def _count(op: Op, graph: Graph, node: Node) -> Counts:
    values = {argument.name: argument.default for argument in op.arguments}
    values.update((name, arg.value) for name, arg in node.args.items())
    args = SimpleNamespace(**values)
    macs = 0
    if op.macs is not None:
        operands = [size for edge in node.operands for size in _sizes(graph.value(edge))]
        output = _sizes(node.type)
        macs = op.macs(args, operands, output if isinstance(node.type, Several) else output[0])
    parameters = op.parameters(args) if op.parameters is not None else {}
    buffers = op.buffers(args) if op.buffers is not None else {}
    if op.own and op.parameters is None and isinstance(node.type, Tensor):
        buffers = {"": node.type.shape}
    return Counts(_elements(parameters), _elements(buffers), macs)


def _elements(shapes: dict[str, tuple[int, ...]]) -> int:
    return sum(map(prod, shapes.values()))


def _sizes(type: Type) -> list[tuple[int, ...]]:
    """The example shapes of a value, those of its parts one after the other."""
    if isinstance(type, Tensor):
        return [type.shape]
    return [size for item in type.items for size in _sizes(item)]


def _rows(
    graph: Graph,
    prefix: str,
    depth: int | None,
    count: Counter,
    show: Callable[[Type], str],
    around: Mode,
    ties: Iterable[Tie],
    turns: int | None = None,
) -> Iterator[Row]:
    """The rows of a scope; `turns` is how often it is applied in turn as a whole."""
    owners: dict[str, list[Tie]] = {}
    for tie in ties:
        owners.setdefault(tie.path[len(prefix) :].partition(".")[0], []).append(tie)
    for node in graph.nodes:
        if node.call is None or node.synthetic:
            continue
        path, mode = prefix + node.name, both(around, node.mode)
        own = _times(node)
        times = own if turns is None else turns * (own or 1)
        inside = owners.get(node.name, [])
        if isinstance(node.call, Graph) and not node.shared and (depth is None or depth > 1):
            below = None if depth is None else depth - 1
            yield from _rows(node.call, f"{path}.", below, count, show, mode, inside, times)
            continue
        counts = count.node(graph, node) + _tied(inside)
        macs = counts.macs * (turns or 1) if there(mode, training=False) else 0
        yield Row(
            path=path,
            op=_kind(node.call),
            output=show(node.type),
            size=node.type.shape if isinstance(node.type, Tensor) else None,
            counts=replace(counts, macs=macs),
            mode=mode,
            shares=f"{prefix}{node.shared}" if node.shared else None,
            times=times,
            ties=tuple((tie.path, tie.source) for tie in inside),
        )


def _only(modes: Modes) -> str:
    """What is said of an output that is not always there."""
    return f" ({modes} only)" if modes in ("training", "eval") else ""


def _kind(call: Op | Graph) -> str:
    """What stands in the column `op`."""
    if isinstance(call, Op):
        return call.name
    if call.kind == "block":
        return call.name
    if call.kind == "repeat":
        turns = [node for node in call.nodes if not node.synthetic]
        first = turns[0].call if turns else None
        return f"{_kind(first)} ×{len(turns)}" if first is not None else "repeat"
    if call.routing is not None:
        top = call.routing.top_k
        chosen = f" {top.value}" if top is not None else ""
        return f"{call.routing.kind}{chosen} of {len(call.nodes)}"
    return "group" if call.connect == "chain" else f"{call.connect} group"


def _show(type: Type, dims: Dims | None) -> str:
    if type == ABSENT:
        return "nothing"
    if isinstance(type, Several):
        return ", ".join(_show(item, dims) for item in type.items)
    if dims is None:
        return "×".join(map(str, type.shape)) or "scalar"
    return dims.show_shape(type.shapes)
