"""Linear layers and matrix products."""

from __future__ import annotations

from graphbuild.ops.base import Args, Op, Shape, ShapeError, Shapes
from graphbuild.ops.build import function, layer, operator
from graphbuild.ops.dtypes import promote
from graphbuild.ops.dtypes import same as same_dtype
from graphbuild.ops.rules import (
    agree,
    broadcast,
    infer_last,
    need_at_least,
    need_rank,
    product,
    same,
    show,
)


def _linear(args: Args, x: Shape) -> Shape:
    need_at_least(x, 1)
    agree(args, "in_features", x[-1], "the last dimension of the input")
    return (*x[:-1], args.out_features)


def _linear_parameters(args: Args) -> dict[str, Shape]:
    out: dict[str, Shape] = {"weight": (args.out_features, args.in_features)}
    if args.bias:
        out["bias"] = (args.out_features,)
    return out


def _linear_macs(args: Args, shapes: Shapes, output: Shape) -> int:
    return product((*shapes[0], args.out_features))


def _bilinear(args: Args, a: Shape, b: Shape) -> Shape:
    need_at_least(a, 1)
    need_at_least(b, 1)
    if len(a) != len(b):
        raise ShapeError(f"takes two inputs of as many dimensions, found {show(a)} and {show(b)}")
    for i, (one, other) in enumerate(zip(a[:-1], b[:-1], strict=True)):
        if one != other:
            raise ShapeError(f"sizes differ in dimension {i} ({one} and {other})", mismatch=i)
    agree(args, "in1_features", a[-1], "the last dimension of the first input")
    agree(args, "in2_features", b[-1], "the last dimension of the second input")
    return (*a[:-1], args.out_features)


def _bilinear_parameters(args: Args) -> dict[str, Shape]:
    out: dict[str, Shape] = {"weight": (args.out_features, args.in1_features, args.in2_features)}
    if args.bias:
        out["bias"] = (args.out_features,)
    return out


def matmul(args: Args, a: Shape, b: Shape) -> Shape:
    """A matrix product; batches in front are stretched to each other."""
    need_at_least(a, 1)
    need_at_least(b, 1)
    inner = b[0] if len(b) == 1 else b[-2]
    if a[-1] != inner:
        raise ShapeError(
            f"the last dimension of the first operand ({a[-1]}) must equal the "
            f"{'only' if len(b) == 1 else 'second to last'} one of the second ({inner})"
        )
    batch = broadcast(a[:-2], b[:-2])
    return (*batch, *a[-2:-1], *b[-1:]) if len(b) > 1 else (*batch, *a[-2:-1])


def _matmul_macs(args: Args, shapes: Shapes, output: Shape) -> int:
    return product(output) * shapes[0][-1]


def _linear_of(args: Args, x: Shape, weight: Shape, bias: Shape | None = None) -> Shape:
    """A linear layer whose matrix is an operand."""
    need_at_least(x, 1)
    need_rank(weight, 1, 2, like="outputs×inputs")
    if x[-1] != weight[-1]:
        raise ShapeError(
            f"the last dimension of the input ({x[-1]}) must equal that of the weight ({weight[-1]})"
        )
    out = (*x[:-1], *weight[:-1])
    if bias is not None and bias not in (weight[:-1], ()):
        raise ShapeError(f"takes a bias of {show(weight[:-1])}, found {show(bias)}")
    return out


def _outer(args: Args, a: Shape, b: Shape) -> Shape:
    need_rank(a, 1)
    need_rank(b, 1)
    return (*a, *b)


def _dot(args: Args, a: Shape, b: Shape) -> Shape:
    need_rank(a, 1)
    need_rank(b, 1)
    if a != b:
        raise ShapeError(f"sizes differ in dimension 0 ({a[0]} and {b[0]})", mismatch=0)
    return ()


def _cdist(args: Args, a: Shape, b: Shape) -> Shape:
    need_at_least(a, 2)
    need_at_least(b, 2)
    if a[-1] != b[-1]:
        raise ShapeError(f"the operands differ in their last dimension ({a[-1]} and {b[-1]})")
    return (*broadcast(a[:-2], b[:-2]), a[-2], b[-2])


def _bmm(args: Args, a: Shape, b: Shape) -> Shape:
    need_rank(a, 3)
    need_rank(b, 3)
    if a[0] != b[0]:
        raise ShapeError(f"sizes differ in dimension 0 ({a[0]} and {b[0]})", mismatch=0)
    return matmul(args, a, b)


OPS: list[Op] = [
    layer(
        "Linear",
        _linear,
        "A matrix product with the last dimension, and a bias.",
        infer={"in_features": infer_last},
        parameters=_linear_parameters,
        macs=_linear_macs,
        positional=2,
    ),
    layer(
        "Bilinear",
        _bilinear,
        "A product of two inputs through one matrix per output feature.",
        operands=("input1", "input2"),
        infer={
            "in1_features": infer_last,
            "in2_features": lambda args, shapes: infer_last(args, shapes[1:]),
        },
        parameters=_bilinear_parameters,
        dtype=same_dtype(),
        positional=3,
    ),
    layer("Identity", same, "Hands on its input.", accepts=("any",), aliases=True),
    operator(
        "matmul",
        "@",
        matmul,
        "The matrix product of the last two dimensions.",
        operands=("input", "other"),
        macs=_matmul_macs,
        accepts=("float int",),
        dtype=same_dtype(),
    ),
    function(
        "bmm",
        "torch.bmm",
        _bmm,
        "The matrix products of two batches of matrices.",
        operands=("input", "mat2"),
        macs=_matmul_macs,
        accepts=("float int",),
        dtype=same_dtype(),
    ),
    function(
        "linear",
        "F.linear",
        _linear_of,
        "A linear layer with a given matrix and bias.",
        operands=("input", "weight", "bias"),
        optional=1,
        macs=lambda args, shapes, output: product((*output, shapes[1][-1])),
        accepts=("float int",),
        dtype=same_dtype(),
    ),
    function(
        "outer",
        "torch.outer",
        _outer,
        "The products of all pairs of numbers of two vectors.",
        operands=("input", "vec2"),
        accepts=("any",),
        dtype=lambda args, a, b: promote(a, b),
    ),
    function(
        "dot",
        "torch.dot",
        _dot,
        "The sum of the products of two vectors' numbers.",
        operands=("input", "tensor"),
        accepts=("float int",),
        dtype=same_dtype(),
    ),
    function(
        "cdist",
        "torch.cdist",
        _cdist,
        "The distances of all pairs of rows.",
        operands=("x1", "x2"),
        dtype=same_dtype(),
        saves_output=True,
    ),
]
