"""What `inplace` keeps of values: where each lives, and who reads or overwrites it there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from graphbuild.errors import Span
from graphbuild.ops.base import Op

OUTPUT = ""  # in place of a path: the scope hands the value out


class Site(NamedTuple):
    """A call of a block around the scope, innermost first."""

    path: str
    span: Span | None
    outer: Site | None


class Access(NamedTuple):
    """A node that reads or overwrites a value: its path, seen from the scope that looks."""

    path: str
    span: Span | None
    op: Op | None = None  # of a write
    calls: tuple[tuple[str, Span | None], ...] = ()  # of blocks, on the way to it, innermost first


class Value(NamedTuple):
    """A tensor: where it lives, after how many overwrites, and whose backward reads it."""

    storage: int
    epoch: int
    saved: Access | None = None


Values = Value | list["Values"]


@dataclass
class Epoch:
    """One state of a storage's content."""

    name: str  # of the value, for people
    reads: list[Access] = field(default_factory=list)
    writes: list[Access] = field(default_factory=list)
    saved: Access | None = None
    kept: str = ""  # what it is that the module itself keeps: "the parameter 'scale'"


@dataclass
class Summary:
    """What a scope does; `epochs` by storage and epoch. Inputs have the storages in `inputs`."""

    inputs: list[Values]
    outputs: list[Values] = field(default_factory=list)
    epochs: dict[tuple[int, int], Epoch] = field(default_factory=dict)
    storages: int = 0


def leaves(values: Values) -> Iterator[Value]:
    if isinstance(values, list):
        for item in values:
            yield from leaves(item)
    else:
        yield values
