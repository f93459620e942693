"""What decides how a raw parameter or buffer is written."""

from __future__ import annotations

from graphbuild.elaborate.initialisers import of_parameter
from graphbuild.ir import Initializer, Node, Tensor
from graphbuild.ops.base import Op

FILLS = {"zeros": "torch.zeros", "ones": "torch.ones", "constant": "torch.full"}


def is_own(node: Node | None) -> bool:
    """Whether a node is a tensor that the module itself keeps."""
    return node is not None and isinstance(node.call, Op) and node.call.own


def given(node: Node, name: str) -> bool:
    """Whether an argument is there, and not null."""
    arg = node.args.get(name)
    return arg is not None and arg.value is not None


def initializer(node: Node) -> Initializer:
    return of_parameter(node.args["init"]) if given(node, "init") else Initializer("zeros", {})


def made(node: Node) -> tuple[object, ...]:
    """How it is made; instances of a block that differ in this are classes of their own."""
    ways = [name for name in ("shape", "value") if given(node, name)]
    init = initializer(node)
    dtype = node.type.dtype if isinstance(node.type, Tensor) else ""
    return (*ways, init.name, *init.args, dtype)
