"""Activations and dropouts: what gives an output of the input's shape."""

from __future__ import annotations

from typing import Any

from graphbuild.ops.base import Args, Op, Shape, ShapeError
from graphbuild.ops.build import function, layer
from graphbuild.ops.dtypes import floated
from graphbuild.ops.rules import index, need_at_least, need_rank, same
from graphbuild.ops.signatures import SIGNATURES

_NUMBERS: dict[str, Any] = {"accepts": ("float int",)}
_FLOATED: dict[str, Any] = {"accepts": ("any",), "dtype": floated}
_RESULT: dict[str, Any] = {"saves_output": True}
_IN_PLACE: dict[str, Any] = {"saves_output": "inplace"}


def _along(args: Args, x: Shape) -> Shape:
    if args.dim is None:
        raise ShapeError("needs the dimension to normalise over", argument="dim", value=1)
    index(args.dim, max(len(x), 1))
    return x


def _halved(args: Args, x: Shape) -> Shape:
    dim = index(args.dim, len(x))
    if x[dim] % 2:
        raise ShapeError(f"splits dimension {dim} in two, but its size is odd: {x[dim]}")
    return (*x[:dim], x[dim] // 2, *x[dim + 1 :])


def _slopes(args: Args, x: Shape) -> Shape:
    if args.num_parameters != 1:
        channels = x[1] if len(x) > 1 else 1
        if args.num_parameters != channels:
            raise ShapeError(
                f"num_parameters is {args.num_parameters}, but the input has {channels} channels",
                argument="num_parameters",
                value=channels,
            )
    return x


def _bounded(args: Args, x: Shape) -> Shape:
    if args.min_val >= args.max_val:
        raise ShapeError(f"min_val ({args.min_val}) must be less than max_val ({args.max_val})")
    return x


def _sloped(args: Args, x: Shape) -> Shape:
    if args.lower > args.upper:
        raise ShapeError(f"lower ({args.lower}) must be at most upper ({args.upper})")
    return x


def _sequence(args: Args, x: Shape) -> Shape:
    need_rank(x, 2, 3, like="N×C×L or C×L")
    return x


def _channels(args: Args, x: Shape) -> Shape:
    need_at_least(x, 2)
    return x


def _image(args: Args, x: Shape) -> Shape:
    need_rank(x, 3, 4, like="N×C×H×W or C×H×W")
    return x


# name, row, what it computes; the layer and the function of the same name.
_TABLE: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("ReLU", "F.relu", _NUMBERS | _RESULT, "max(0, x)"),
    ("ReLU6", "F.relu6", _NUMBERS, "min(max(0, x), 6)"),
    ("LeakyReLU", "F.leaky_relu", _IN_PLACE, "x where it is positive, else negative_slope * x"),
    ("ELU", "F.elu", _IN_PLACE, "x where it is positive, else alpha * (exp(x) - 1)"),
    ("SELU", "F.selu", _IN_PLACE, "ELU with the constants that keep mean and variance"),
    ("CELU", "F.celu", _IN_PLACE, "x where it is positive, else alpha * (exp(x / alpha) - 1)"),
    ("GELU", "F.gelu", {}, "x times the normal distribution function of x"),
    ("SiLU", "F.silu", {}, "x * sigmoid(x), also called swish"),
    ("Mish", "F.mish", {}, "x * tanh(softplus(x))"),
    ("Hardswish", "F.hardswish", {}, "x * hardsigmoid(x)"),
    ("Hardsigmoid", "F.hardsigmoid", {}, "min(max(0, x / 6 + 1 / 2), 1)"),
    ("Hardtanh", "F.hardtanh", {}, "min(max(min_val, x), max_val)"),
    ("Hardshrink", "F.hardshrink", {}, "0 where x lies between -lambd and lambd, else x"),
    ("Softshrink", "F.softshrink", {}, "x moved towards 0 by lambd"),
    ("Sigmoid", "torch.sigmoid", _RESULT | _FLOATED, "1 / (1 + exp(-x))"),
    ("Tanh", "torch.tanh", _RESULT | _FLOATED, "the hyperbolic tangent"),
    ("LogSigmoid", "F.logsigmoid", {}, "log(sigmoid(x))"),
    ("Tanhshrink", "F.tanhshrink", {}, "x - tanh(x)"),
    ("Softplus", "F.softplus", {}, "log(1 + exp(beta * x)) / beta"),
    ("Softsign", "F.softsign", {}, "x / (1 + |x|)"),
    ("Threshold", "F.threshold", _NUMBERS, "x where it is above the threshold, else value"),
)
_ALONG = (
    ("Softmax", "F.softmax", "exp(x) over its sum along a dimension"),
    ("LogSoftmax", "F.log_softmax", "the logarithm of softmax"),
    ("Softmin", "F.softmin", "softmax of -x"),
)
_DROPOUTS = (
    ("Dropout", "F.dropout", same, "single numbers"),
    ("Dropout1d", "F.dropout1d", _sequence, "whole channels of a sequence"),
    ("Dropout2d", "F.dropout2d", _channels, "whole channels of an image"),
    ("Dropout3d", "F.dropout3d", _channels, "whole channels of a volume"),
    ("AlphaDropout", "F.alpha_dropout", same, "single numbers, keeping mean and variance"),
)


def _pair(
    name: str,
    source: str,
    shape: Any,
    doc: str,
    positional: int = 0,
    training: bool = False,
    **row: Any,
) -> list[Op]:
    """The layer, and the function that does the same."""
    row["positional"] = positional
    if any(argument[0] == "inplace" for argument in SIGNATURES[name]):
        row["overwrites"] = "inplace"
    short = source.split(".")[1]
    made = function(short, source, shape, doc, module=name, training=training, **row)
    if name == "AlphaDropout":  # the layer takes `inplace` and does not heed it
        row["overwrites"] = False
    return [layer(name, shape, doc, **row), made]


OPS: list[Op] = []
for _name, _source, _row, _doc in _TABLE:
    _leading = 2 if _name == "Threshold" else 0
    _rule = _bounded if _name == "Hardtanh" else same
    OPS += _pair(_name, _source, _rule, _doc[0].upper() + _doc[1:] + ".", _leading, **_row)
for _name, _source, _doc in _ALONG:
    OPS += _pair(_name, _source, _along, _doc[0].upper() + _doc[1:] + ".", **_RESULT)
for _name, _source, _rule, _doc in _DROPOUTS:
    OPS += _pair(
        _name, _source, _rule, f"In training sets {_doc} to 0 at random.", 0, True, aliases=True
    )
OPS += _pair("GLU", "F.glu", _halved, "One half of the input times the sigmoid of the other.")
OPS += [
    layer("Softmax2d", _image, "Softmax over the channels of an image.", **_RESULT),
    layer(
        "FeatureAlphaDropout",
        _channels,
        "AlphaDropout of whole channels.",
        aliases=True,
    ),
    layer(
        "RReLU",
        _sloped,
        "LeakyReLU, in training with random slopes.",
        overwrites="inplace",
        **_IN_PLACE,
    ),
    layer(
        "PReLU",
        _slopes,
        "LeakyReLU with learned slopes.",
        parameters=lambda args: {"weight": (args.num_parameters,)},
    ),
]
