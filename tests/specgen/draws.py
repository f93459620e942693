"""What a random spec is drawn from: values, blocks and names of a scope, and how one is chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hypothesis import strategies as st

Data = dict[str, Any]


integers = cache(st.integers)  # which are made anew much more slowly than they are drawn


@dataclass
class Value:
    """A value of a scope: how it is written, and what is known of its sizes."""

    name: str
    width: str
    level: int = 0


@dataclass
class Owner:
    """A node whose module another one can call: what it takes and what it gives."""

    name: str
    takes: Value
    gives: Value


@dataclass
class Block:
    """A block that can be called: its params, and what it does to its input."""

    name: str
    params: dict[str, Any]
    width: str  # "input" where it gives the width that it is given
    level: int
    outputs: str = ""  # how its first output is selected, where it gives several
    kind: str = ""  # "dense" or "parallel", where it is not a chain


@dataclass
class Names:
    """What expressions of a scope can read."""

    ints: list[str]
    flags: list[str]
    ops: list[str]
    lists: list[str] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)


class Draws:
    """How a maker of specs chooses, and what it has made so far."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], size: int) -> None:
        self.draw = draw
        self.world = self.one("image", "image", "rows", "tokens")
        self.blocks: list[Block] = []
        self.count = 0
        self.size = size
        self.room = 20 * size  # nodes that may still be written
        self.heads: list[str] = []  # values of the scope that may be absent
        self.given: dict[str, Any] = {}  # further inputs of the spec, which its root can use
        self.pairs: list[str] = []  # blocks of two inputs, which give what the first is like
        self.sides: list[str] = []  # blocks that give a list
        self.odd = ["inputs", "names", "routing", "out", "x", "i", "nn", "torch", "self_", "weights", "range", "value"]  # fmt: skip

    def one(self, *items: Any) -> Any:
        return items[self.number(0, len(items) - 1)]

    def chance(self, of: int) -> bool:
        return self.number(1, of) == of

    def number(self, low: int, high: int) -> int:
        return int(self.draw(integers(low, high)))

    def fresh(self, stem: str) -> str:
        self.count += 1
        if stem == "n" and self.odd and self.chance(12):  # what emitted code may have a use for
            return str(self.odd.pop(self.number(0, len(self.odd) - 1)))
        if stem == "n" and self.chance(6):
            stem = self.one("n-", "for", "é", "x")
        return f"{stem}{self.count}"

    def flat(self) -> list[Block]:
        """Blocks that give one value, of the size that they are given."""
        return [b for b in self.blocks if not b.level and not b.outputs and not b.kind]
