"""The part of the verifier that looks at modes: what is there when something takes it."""

from __future__ import annotations

from collections.abc import Iterator

from graphbuild import expr
from graphbuild.ir import Edge, Graph, Node, Type
from graphbuild.modes import both, either, leaves, there
from graphbuild.ops.base import Op


def problems(graph: Graph) -> Iterator[str]:
    """What is wrong with the modes of a scope's nodes."""
    for node in graph.nodes:
        own = "always" if node.when is None else node.when.value
        if own not in ("always", "training", "eval", "never"):
            yield f"node {node.name!r}: no mode: {own!r}"
            continue
        given = [both(*leaves(graph.mode(edge))) for edge in node.operands]
        some = either(*given) if given else "always"
        if node.mode == "never":
            if own != "never" and both(own, some) != "never" and not _unused(graph, node):
                yield f"node {node.name!r}: never there, though it could be"
            continue
        merges = isinstance(node.call, Op) and node.call.variadic
        if not merges and both(node.mode, *given) != node.mode:
            yield f"node {node.name!r}: it takes what is not there"
        # a merge on the edge of a node that has a `when` runs with that node alone
        if not node.synthetic and node.mode != both(own, some):
            yield f"node {node.name!r}: its mode is not what follows from its operands"
        for arg in node.args.values():
            for name in expr.names(arg.expr) if arg.free and arg.expr is not None else ():
                if both(node.mode, *leaves(graph.mode(Edge(name)))) != node.mode:
                    yield f"node {node.name!r}: it reads the shape of what is not there"


def _unused(graph: Graph, node: Node) -> bool:
    """Whether it is a merge on the edge of a node that is never there itself."""
    takers = [n for n in graph.nodes if any(edge.source == node.name for edge in n.operands)]
    return node.synthetic and all(taker.mode == "never" for taker in takers)


def operands(graph: Graph, node: Node, types: list[Type]) -> Iterator[list[Type]]:
    """The operands that a call has in each mode that it runs in."""
    if not isinstance(node.call, Op) or not node.call.variadic:
        yield types
        return
    given = [both(*leaves(graph.mode(edge))) for edge in node.operands]
    for training in (True, False):
        if there(node.mode, training):
            yield [t for t, each in zip(types, given, strict=True) if there(each, training)]


def is_numbered(node: Node) -> bool:
    """Whether a child of a list counts: one that `if` leaves out does not."""
    return not node.synthetic and (node.call is not None or node.mode == "never")
