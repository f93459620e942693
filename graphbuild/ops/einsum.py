"""`einsum`: products of tensors and sums over them, by an equation such as `bij,bjk->bik`."""

from __future__ import annotations

import re
from typing import Any

from graphbuild.ops.base import Args, Argument, Op, Shape, ShapeError, Shapes
from graphbuild.ops.dtypes import same as same_dtype
from graphbuild.ops.rules import broadcast, product, show
from graphbuild.ops.writing import before

_TERM = re.compile(r"[A-Za-z]*(\.\.\.)?[A-Za-z]*\Z")
_ELLIPSIS = "..."
Labels = list[str]  # letters, and `...` for all dimensions that no letter names


def _labels(term: str) -> Labels:
    if not _TERM.match(term):
        raise ShapeError(
            f"the equation holds {term!r}, where letters are wanted, with one '...' at most"
        )
    return re.findall(r"\.\.\.|[A-Za-z]", term)


def _read(equation: str, count: int) -> tuple[list[Labels], Labels]:
    """The labels of each operand, and those of the output."""
    sides = equation.replace(" ", "").split("->")
    if len(sides) > 2:
        raise ShapeError("the equation has more than one '->'")
    terms = [_labels(term) for term in sides[0].split(",")]
    if len(terms) != count:
        raise ShapeError(f"the equation names {len(terms)} operands, found {count}")
    every = [label for term in terms for label in term]
    if len(sides) == 1:  # then what stands once stays, in alphabetical order
        rest = sorted({label for label in every if label != _ELLIPSIS and every.count(label) == 1})
        return terms, [*([_ELLIPSIS] if _ELLIPSIS in every else []), *rest]
    output = _labels(sides[1])
    for label in output:
        if output.count(label) > 1:
            raise ShapeError(f"the output of the equation names {label!r} twice")
        if label != _ELLIPSIS and label not in every:
            raise ShapeError(f"no operand of the equation has the output's {label!r}")
    return terms, output


def _sizes(args: Args, shapes: Shapes) -> tuple[list[Labels], Labels, dict[str, int], Shape]:
    """The equation with the size of each letter, and the sizes that `...` stands for."""
    terms, output = _read(args.equation, len(shapes))
    known: dict[str, int] = {}
    batches: list[Shape] = []
    for position, (term, shape) in enumerate(zip(terms, shapes, strict=True), 1):
        rank = len(term) - (_ELLIPSIS in term)
        if len(shape) < rank or (len(shape) > rank and _ELLIPSIS not in term):
            raise ShapeError(
                f"operand {position} is {''.join(term) or 'a scalar'} in the equation, "
                f"but has {len(shape)} dimensions: {show(shape)}"
            )
        at = term.index(_ELLIPSIS) if _ELLIPSIS in term else rank
        wide = len(shape) - rank
        batches.append(shape[at : at + wide])
        own: dict[str, int] = {}
        letters = [label for label in term if label != _ELLIPSIS]
        for label, size in zip(letters, (*shape[:at], *shape[at + wide :]), strict=True):
            if own.setdefault(label, size) != size:
                raise ShapeError(f"{label!r} is {own[label]} and {size} in operand {position}")
        for label, size in own.items():
            if known.get(label, 1) == 1:
                known[label] = size
            elif size not in (1, known[label]):
                raise ShapeError(f"{label!r} is {known[label]} and {size} in the equation")
    return terms, output, known, broadcast(*batches)


def _shape(args: Args, *shapes: Shape) -> Shape:
    _, output, known, batch = _sizes(args, shapes)
    out: list[int] = []
    for label in output:
        out += batch if label == _ELLIPSIS else (known[label],)
    return tuple(out)


def _macs(args: Args, shapes: Shapes, output: Shape) -> Any:
    """From left to right; a product without a sum counts nothing, as elsewhere."""
    terms, out, known, batch = _sizes(args, shapes)
    sizes = {**known, _ELLIPSIS: product(batch)}
    laters = [set(out)]  # what the output and the operands behind each one still read
    for term in terms[:1:-1]:
        laters.append(laters[-1] | set(term))
    left, total = set(terms[0]), 0
    for term in terms[1:]:
        right, later = set(term), laters.pop()
        summed = (left & right) - later
        kept = (left | right) & later
        if summed:
            total += product([sizes[label] for label in sorted(kept | summed)])
        left = kept
    return total


OPS = [
    Op(
        "einsum",
        "torch.einsum",
        (Argument("equation", "Equation"),),
        _shape,
        "Products and sums by an equation such as 'bij,bjk->bik'.",
        operands=("operands",),
        variadic=True,
        write=before("torch.einsum", "equation"),
        accepts=("float int",),
        dtype=same_dtype(),
        macs=_macs,
        aliases=True,  # of a single operand it may be a view
    )
]
