"""Ops without a shape rule: they are run on torch's meta device, which computes sizes alone.

Only here does a stage in front of `load` import torch, and only for such an op. It runs the op's
own code, which whoever registered it trusts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from graphbuild.ops.base import Args, Op, Shape, ShapeError, Shapes

if TYPE_CHECKING:
    from torch import nn

_SHORT = {"F": "torch.nn.functional", "nn": "torch.nn"}


def completed(op: Op) -> Op:
    """A row whose layer says by itself what it owns."""
    if op.shape is not None or not op.layer or op.parameters is not None:
        return op
    return replace(
        op,
        parameters=lambda args: _owned(_layer(op, args).named_parameters()),
        buffers=lambda args: _owned(_layer(op, args).named_buffers()),
    )


def outcome(op: Op, args: Args, shapes: Shapes, dtypes: Sequence[str]) -> tuple[Any, Any]:
    """The shape and the dtype of what the op gives; lists of them where it gives several."""
    try:
        import torch
    except ImportError as error:
        raise ShapeError("has no shape rule, so it takes torch to know its shape") from error

    given: Any = [
        torch.empty(shape, dtype=getattr(torch, dtype), device="meta")
        for shape, dtype in zip(shapes, dtypes, strict=True)
    ]
    try:
        if op.layer:
            made = _layer(op, args)(*given)
        else:
            leading, named = _arguments(op, args)
            operands = [given] if op.style == "list" else given
            made = _target(op)(*operands, *leading, **named)
    except ShapeError:
        raise
    except Exception as error:  # whatever the op's own code raises
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise ShapeError(f"cannot be run on these operands: {said[0]}") from error
    return _seen(made, lambda t: tuple(t.shape)), _seen(made, lambda t: str(t.dtype)[6:])


def _seen(made: Any, look: Any) -> Any:
    import torch

    if isinstance(made, torch.Tensor):
        return look(made)
    if not isinstance(made, (list, tuple)) or not made:
        raise ShapeError(f"gives {type(made).__name__}, where tensors are wanted")
    return [_seen(part, look) for part in made]


def _layer(op: Op, args: Args) -> nn.Module:
    import torch

    leading, named = _arguments(op, args)
    with torch.device("meta"):
        layer: nn.Module = _target(op)(*leading, **named)
    return layer


def _owned(tensors: Any) -> dict[str, Shape]:
    return {name: tuple(tensor.shape) for name, tensor in tensors}


def _arguments(op: Op, args: Args) -> tuple[list[Any], dict[str, Any]]:
    values = [(a.name, getattr(args, a.name)) for a in op.arguments]
    return [value for _, value in values[: op.positional]], dict(values[op.positional :])


def _target(op: Op) -> Any:
    """What the row's `source` names: `mymodule.twice`."""
    module, _, name = op.source.rpartition(".")
    home: ModuleType = import_module(_SHORT.get(module, module))
    return getattr(home, name)
