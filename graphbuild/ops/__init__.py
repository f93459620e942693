"""The registry of ops: one row per layer and function that a spec can name.

    op = get("Conv2d")
    args, problems = check_args(op, {"out_channels": 8, "kernel_size": 3})

`result_dtype(op, args, dtypes)` checks what dtypes an op takes and says which one comes out.
"""

from __future__ import annotations

from graphbuild.ops import (
    activation,
    arithmetic,
    attention,
    conv,
    convert,
    einsum,
    embedding,
    factories,
    linear,
    lookup,
    loss,
    norm,
    padding,
    parts,
    pool,
    rearrange,
    recurrent,
    reduce,
    resize,
    shapes,
    tensors,
    transformer,
    vision,
)
from graphbuild.ops.attributes import attributes
from graphbuild.ops.base import Op
from graphbuild.ops.dtypes import result as result_dtype
from graphbuild.ops.meta import completed
from graphbuild.ops.parts import index_source
from graphbuild.ops.types import ArgProblem, check_args

__all__ = [
    "OTHER_ARGUMENTS",
    "OTHER_NAMES",
    "ArgProblem",
    "Op",
    "attributes",
    "check_args",
    "get",
    "index_source",
    "names",
    "register",
    "result_dtype",
]

_TABLES = (
    conv, pool, norm, activation, linear, embedding, recurrent, attention, transformer, resize,
    padding, loss, vision, parts, shapes, rearrange, convert, arithmetic, reduce, einsum, lookup,
    factories, tensors,
)  # fmt: skip
# What torch calls some of them as well; people who know torch try these, and spelling does not tell.
OTHER_NAMES = {
    "BatchNorm": "BatchNorm2d", "Conv": "Conv2d", "Dense": "Linear", "MaxPool": "MaxPool2d",
    "divide": "div", "hstack": "concat", "mm": "matmul", "multiply": "mul", "subtract": "sub",
    "swapaxes": "transpose", "swish": "silu", "view": "reshape",
}  # fmt: skip
OTHER_ARGUMENTS = {  # what other frameworks call arguments
    "axis": "dim", "keepdims": "keepdim", "rate": "p", "units": "out_features",
    "filters": "out_channels", "strides": "stride", "epsilon": "eps", "pool_size": "kernel_size",
}  # fmt: skip
_OPS: dict[str, Op] = {op.name: op for table in _TABLES for op in table.OPS}


HINTS = {"Sequential": "layers one after the other are a group: nodes: [...] in place of op"}


def ours(name: str) -> str:
    """What an op of other libraries is called here, or the name itself."""
    plain = name.removeprefix("torch.").removeprefix("nn.").removeprefix("functional.")
    return OTHER_NAMES.get(plain, plain)


def get(name: str) -> Op | None:
    """The op of that name."""
    return _OPS.get(name)


def names() -> list[str]:
    """The names of all ops, layers first."""
    return sorted(_OPS)


def register(op: Op) -> None:
    """Add an op of one's own. A name that is taken is refused.

    An op without a shape rule is run on torch's meta device wherever its shape is asked for.
    """
    if op.name in _OPS:
        raise ValueError(f"there is an op {op.name!r} already")
    if not op.name.isidentifier():
        raise ValueError(f"not a name for an op: {op.name!r}")
    _OPS[op.name] = completed(op)
