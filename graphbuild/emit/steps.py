"""The steps of a `forward`: one node each."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphbuild.emit.guards import Fork
from graphbuild.expr.write import quoted
from graphbuild.ir import Edge, Node
from graphbuild.names import is_attribute

MARK = "\0"  # in front of a value's name in an argument, until it has a variable


@dataclass
class Step:
    """One node of a forward, as far as it does not depend on variables."""

    node: Node  # of the first instance in which it is built
    edges: tuple[Edge, ...]  # its operands, without those that are never there
    fork: Fork | None = None
    passes: bool = False  # it hands its operand on, where its guard is another
    guard: str = ""  # what decides at run time whether it has a value
    asks: str = ""  # the same, asked of its own module
    asked: Edge | None = None  # an operand that is there where the guard holds and only there
    arguments: dict[str, str] = field(default_factory=dict)  # of a function, in Python
    reads: tuple[str, ...] = ()  # values whose shapes those arguments read
    near: Edge | None = None  # the value on whose device a tensor is made of nothing
    maybe: str | None = None  # what decides at run time whether it is built
    times: str | None = None  # how often its module is applied in turn

    @property
    def taken(self) -> tuple[Edge, ...]:
        """The operands of the fuller call that it makes."""
        return max(self.fork.full, self.fork.rest, key=len) if self.fork else self.edges


def attribute(name: str) -> str:
    """A child as it is read."""
    return f"self.{name}" if is_attribute(name) else f"getattr(self, {quoted(name)})"
