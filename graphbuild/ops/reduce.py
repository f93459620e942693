"""Functions that gather many numbers into few, and what is measured between two tensors."""

from __future__ import annotations

from typing import Any

from graphbuild.ops.base import Args, DtypeError, Op, Shape, ShapeError
from graphbuild.ops.build import function, layer
from graphbuild.ops.dtypes import KIND, floated, promote
from graphbuild.ops.rules import broadcast, index, indices, need_at_least


def _over(args: Args, x: Shape) -> Shape:
    dims = indices(args.dim, len(x)) if x else indices(args.dim, 1) and ()
    keep = getattr(args, "keepdim", False)
    return tuple(1 if i in dims else n for i, n in enumerate(x) if keep or i not in dims)


def _over_given(args: Args, x: Shape) -> Shape:
    if args.keepdim and args.dim is None:
        raise ShapeError("keepdim needs dim")
    return _over(args, x)


def _along(args: Args, x: Shape) -> Shape:
    index(args.dim, max(len(x), 1))
    return x


def _matrix(args: Args, x: Shape) -> Shape:
    need_at_least(x, 2)
    return x


def _classes(args: Args, x: Shape) -> Shape:
    if args.num_classes < 1:
        raise ShapeError("needs num_classes, 1 or more")
    return (*x, args.num_classes)


def _similar(args: Args, a: Shape, b: Shape) -> Shape:
    out = broadcast(a, b)
    dim = index(args.dim, max(len(out), 1))
    return (*out[:dim], *out[dim + 1 :])


def _distance(args: Args, a: Shape, b: Shape) -> Shape:
    out = broadcast(a, b)
    return (*out[:-1], 1) if args.keepdim and out else out[:-1]


def _summed(args: Args, x: str) -> str:
    return x if KIND[x] == "float" else "int64"


def _int64(args: Args, x: str) -> str:
    if x == "bool":
        raise DtypeError("does not take bool")
    return "int64"


def _bool(args: Args, x: str) -> str:
    return "uint8" if x == "uint8" else "bool"


def _one_hot(args: Args, x: str) -> str:
    if x != "int64":
        raise DtypeError(f"takes int64, but its input is {x}")
    return "int64"


def _both(args: Args, a: str, b: str) -> str:
    return promote(a, b)


_ANY: dict[str, Any] = {"accepts": ("any",)}
_RESULT: dict[str, Any] = {"saves_output": True}
_PAIR: dict[str, Any] = {"operands": ("x1", "x2"), "dtype": _both}
_COSINE = "The cosine of the angle between two tensors along a dimension."
_APART = "The norm of the difference of two tensors along the last dimension."

OPS: list[Op] = [
    function("mean", "torch.mean", _over_given, "The mean, over all dimensions or the given ones."),
    function(
        "sum",
        "torch.sum",
        _over_given,
        "The sum, over all dimensions or the given ones.",
        dtype=_summed,
        **_ANY,
    ),
    function(
        "prod",
        "torch.prod",
        _over,
        "The product over a dimension.",
        dtype=_summed,
        **_ANY,
        **_RESULT,
    ),
    function("std", "torch.std", _over, "The standard deviation.", **_RESULT),
    function("var", "torch.var", _over, "The variance."),
    function("norm", "torch.linalg.vector_norm", _over, "The norm of order `ord`.", **_RESULT),
    function("amax", "torch.amax", _over, "The largest number.", **_ANY, **_RESULT),
    function("amin", "torch.amin", _over, "The smallest number.", **_ANY, **_RESULT),
    function(
        "argmax", "torch.argmax", _over, "The position of the largest number.", dtype=_int64, **_ANY
    ),
    function(
        "argmin",
        "torch.argmin",
        _over,
        "The position of the smallest number.",
        dtype=_int64,
        **_ANY,
    ),
    function(
        "logsumexp", "torch.logsumexp", _over, "log(sum(exp(x))).", dtype=floated, **_ANY, **_RESULT
    ),
    function("any", "torch.any", _over, "Whether any number is not 0.", dtype=_bool, **_ANY),
    function("all", "torch.all", _over, "Whether no number is 0.", dtype=_bool, **_ANY),
    function(
        "cumsum",
        "torch.cumsum",
        _along,
        "The running sum along a dimension.",
        dtype=_summed,
        **_ANY,
    ),
    function(
        "cumprod",
        "torch.cumprod",
        _along,
        "The running product along a dimension.",
        dtype=_summed,
        **_ANY,
        **_RESULT,
    ),
    function("normalize", "F.normalize", _along, "Divides by the norm along a dimension."),
    function("triu", "torch.triu", _matrix, "A matrix with zeros below a diagonal.", **_ANY),
    function("tril", "torch.tril", _matrix, "A matrix with zeros above a diagonal.", **_ANY),
    function(
        "one_hot",
        "F.one_hot",
        _classes,
        "A 1 at each index, zeros elsewhere.",
        accepts=("int",),
        dtype=_one_hot,
        positional=1,
    ),
    function("cosine_similarity", "F.cosine_similarity", _similar, _COSINE, **_PAIR),
    layer("CosineSimilarity", _similar, _COSINE, **_PAIR),
    function("pairwise_distance", "F.pairwise_distance", _distance, _APART, **_PAIR, **_RESULT),
    layer("PairwiseDistance", _distance, _APART, **_PAIR, **_RESULT),
]
