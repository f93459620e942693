"""What `inplace` keeps of values: where each lives, and who reads or overwrites it there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from graphbuild.errors import Span
from graphbuild.ir import Node, Several, Type
from graphbuild.ops.base import MISSING, Op

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
    owner: str = ""  # the node whose module it shares


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
    given: list[tuple[int, int, Epoch]] = field(default_factory=list)  # of inputs, at the end

    def note_given(self) -> None:
        storages = {value.storage for values in self.inputs for value in leaves(values)}
        self.given = [(*at, epoch) for at, epoch in self.epochs.items() if at[0] in storages]


def leaves(values: Values) -> Iterator[Value]:
    if isinstance(values, list):
        for item in values:
            yield from leaves(item)
    else:
        yield values


def applies(op: Op, node: Node, when: str | bool) -> bool:
    """Whether an op does something always, or because of an argument."""
    if isinstance(when, bool):
        return when
    if when in node.args:
        return bool(node.args[when].value)
    argument = op.argument(when)
    return argument is not None and argument.default is not MISSING and bool(argument.default)


def turns(node: Node) -> int:
    """How often a node's module is looked at in turn: the third turn is as every later one."""
    count = node.times.value if node.times is not None else 1
    return min(count, 3) if isinstance(count, int) else 1


def parts(type_: Type) -> object:
    return tuple(map(parts, type_.items)) if isinstance(type_, Several) else None
