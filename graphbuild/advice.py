"""Warnings about graphs that run, but hardly do what was meant: W304 and W305.

Each distinct graph is looked at once. A value is followed through groups and blocks: down to the
layer that gives it, and down to the layer that takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from graphbuild.errors import Finding, Note, Span
from graphbuild.ir import Edge, Graph, Node
from graphbuild.ops.base import MISSING, Op

_FEW = 10  # nodes between a dropout and the layer in front of it
Taker = tuple[Node, int] | None  # the one node that takes a value, and as which operand


def findings(graph: Graph) -> Iterator[Finding]:
    """What to say about a whole spec."""
    yield from _dropouts(graph)
    yield from _biases(graph)


# -- dropout on an output -----------------------------------------------------------------------


def _dropouts(root: Graph) -> Iterator[Finding]:
    seen: set[object] = set()
    for output in root.outputs:
        found = _giver(root, output.edge, seen)
        if found is None or not _drops(found[1]):
            continue
        graph, node = found
        layer = _layer(graph, node)
        place = f"{layer.name!r}" if layer is not None else "the last layer"
        yield Finding(
            "W304",
            f"what {_name(node)} node {node.name!r} gives is an output",
            node.span,
            expected="an output that training leaves as it is: a dropout with p: 0, or none",
            found=f"p: {_argument(node, 'p')}, the share that is set to zero at random",
            notes=() if layer is None else (Note(f"{layer.name} is the last layer", layer.span),),
            suggestion=f"put it in front of {place}, or leave it out",
        )


def _layer(graph: Graph, node: Node | None) -> Node | None:
    """The last layer with parameters in front of a node, in the same scope."""
    for _ in range(_FEW):
        node = graph.by_name.get(node.operands[0].source) if node and node.operands else None
        if node is None or isinstance(node.call, Graph):
            return None
        if node.call is not None and node.call.parameters is not None:
            return node
    return None


def _drops(node: Node) -> bool:
    return "dropout" in _name(node).lower() and _argument(node, "p") != 0


# -- a bias that a norm takes away again --------------------------------------------------------


def _biases(root: Graph) -> Iterator[Finding]:
    """A layer with a bias, all calls of which go to a batch norm and nowhere else."""
    known: dict[int, dict[str, Taker]] = {}
    followed: dict[Span, tuple[Node, Node]] = {}

    def takers_of(graph: Graph) -> dict[str, Taker]:
        if id(graph) not in known:
            known[id(graph)] = _takers(graph)
        return known[id(graph)]

    needed: set[Span | None] = set()
    for graph in _graphs(root):
        layers = [(node, layer) for node in graph.nodes if (layer := _biased(graph, node))]
        if not layers:
            continue
        takers = takers_of(graph)
        owners = {node.shared for node in graph.nodes if node.shared}
        for node, layer in layers:
            if layer.span is None:
                continue
            if node.name not in takers and graph is not root:
                continue  # an output, which callers look at
            norm = _taken(takers.get(node.name), takers_of)
            if norm is None or node.shared or node.name in owners or node.times is not None:
                needed.add(layer.span)
            else:
                followed.setdefault(layer.span, (layer, norm))
    for span, (layer, norm) in followed.items():
        if span not in needed:
            yield Finding(
                "W305",
                f"{_name(layer)} node {layer.name!r} has a bias, which the norm behind it removes",
                span,
                notes=(Note(f"{norm.name} subtracts the mean of each channel", norm.span),),
                suggestion="write bias: false, or bias: true where it is meant",
            )


def _graphs(root: Graph) -> Iterator[Graph]:
    """Every distinct graph, callers before what they call."""
    seen = {id(root)}
    stack = [root]
    while stack:
        graph = stack.pop()
        yield graph
        for node in graph.nodes:
            if isinstance(node.call, Graph) and id(node.call) not in seen:
                seen.add(id(node.call))
                stack.append(node.call)


def _takers(graph: Graph) -> dict[str, Taker]:
    """Who takes each value: None where that is not one node alone."""
    found: dict[str, Taker] = {}
    for node in graph.nodes:
        for position, edge in enumerate(node.operands):
            one = edge.source not in found and not edge.select
            found[edge.source] = (node, position) if one else None
    for output in graph.outputs:
        if output.edge.source in found:
            found[output.edge.source] = None
    return found


def _taken(taker: Taker, takers_of: Callable[[Graph], dict[str, Taker]]) -> Node | None:
    """The batch norm that a value goes to, and to nothing else."""
    while taker is not None:
        node, position = taker
        if node.call is None or (isinstance(node.call, Op) and node.times is not None):
            return None
        if isinstance(node.call, Op):
            return node if node.call.name.startswith("BatchNorm") else None
        if node.call.routing is not None:
            return None
        taker = takers_of(node.call).get(node.call.inputs[position].name)
    return None


def _biased(graph: Graph, node: Node) -> Node | None:
    """The layer that a node's value comes from, if it has a bias because nothing was said.

    `bias: true` means that it is wanted.
    """
    layer: Node | None = node
    if isinstance(node.call, Graph):
        found = _giver(graph, Edge(node.name))
        layer = found[1] if found is not None else None
    if layer is None or not isinstance(layer.call, Op) or "bias" in layer.args:
        return None
    name = layer.call.name
    linear = name == "Linear" or name.startswith("Conv")
    return layer if linear and layer.call.argument("bias") is not None else None


# -- both ---------------------------------------------------------------------------------------


def _giver(graph: Graph, edge: Edge, seen: set[object] | None = None) -> tuple[Graph, Node] | None:
    """The call of an op that a value comes from, and its scope; None where that is no one thing.

    With `seen`, views of a value are looked through, and what was looked at before gives None.
    """
    while True:
        if seen is not None:
            here = (id(graph), edge.source, edge.select)
            if here in seen:
                return None
            seen.add(here)
        node = graph.by_name.get(edge.source)
        if node is None:
            return None
        if isinstance(node.call, Graph):
            outputs, select = node.call.outputs, edge.select
            if node.call.form != "single":
                if not select:
                    return None
                outputs, select = outputs[select[0] : select[0] + 1], select[1:]
            if node.call.routing is not None or len(outputs) != 1 or select:
                return None
            graph, edge = node.call, outputs[0].edge
        elif seen is not None and (
            node.call is None or (node.call.aliases is True and not _drops(node))
        ):
            edge = node.operands[0]
        else:
            return (graph, node) if node.call is not None else None


def _name(node: Node) -> str:
    return node.call.name if isinstance(node.call, Op) else ""


def _argument(node: Node, name: str) -> object:
    """An argument of an op's call, or its default."""
    if name in node.args:
        return node.args[name].value
    argument = node.call.argument(name) if isinstance(node.call, Op) else None
    return None if argument is None or argument.default is MISSING else argument.default
