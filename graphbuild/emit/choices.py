"""What is known of a scope of cases while classes are written: names, types, what they may do."""

from __future__ import annotations

from collections.abc import Mapping

from graphbuild import inplace
from graphbuild.emit.symbols import SymType
from graphbuild.ir import Graph, Node, Tensor, Type
from graphbuild.names import identifier
from graphbuild.ops.base import Op

# Layers whose code in torch asks whether there are no rows at all, which it cannot know while a
# graph is traced in which the number of rows depends on the data.
_ASKING = (
    *("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d"),
    *("InstanceNorm3d", "LocalResponseNorm", "local_response_norm", "ChannelShuffle"),
    "channel_shuffle",
)


def variables(graph: Graph) -> list[str]:
    """What the forward calls its inputs: first what chooses."""
    chooser = "gate" if graph.routing and graph.routing.kind == "mixture" else "choice"
    count = len(graph.data)
    return [chooser, *(["x"] if count == 1 else [f"x{k}" for k in range(count)])]


def sentence(graph: Graph) -> str:
    """What the class does, for its docstring."""
    routing = graph.routing
    if routing is None:
        return ""
    if routing.kind == "switch":
        return "The case that `choice` names, for the whole batch."
    if routing.kind == "route":
        return "Each row through the case that `choice` names for it."
    if routing.top_k is None:
        return "The sum of all cases, weighted by `gate`."
    return "The weighted sum of those cases that `gate` gives most, for each row."


def input_types(graph: Graph, known: dict[int, list[str]] | None = None) -> list[str]:
    """The types of the inputs: a value that nothing but a switch takes may be Python's own."""
    known = {} if known is None else known
    if id(graph) not in known:
        known[id(graph)] = []  # no scope calls itself
        known[id(graph)] = [_annotation(graph, k, known) for k in range(len(graph.inputs))]
    return known[id(graph)]


def _annotation(graph: Graph, position: int, known: dict[int, list[str]]) -> str:
    given = graph.inputs[position]
    plain = isinstance(given.type, Tensor) and given.type.shape == ()
    if graph.routing is not None and position == 0:
        return _chosen_by(given.type) if graph.routing.kind == "switch" else "Tensor"
    uses = [
        input_types(node.call, known)[k] if isinstance(node.call, Graph) else "Tensor"
        for node in (graph.nodes if plain else ())
        for k, edge in enumerate(node.operands)
        if edge.source == given.name
    ]
    out = any(output.edge.source == given.name for output in graph.outputs)
    return uses[0] if uses and not out and len(set(uses)) == 1 else "Tensor"


def _chosen_by(type_: Type) -> str:
    whole = isinstance(type_, Tensor) and type_.dtype != "bool"
    return "Tensor | int" if whole else "Tensor | bool"


def laid_out(graph: Graph) -> int:
    """How many dimensions of the data are laid out as one, where it is rows of several; else 0."""
    if graph.routing is None or not graph.routing.by_rows:
        return 0
    found = lead(graph)
    return found if found > 1 else 0


def given(graph: Graph, operands: list[SymType]) -> list[SymType]:
    """Operands as the cases are given them: with rows of several dimensions laid out as one."""
    flat = laid_out(graph)
    if not flat:
        return operands
    out = operands[:1]
    for one, operand in zip(graph.data, operands[1:], strict=True):
        rows = one.type.shape[:1] if isinstance(one.type, Tensor) else ()
        out.append((*rows, *operand[flat:]) if isinstance(operand, tuple) else operand)
    return out


def chosen(graph: Graph, shapes: Mapping[str, SymType], cases: SymType) -> SymType:
    """What a choice gives: what the first case gives, by rows as what chooses has them."""
    flat, first = laid_out(graph), cases[0]
    chooser = shapes[graph.inputs[0].name]
    if not isinstance(first, tuple) or not isinstance(chooser, tuple):
        raise TypeError("a choice among other things than tensors")
    return (*chooser[:flat], *first[1:]) if flat else first


def likeness(graph: Graph) -> object:
    """What instances of one class have in common, apart from their cases."""
    if graph.routing is None:
        return None
    by, aliases = graph.inputs[0].type, tuple(map(may_alias, graph.nodes))
    dtype = by.dtype if isinstance(by, Tensor) else ""
    return (rank(graph.type), dtype == "bool", any(aliases), asks(graph))


def lead(graph: Graph) -> int:
    by = graph.inputs[0].type
    return graph.routing.lead(by) if graph.routing is not None and isinstance(by, Tensor) else 0


def rank(type_: Type) -> int:
    return len(type_.shape) if isinstance(type_, Tensor) else 0


def may_alias(case: Node) -> bool:
    """Whether what a case gives may share memory with what it is given."""
    if isinstance(case.call, Graph):
        return inplace.hands_on(case.call)
    return case.call is not None and bool(case.call.aliases or case.call.overwrites)


def asks(graph: Graph) -> bool:
    return any(
        asks(node.call)
        if isinstance(node.call, Graph)
        else isinstance(node.call, Op) and node.call.name in _ASKING
        for node in graph.nodes
    )


def prefix(graph: Graph, position: int) -> str:
    """What the sizes of one of several inputs are called after."""
    if graph.routing is None:
        return graph.inputs[position].name
    if position == 0:
        return variables(graph)[0]
    return "in" if len(graph.data) == 1 else identifier(graph.inputs[position].name)
