"""How the tables write their rows: a signature from torch, the rest by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuild.ops.base import MISSING, Argument, Op
from graphbuild.ops.signatures import SIGNATURES


def layer(
    name: str,
    shape: Any,
    doc: str,
    *,
    defaults: Mapping[str, Any] | None = None,
    **row: Any,
) -> Op:
    """A row of a layer of `torch.nn`; `defaults` are ours where torch has others or none."""
    return Op(name, f"nn.{name}", arguments(name, defaults or {}), shape, doc, **row)


def function(
    name: str,
    source: str,
    shape: Any,
    doc: str,
    *,
    defaults: Mapping[str, Any] | None = None,
    **row: Any,
) -> Op:
    """A row of a function; `defaults` are ours where torch has others or none."""
    return Op(name, source, arguments(name, defaults or {}), shape, doc, **row)


def operator(name: str, source: str, shape: Any, doc: str, *own: Argument, **row: Any) -> Op:
    """A row of a function that is written between its operands."""
    return Op(name, source, own, shape, doc, style="operator", **row)


def arguments(name: str, defaults: Mapping[str, Any]) -> tuple[Argument, ...]:
    out = []
    for row in SIGNATURES[name]:
        given = row[2] if len(row) > 2 else MISSING
        default = defaults.get(row[0], given)
        explicit = given is not MISSING and default != given
        out.append(Argument(row[0], row[1], default, explicit))
    return tuple(out)
