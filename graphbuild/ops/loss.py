"""Losses: layers that compare an input with a target."""

from __future__ import annotations

from typing import Any

from graphbuild.ops.base import Args, DtypeError, Op, Shape, ShapeError
from graphbuild.ops.build import layer
from graphbuild.ops.dtypes import same as same_dtype
from graphbuild.ops.rules import need_at_least, show


def _alike(args: Args, x: Shape, target: Shape) -> Shape:
    """An input and a target of one shape. (Torch stretches some of them, and warns.)"""
    if x != target:
        raise ShapeError(f"input and target differ in shape: {show(x)} and {show(target)}")
    return x if args.reduction == "none" else ()


def _classes(args: Args, x: Shape, target: Shape) -> Shape:
    """An input of N×C×..., and a target of N×... with the numbers of the classes."""
    need_at_least(x, 1)
    wanted = (*x[:1], *x[2:]) if len(x) > 1 else ()
    if target != wanted:
        raise ShapeError(
            f"an input of {show(x)} takes a target of {show(wanted)}, found {show(target)}"
        )
    return wanted if args.reduction == "none" else ()


def _indices(args: Args, x: str, target: str) -> str:
    if target != "int64":
        raise DtypeError(f"takes a target of int64, found {target}")
    return x


def _row(name: str, shape: Any, doc: str, **row: Any) -> Op:
    return layer(name, shape, doc, operands=("input", "target"), **row)


_NUMBERS: dict[str, Any] = {"accepts": ("float",), "dtype": same_dtype()}
_CLASSES: dict[str, Any] = {"accepts": ("float", "int"), "dtype": _indices}

OPS: list[Op] = [
    _row("MSELoss", _alike, "The squared difference.", **_NUMBERS),
    _row("L1Loss", _alike, "The absolute difference.", **_NUMBERS),
    _row(
        "SmoothL1Loss",
        _alike,
        "The squared difference where it is small, else the absolute one.",
        **_NUMBERS,
    ),
    _row("HuberLoss", _alike, "SmoothL1Loss times delta.", **_NUMBERS),
    _row("BCELoss", _alike, "The cross entropy of probabilities.", **_NUMBERS),
    _row("BCEWithLogitsLoss", _alike, "The cross entropy of sigmoid(input).", **_NUMBERS),
    _row("KLDivLoss", _alike, "The divergence of log-probabilities from the target's.", **_NUMBERS),
    _row("NLLLoss", _classes, "The cross entropy of log-probabilities of classes.", **_CLASSES),
    _row("CrossEntropyLoss", _classes, "The cross entropy of softmax(input).", **_CLASSES),
]
