"""Dtypes: their kinds, what an op accepts, and what comes out of two different ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphbuild.ops.base import Args, DtypeError, Op

# Smallest first: of two dtypes of one kind the later one holds both (uint8 aside, see `promote`).
_KINDS = {
    "bool": ("bool",),
    "int": ("uint8", "int8", "int16", "int32", "int64"),
    "float": ("float16", "bfloat16", "float32", "float64"),
}
KIND = {dtype: kind for kind, dtypes in _KINDS.items() for dtype in dtypes}
_RANK = {dtype: rank for rank, dtype in enumerate(KIND)}


def promote(*dtypes: str) -> str:
    """The dtype that torch computes in when tensors of these dtypes meet.

    >>> promote("int64", "float16")
    'float16'
    """
    out = dtypes[0]
    for dtype in dtypes[1:]:
        pair = {out, dtype}
        if pair == {"float16", "bfloat16"}:
            out = "float32"
        elif pair == {"uint8", "int8"}:
            out = "int16"
        else:
            out = max(pair, key=_RANK.__getitem__)
    return out


def with_number(dtype: str, *numbers: object) -> str:
    """The dtype of a tensor that has met plain numbers: only a higher kind of number changes it."""
    for number in numbers:
        if isinstance(number, float) and KIND[dtype] != "float":
            dtype = "float32"
        elif isinstance(number, int) and not isinstance(number, bool) and dtype == "bool":
            dtype = "int64"
    return dtype


def floated(args: Args, x: str) -> str:
    """A dtype rule: whole numbers become float32."""
    return x if KIND[x] == "float" else "float32"


def same(what: str = "operands") -> Any:
    """A dtype rule: all operands have one dtype, and so has the output."""

    def rule(args: Args, *dtypes: str | None) -> str:
        given = [dtype for dtype in dtypes if dtype is not None]  # an operand may be left out
        if len(set(given)) > 1:
            raise DtypeError(f"its {what} differ in dtype: {', '.join(dict.fromkeys(given))}")
        return given[0]

    return rule


def result(op: Op, args: Args, dtypes: Sequence[str]) -> Any:
    """The dtype of the op's output (a list of them where it has several outputs).

    Raises `DtypeError` where the op does not take an operand's dtype.
    """
    for position, dtype in enumerate(dtypes):
        accepted = op.accepts[min(position, len(op.accepts) - 1)]
        if accepted != "any" and KIND.get(dtype) not in accepted.split():
            names = " or ".join(accepted.split())
            which = "input" if len(dtypes) == 1 else f"operand {position + 1}"
            raise DtypeError(f"takes {names}, but its {which} is {dtype}")
    if op.dtype is not None:
        return op.dtype(args, *dtypes)
    return dtypes[0] if dtypes else "float32"
