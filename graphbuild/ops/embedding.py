"""Looking up vectors by index."""

from __future__ import annotations

from typing import Any

from graphbuild.ops.base import Args, DtypeError, Op, Shape, ShapeError
from graphbuild.ops.build import function, layer
from graphbuild.ops.rules import need_rank, show
from graphbuild.ops.writing import keywords


def _is_row(args: Args, rows: int) -> None:
    pad = args.padding_idx
    if pad is not None and not -rows <= pad < rows:
        raise ShapeError(f"padding_idx ({pad}) is not one of the {rows} embeddings")


def _embedding(args: Args, x: Shape) -> Shape:
    _is_row(args, args.num_embeddings)
    return (*x, args.embedding_dim)


def _lookup(args: Args, x: Shape, weight: Shape) -> Shape:
    need_rank(weight, 2, like="rows×features")
    _is_row(args, weight[0])
    return (*x, weight[1])


def _bag(args: Args, x: Shape, offsets: Shape | None = None, weights: Shape | None = None) -> Shape:
    _is_row(args, args.num_embeddings)
    if args.max_norm is not None and args.sparse and args.mode == "max":
        raise ShapeError("mode max does not take sparse")
    need_rank(x, 1, 2, like="indices, or bags×indices")
    if weights is not None:
        if args.mode != "sum":
            raise ShapeError("only mode sum takes per_sample_weights")
        if weights != x:
            raise ShapeError(f"takes per_sample_weights of {show(x)}, found {show(weights)}")
    if args.mode == "max" and (args.sparse or args.scale_grad_by_freq):
        raise ShapeError("mode max takes neither sparse nor scale_grad_by_freq")
    if len(x) == 2:
        if offsets is not None:
            raise ShapeError("takes offsets only for an input of one dimension")
        return (x[0], args.embedding_dim)
    if offsets is None or len(offsets) != 1:
        raise ShapeError("an input of one dimension needs offsets of one dimension")
    last = 1 if args.include_last_offset else 0
    if offsets[0] <= last - 1:
        raise ShapeError("include_last_offset needs at least one offset")
    return (offsets[0] - last if last else offsets[0], args.embedding_dim)


def _dtype(args: Args, x: str, *others: str | None) -> str:
    for dtype in (x, *others[:1]):
        if dtype not in ("int32", "int64", None):
            raise DtypeError(f"takes int32 or int64, but its input is {dtype}")
    if others and others[0] not in (x, None):
        raise DtypeError(f"its input and offsets differ in dtype: {x}, {others[0]}")
    if len(others) > 1 and others[1] not in ("float32", None):
        raise DtypeError(f"takes per_sample_weights of float32, found {others[1]}")
    return "float32"


def _lookup_dtype(args: Args, x: str, weight: str) -> str:
    _dtype(args, x)
    return weight


_TABLE: dict[str, Any] = {
    "parameters": lambda args: {"weight": (args.num_embeddings, args.embedding_dim)},
    "dtype": _dtype,
    "positional": 2,
}

OPS: list[Op] = [
    layer("Embedding", _embedding, "Looks up one vector per index.", accepts=("int",), **_TABLE),
    layer(
        "EmbeddingBag",
        _bag,
        "Looks up vectors, and takes the mean (sum, largest) of each bag of them.",
        operands=("input", "offsets", "per_sample_weights"),
        optional=2,
        wired=keywords("per_sample_weights"),
        accepts=("int", "int", "float"),
        **_TABLE,
    ),
    function(
        "embedding",
        "F.embedding",
        _lookup,
        "Looks up one row of a matrix per index.",
        operands=("input", "weight"),
        accepts=("int", "any"),
        dtype=_lookup_dtype,
    ),
]
