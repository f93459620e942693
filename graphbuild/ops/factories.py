"""Functions that make a tensor of nothing but their arguments.

Where they stand in a `forward` the tensor must be on the model's device. An operand, named `like`,
says whose device that is; without one it is that of a value which the call reads the size of, else
of the scope's first input. In a constructor there is no such thing, and none is needed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from graphbuild.ops.base import Args, DtypeError, Op, Shape, ShapeError, Shapes
from graphbuild.ops.build import function
from graphbuild.ops.rules import ceil_div
from graphbuild.ops.writing import made


def _arange(args: Args, *like: Shape) -> Shape:
    start, end, step = args.start, args.end, args.step
    if step == 0 or not all(map(math.isfinite, (start, end, step))):
        raise ShapeError("takes finite numbers, and a step that is not 0")
    span = end - start
    if span * step < 0:
        raise ShapeError(f"does not get from {start} to {end} in steps of {step}")
    if any(isinstance(number, float) for number in (start, end, step)):
        return (math.ceil(span / step),)
    if step == 1:
        return (span,)
    return (ceil_div(span, step) if step > 0 else ceil_div(-span, -step),)


def _sized(args: Args, *like: Shape) -> Shape:
    return tuple(args.size)


def _eye(args: Args, *like: Shape) -> Shape:
    return (args.n, args.n if args.m is None else args.m)


def _same(args: Args, x: Shape) -> Shape:
    return x


def _given(default: str | None) -> Any:
    """A dtype rule: the one that is given, else this, else that of the operand."""

    def rule(args: Args, *dtypes: str) -> str:
        return str(args.dtype or default or dtypes[0])

    return rule


def _of(*numbers: str, others: str = "float32") -> Any:
    """A dtype rule: the one that is given, else what holds these arguments."""

    def rule(args: Args, *dtypes: str) -> str:
        values = [getattr(args, name) for name in numbers]
        if all(isinstance(value, bool) for value in values):
            kind = "bool"
        else:
            kind = "int64" if all(isinstance(value, int) for value in values) else others
        return str(args.dtype or kind)

    return rule


def _counted(rule: Any) -> Any:
    """The same rule for what torch does not make of bool."""

    def counted(args: Args, *dtypes: str) -> str:
        if args.dtype == "bool":
            raise DtypeError("does not make bool")
        return str(rule(args, *dtypes))

    return counted


def _write_arange(operands: Sequence[str], arguments: Mapping[str, str], shapes: Shapes) -> str:
    start = {} if "start" in arguments or "step" not in arguments else {"start": "0"}
    return made("torch.arange", "start", "end", "step")(operands, start | {**arguments}, shapes)


_MADE: dict[str, Any] = {
    "operands": ("like",),
    "optional": 1,
    "accepts": ("any",),
    "makes": True,
}
_LIKE: dict[str, Any] = {"accepts": ("any",), "dtype": _given(None)}

OPS: list[Op] = [
    function(
        "arange",
        "torch.arange",
        _arange,
        "The numbers from start up to end, which is not among them.",
        defaults={"start": 0},
        dtype=_counted(_of("start", "end", "step")),
        write=_write_arange,
        **_MADE,
    ),
    function(
        "linspace",
        "torch.linspace",
        lambda args, *like: (args.steps,),
        "So many numbers from start to end, which is among them.",
        dtype=_counted(_given("float32")),
        write=made("torch.linspace", "start", "end", "steps"),
        **_MADE,
    ),
    *(
        function(
            name,
            f"torch.{name}",
            _sized,
            f"A tensor of {name}.",
            dtype=_given("float32"),
            write=made(f"torch.{name}", "size", spreads=True),
            **_MADE,
        )
        for name in ("zeros", "ones")
    ),
    function(
        "full",
        "torch.full",
        _sized,
        "A tensor of one number.",
        dtype=_of("fill_value"),
        write=made("torch.full", "size", "fill_value"),
        **_MADE,
    ),
    function(
        "eye",
        "torch.eye",
        _eye,
        "A matrix of zeros, with ones on its diagonal.",
        defaults={"m": None},
        dtype=_given("float32"),
        write=made("torch.eye", "n", "m"),
        **_MADE,
    ),
    *(
        function(
            f"{name}_like",
            f"torch.{name}_like",
            _same,
            f"A tensor of {name} in the shape of another.",
            **_LIKE,
        )
        for name in ("zeros", "ones")
    ),
    function(
        "full_like",
        "torch.full_like",
        _same,
        "A tensor of one number in the shape of another.",
        positional=1,
        **_LIKE,
    ),
    *(
        function(
            f"{name}_like",
            f"torch.{name}_like",
            _same,
            f"Random numbers, {numbers}, in the shape of another tensor.",
        )
        for name, numbers in (("rand", "uniform from 0 to 1"), ("randn", "normally distributed"))
    ),
]
