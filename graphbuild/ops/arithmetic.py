"""Arithmetic on tensors and numbers, comparisons, and functions of each number alone."""

from __future__ import annotations

from typing import Any

from graphbuild.ops.base import Args, Argument, DtypeError, Op, Shape, ShapeError
from graphbuild.ops.build import function, operator
from graphbuild.ops.dtypes import KIND, floated, promote, with_number
from graphbuild.ops.rules import broadcast, same

_OTHER = Argument("other", "int | float | None", None)


def _shape(args: Args, *shapes: Shape) -> Shape:
    number = getattr(args, "other", None)
    if len(shapes) == 1 and number is None:
        raise ShapeError("needs a second operand, or a number as the argument 'other'")
    if len(shapes) > 1 and number is not None:
        raise ShapeError("takes a second operand or the argument 'other', not both")
    return broadcast(*shapes)


def _dtype(args: Args, *dtypes: str) -> str:
    return with_number(promote(*dtypes), getattr(args, "other", None))


def _signed(args: Args, *dtypes: str) -> str:
    if "bool" in dtypes:
        raise DtypeError("does not take bool")
    return _dtype(args, *dtypes)


def _divided(args: Args, *dtypes: str) -> str:
    out = _dtype(args, *dtypes)
    return out if KIND[out] == "float" else "float32"


def _bool(args: Args, *dtypes: str) -> str:
    return "bool"


def _two(name: str, source: str, doc: str, dtype: Any = _dtype, **row: Any) -> Op:
    row = {"operands": ("input", "other"), "optional": 1, "accepts": ("any",)} | row
    return operator(name, source, _shape, doc, _OTHER, dtype=dtype, **row)


def _power(args: Args, *shapes: Shape) -> Shape:
    if (len(shapes) == 1) == (args.exponent is None):
        raise ShapeError("needs either a second operand or a number as the argument 'exponent'")
    return broadcast(*shapes)


def _power_dtype(args: Args, *dtypes: str) -> str:
    if set(dtypes) == {"bool"} and (args.exponent is None or isinstance(args.exponent, bool)):
        raise DtypeError("does not take bool")
    out = with_number(promote(*dtypes), args.exponent)
    if KIND[out] == "int" and args.exponent is not None and args.exponent < 0:
        raise DtypeError("does not take integers to a negative power")
    return out


def _clamp(args: Args, x: Shape) -> Shape:
    if args.min is None and args.max is None:
        raise ShapeError("needs min or max, or both")
    return x


def _where(args: Args, condition: Shape, a: Shape, b: Shape | None = None) -> Shape:
    if (b is None) == (args.other is None):
        raise ShapeError("needs either a third operand or a number as the argument 'other'")
    return broadcast(condition, a) if b is None else broadcast(condition, a, b)


def _where_dtype(args: Args, condition: str, a: str, b: str | None = None) -> str:
    return with_number(a, args.other) if b is None else promote(a, b)


def _masked(args: Args, x: Shape, mask: Shape) -> Shape:
    return broadcast(x, mask)


# name, whether its backward reads its output, whether integers stay integers, what it computes
_EACH = (
    ("exp", True, False, "The exponential function."),
    ("expm1", True, False, "exp(x) - 1."),
    ("log", False, False, "The natural logarithm."),
    ("log1p", False, False, "log(1 + x)."),
    ("log2", False, False, "The logarithm to base 2."),
    ("sqrt", True, False, "The square root."),
    ("rsqrt", True, False, "1 over the square root."),
    ("reciprocal", True, False, "1 / x."),
    ("sin", False, False, "The sine."),
    ("cos", False, False, "The cosine."),
    ("tan", True, False, "The tangent."),
    ("atan", False, False, "The inverse tangent."),
    ("erf", False, False, "The error function."),
    ("square", False, True, "x * x."),
    ("abs", False, True, "The absolute value."),
    ("neg", False, True, "-x."),
    ("sign", False, True, "-1, 0 or 1."),
    ("floor", False, True, "The next integer below."),
    ("ceil", False, True, "The next integer above."),
    ("round", False, True, "The nearest integer; halves go to the even one."),
)


def _each(name: str, saves: bool, keeps: bool, doc: str) -> Op:
    dtype = None if keeps else floated
    accepts = ("float int",) if keeps else ("any",)
    return function(
        name, f"torch.{name}", same, doc, saves_output=saves, dtype=dtype, accepts=accepts
    )


_COMPARISONS = (
    ("eq", "==", "equal to"),
    ("ne", "!=", "not equal to"),
    ("lt", "<", "less than"),
    ("le", "<=", "at most"),
    ("gt", ">", "greater than"),
    ("ge", ">=", "at least"),
)
_TEST: dict[str, Any] = {"accepts": ("any",), "dtype": _bool}
_PAIR: dict[str, Any] = {"operands": ("input", "other"), "accepts": ("any",), "dtype": _dtype}

OPS: list[Op] = [
    _two(
        "add",
        "+",
        "The sum of any number of tensors, or of a tensor and a number.",
        variadic=True,
        passes=True,
    ),
    _two("sub", "-", "The difference of two tensors, or of a tensor and a number.", _signed),
    _two(
        "mul",
        "*",
        "The product of any number of tensors, or of a tensor and a number.",
        variadic=True,
        passes=True,
    ),
    _two("div", "/", "The quotient of two tensors, or of a tensor and a number.", _divided),
    *(
        _two(name, sign, f"Whether each number is {word} the other's, or a given number.", _bool)
        for name, sign, word in _COMPARISONS
    ),
    operator(
        "pow",
        "**",
        _power,
        "Each number to the power of another's, or of a given exponent.",
        Argument("exponent", "int | float | None", None),
        operands=("input", "exponent"),
        optional=1,
        accepts=("any",),
        dtype=_power_dtype,
        saves_output=True,
    ),
    *(_each(*row) for row in _EACH),
    function("logical_not", "torch.logical_not", same, "Whether a number is 0.", **_TEST),
    *(
        function(
            f"logical_{name}",
            f"torch.logical_{name}",
            _shape,
            f"Whether {doc}.",
            operands=("input", "other"),
            **_TEST,
        )
        for name, doc in (
            ("and", "neither of two numbers is 0"),
            ("or", "one of two numbers is not 0"),
            ("xor", "just one of two numbers is 0"),
        )
    ),
    *(
        function(name, f"torch.{name}", same, f"Whether a number is {word}.", **_TEST)
        for name, word in (("isnan", "none"), ("isinf", "infinite"), ("isfinite", "finite"))
    ),
    function("maximum", "torch.maximum", _shape, "The larger of two numbers.", **_PAIR),
    function("minimum", "torch.minimum", _shape, "The smaller of two numbers.", **_PAIR),
    function(
        "clamp",
        "torch.clamp",
        _clamp,
        "Each number, but at least min and at most max.",
        accepts=("float int",),
        dtype=lambda args, x: with_number(x, args.min, args.max),
    ),
    function(
        "where",
        "torch.where",
        _where,
        "The first input where the condition holds, else the second, or a given number.",
        defaults={"other": None},
        operands=("condition", "input", "other"),
        optional=1,
        positional=1,
        accepts=("bool", "any"),
        dtype=_where_dtype,
    ),
    function(
        "masked_fill",
        "torch.masked_fill",
        _masked,
        "A given value where the mask holds, else the input.",
        operands=("input", "mask"),
        accepts=("any", "bool"),
        positional=1,
    ),
]
