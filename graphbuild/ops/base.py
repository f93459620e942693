"""What the registry knows of an op: the row, and what its rules may raise.

A rule is plain arithmetic on integers. It is run once per probe size (see `dims`), and once more
by `emit` on integers that remember the expression they came from; so it never reads more of a
shape than it needs, never converts a size with `int(...)`, and never asks for its type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from types import SimpleNamespace
from typing import Any, Literal

Shape = tuple[int, ...]
Shapes = Sequence[Shape]
Args = SimpleNamespace  # every argument of the op by name, defaults filled in


class _Missing:
    """The default of an argument that has none."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class ShapeError(Exception):
    """An op cannot take these operands' shapes; the stage that called adds the place.

    `mismatch` names the dimension in which two operands differ, where that is what is wrong, and
    `argument` and `value` an argument that would make the call right.
    """

    def __init__(
        self,
        message: str,
        *,
        mismatch: int | None = None,
        argument: str | None = None,
        value: object = None,
    ) -> None:
        super().__init__(message)
        self.mismatch = mismatch
        self.argument = argument
        self.value = value


class DtypeError(Exception):
    """An op cannot take these operands' dtypes."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: torch's name, its type as pydantic reads it, its default."""

    name: str
    type: str  # such as "int", "Size2", "Literal['zeros', 'reflect']"; resolved by ops.types
    default: object = MISSING
    explicit: bool = False  # written out even at its default, because torch's default is another

    @property
    def required(self) -> bool:
        return self.default is MISSING

    @property
    def structural(self) -> bool:
        """Whether it decides how the call is written, so that its value must stand in the source."""
        return self.type.split()[0] in ("Dtype", "Pattern")


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One row of the registry.

    `shape(args, *shapes)` gives the output's shape, or a list of shapes where the op has several
    outputs (`several` is then true). `infer` gives, per argument that the operands determine, the
    value from `(args, shapes)`. `parameters` and `buffers` give what a layer owns, by name in
    registration order. `macs(args, shapes, output)` counts multiply-accumulates.

    An argument with the name of an operand is a number in that operand's place: `other` of `mul`.
    Without a rule (`shape` is None) the op is run on torch's meta device instead.
    """

    name: str
    source: str  # how it is written: "nn.Conv2d", "torch.cat", "F.relu", or an operator: "+"
    arguments: tuple[Argument, ...]
    shape: Callable[..., Any] | None
    doc: str = ""
    operands: tuple[str, ...] = ("input",)
    optional: int = 0  # how many of the last operands may be left out
    variadic: bool = False  # takes any number of operands (at least one), as a list
    passes: bool = False  # of one operand alone it gives that operand
    style: Literal["call", "list", "operator", "index", "pattern"] = "call"
    # How a function is called where that is no plain call, from the texts of its operands and of
    # its arguments by name, and from the operands' shapes.
    write: Callable[[Sequence[str], Mapping[str, str], Shapes], str] | None = None
    # How operands stand in a call where not one after the other, from their texts by name.
    wired: Callable[[Mapping[str, str]], list[str]] | None = None
    # What a layer's call says where nobody takes more than its first output: "need_weights=False".
    alone: str = ""
    # Makes a tensor of nothing: its operand only says on which device.
    makes: bool = False
    module: str | None = None  # the layer that a function becomes inside an nn.Sequential
    positional: int = 0  # how many leading arguments are written without their names
    infer: dict[str, Callable[[Args, Shapes], Any]] = field(default_factory=dict)
    several: bool = False
    outputs: tuple[str, ...] = ()  # names of several outputs, where they are fixed
    parameters: Callable[[Args], dict[str, Shape]] | None = None
    buffers: Callable[[Args], dict[str, Shape]] | None = None
    macs: Callable[[Args, Shapes, Any], int] | None = None
    # Kinds per operand (the last one repeats): float, int, bool, any, or several: "float int"
    accepts: tuple[str, ...] = ("float",)
    dtype: Callable[..., Any] | None = (
        None  # (args, *dtypes) -> dtype(s); None: the first operand's
    )
    aliases: bool = False  # the output may share memory with the first operand (views, Identity)
    overwrites: str | bool = (
        False  # overwrites its first operand: always, or if that argument is true
    )
    # Its backward reads its output (sigmoid), so nothing may overwrite it: always, or if that argument is true
    saves_output: str | bool = False
    training: bool = False  # a function that is also told `training=self.training` (dropout)
    own: bool = False  # neither layer nor function: a tensor that the module itself keeps

    @property
    def layer(self) -> bool:
        """Whether it is a module (`CamelCase`) rather than a function (`snake_case`)."""
        return self.name[:1].isupper()

    def argument(self, name: str) -> Argument | None:
        return next((a for a in self.arguments if a.name == name), None)

    def taking(self, names: Sequence[str]) -> Op:
        """The same op, called with these of its operands: optional ones may be skipped."""
        first = tuple(names) == self.operands[: len(names)]
        return self if first else _variant(self, tuple(names))


@cache
def _variant(op: Op, names: tuple[str, ...]) -> Op:
    """A row whose operands are only these; rules are told None in place of the others."""

    def all_of(given: Sequence[Any]) -> list[Any]:
        by_name = dict(zip(names, given, strict=True))
        return [by_name.get(name) for name in op.operands]

    def spread(rule: Callable[..., Any] | None) -> Callable[..., Any] | None:
        return rule and (lambda args, *given: rule(args, *all_of(given)))

    def whole(rule: Callable[..., Any]) -> Callable[..., Any]:
        return lambda args, shapes, *output: rule(args, all_of(shapes), *output)

    last = len(op.accepts) - 1
    return replace(
        op,
        operands=names,
        optional=0,
        accepts=tuple(op.accepts[min(op.operands.index(n), last)] for n in names),
        shape=spread(op.shape),
        dtype=spread(op.dtype),
        infer={name: whole(rule) for name, rule in op.infer.items()},
        macs=op.macs and whole(op.macs),
    )
