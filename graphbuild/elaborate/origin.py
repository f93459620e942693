"""Where a size comes from: the layer whose argument says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphbuild.ir import Edge, Graph, Node, Tensor
from graphbuild.ops.base import Op

if TYPE_CHECKING:
    from graphbuild.elaborate.scope import Scope

_ARGUMENTS = ("out_channels", "out_features")


def origin(scope: Scope, edge: Edge, dimension: int, size: int) -> tuple[str, str] | None:
    """The path (within the scope) of the layer that set a dimension, and which argument did."""
    made = {node.name: node for item in scope.items for node in item.made}
    found, _ = _follow(made, edge, dimension, size, "")
    return found


def _follow(
    nodes: dict[str, Node], edge: Edge, dimension: int, size: int, prefix: str
) -> tuple[tuple[str, str] | None, bool]:
    """What was found, and else whether the value is the scope's input, handed through."""
    while True:
        node = nodes.get(edge.source)
        if node is None:
            return None, not prefix or not edge.select
        if isinstance(node.call, Op):
            for name in _ARGUMENTS:
                arg = node.args.get(name)
                if arg is not None and arg.value == size and not node.synthetic:
                    return (prefix + node.name, name), False
            if len(node.operands) != 1 or not _keeps(node, nodes, dimension, size):
                return None, False
        elif isinstance(node.call, Graph):
            if edge.select or node.call.form != "single" or node.call.routing is not None:
                return None, False
            inner = node.call.outputs[0].edge
            inside = f"{prefix}{node.name}."
            found, through = _follow(dict(node.call.by_name), inner, dimension, size, inside)
            if found is not None or not through or len(node.operands) != 1:
                return found, False
        edge = node.operands[0]


def _keeps(node: Node, nodes: dict[str, Node], dimension: int, size: int) -> bool:
    """Whether a node hands the size in a dimension on from its operand."""
    before = nodes.get(node.operands[0].source)
    if before is None:
        return True
    type_ = before.type
    return (
        isinstance(type_, Tensor)
        and len(type_.shape) > dimension
        and type_.shape[dimension] == size
    )
