"""Tensors that a module itself keeps: parameters and buffers.

Neither layers nor functions: a scope that has such a node is a module with this tensor, and the
node's path is its key. What is given decides the numbers: `shape` and `init`, or `value`, or for a
buffer an operand that is computed once, when the module is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphbuild.ops.base import Args, Argument, Op, Shape

VALUE = "value"  # what a raw parameter is called among the parameters of its own node


def extent(value: Any) -> Shape:
    """The shape of nested tuples of numbers, by the first of each."""
    if not isinstance(value, tuple):
        return ()
    return (len(value), *(extent(value[0]) if value else ()))


def numbers(value: Any) -> Iterator[Any]:
    """What stands in nested tuples."""
    if isinstance(value, tuple):
        for item in value:
            yield from numbers(item)
    else:
        yield value


def natural_dtype(value: Any) -> str:
    """The dtype that torch gives a tensor of these numbers."""
    kinds = {type(number) for number in numbers(value)}
    if float in kinds or not kinds:
        return "float32"
    return "int64" if int in kinds else "bool"


def _shape(args: Args, *source: Shape) -> Shape:
    if source:
        return source[0]
    return tuple(args.shape or ()) if args.value is None else extent(args.value)


def _parameter_dtype(args: Args) -> str:
    return str(args.dtype or "float32")


def _buffer_dtype(args: Args, *source: str) -> str:
    if args.dtype is None and source:
        return source[0]
    return str(args.dtype or ("float32" if args.value is None else natural_dtype(args.value)))


_GIVEN = (
    Argument("shape", "Positives | None", None),
    Argument("init", "Initialiser | None", None),
    Argument(VALUE, "Any", None),
    Argument("dtype", "Dtype | None", None),
)

OPS: list[Op] = [
    Op(
        "parameter",
        "nn.Parameter",
        (*_GIVEN, Argument("requires_grad", "bool", True)),
        _shape,
        "A tensor to be learned, of the module itself.",
        operands=(),
        own=True,
        parameters=lambda args: {VALUE: _shape(args)},
        dtype=_parameter_dtype,
    ),
    Op(
        "buffer",
        "register_buffer",
        (*_GIVEN, Argument("persistent", "bool", True)),
        _shape,
        "A tensor of the module itself that is not learned, made once.",
        operands=("source",),
        optional=1,
        own=True,
        accepts=("any",),
        dtype=_buffer_dtype,
    ),
]
