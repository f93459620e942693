"""Where differences stand, and which of them are told together."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from graphbuild.diff.facts import Fact
from graphbuild.diff.matching import Pairing
from graphbuild.errors import Span
from graphbuild.ir import Graph, Node


@dataclass(frozen=True, slots=True)
class Place:
    """Where something changed: the paths in both, "" where it is not there."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Here:
    """Where a pair of scopes is looked at: its paths, and its way from the block around it."""

    before: str = ""
    after: str = ""
    block: str = ""
    way: str = ""  # with the names of repetitions as they are written
    level: int = 0
    swapped: bool = False  # in a block that took the place of another one

    def inside(self, a: Node, b: Node) -> Here:
        call = b.call
        block = isinstance(call, Graph) and call.kind == "block"
        templates = {c.template for c in (a.call, call) if isinstance(c, Graph)}
        return Here(
            f"{self.before}{a.name}.",
            f"{self.after}{b.name}.",
            call.name if block and isinstance(call, Graph) else self.block,
            "" if block else f"{self.way}{slot(b)}.",
            self.level + 1,
            self.swapped or len(templates) > 1,
        )


class Found(NamedTuple):
    """A difference where it was found; equal scopes have theirs in each of their places."""

    fact: Fact
    here: Here
    pairing: Pairing

    @property
    def place(self) -> Place:
        fact, here = self.fact, self.here
        if fact.kind == "repeat" or (fact.before is None and fact.after is None):
            return Place(here.before.rstrip("."), here.after.rstrip("."))
        return Place(
            here.before + fact.before.name if fact.before is not None else "",
            here.after + fact.after.name if fact.after is not None else "",
        )

    @property
    def path(self) -> str:
        return self.place.after or self.place.before


Group = list[Found]  # that are one row


def slot(node: Node) -> str:
    """A node's name; of the turns of a repetition one for all: `denselayer*`."""
    if node.loop is None:
        return node.name
    return f"{node.loop.key.partition('$')[0]}*" if "$" in node.loop.key else "*"


def key(fact: Fact, here: Here) -> Hashable:
    """What facts have in common that are one row: where they are written, and what they say."""
    names = tuple(item.name for item in fact.items)
    places = tuple((_spot(i.before), _spot(i.after)) for i in fact.items)
    node = fact.after or fact.before
    spans = tuple(_spot(n.span) if n is not None else None for n in (fact.before, fact.after))
    if fact.kind in ("argument", "let") and all(a and b for a, b in places):
        values = () if fact.follows or here.swapped else tuple((i.old, i.new) for i in fact.items)
        return fact.kind, fact.follows, names, places, values
    values = tuple((i.old, i.new) for i in fact.items)
    if fact.kind == "renumbered" and fact.before and fact.after:
        shift = _shift(fact)
        return fact.kind, here, shift if shift is not None else (spans, values)
    where = (here.block, here.way, slot(node)) if node is not None else (here.block, here.way)
    if fact.kind == "repeat":
        return fact.kind, where, spans, values, here.before if here.level < 2 else ""
    return fact.kind, where, spans, values, fact.before is None


def _spot(span: Span | None) -> Hashable:
    return (span.source.name, span.line, span.column) if span is not None and span.line else None


def _shift(fact: Fact) -> int | None:
    """How far a node of a list has moved."""
    item = fact.items[0]
    return int(item.new) - int(item.old) if item.old.isdigit() and item.new.isdigit() else None


def continues(one: Group, other: Group) -> bool:
    """Whether a node came or went right after another one, in the same scope."""
    if len(one) != 1 or len(other) != 1:
        return False
    kinds = one[0].fact.kind, other[0].fact.kind
    return (
        kinds[0] == kinds[1] and kinds[0] in ("added", "removed") and one[0].here is other[0].here
    )
