"""Weights that are applied again: which boxes carry which badge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from graphbuild.render.fold import Item

Pair = tuple[Item, Item, Literal["shared", "tied"]]


@dataclass(frozen=True)
class Badges:
    """By the identity of items: their badge, and which of them apply weights drawn elsewhere."""

    of: dict[int, str] = field(default_factory=dict)
    again: set[int] = field(default_factory=set)
    pairs: dict[Pair, None] = field(default_factory=dict)  # one line will do for all in two boxes


def badges(view: Item) -> Badges:
    """The badges of all that is visible; letters in the order of the file."""
    found = Badges()
    turning: list[int] = []  # items that are applied several times, one after the other
    for item in _every(view):
        if any(node.times is not None for node in item.part.nodes):
            turning.append(id(item))
        for node in item.part.nodes:
            if not node.shared or item.scope is None:
                continue
            owner = item.scope.holder.get(node.shared)
            if owner is None or owner is item:
                continue
            letter = found.of.setdefault(id(owner), _letter(found))
            found.of[id(item)] = letter
            found.again.add(id(item))
            found.pairs[owner, item, "shared"] = None
    graph = view.inside
    for tie in graph.ties if graph is not None else ():
        one, other = _at(view, tie.source), _at(view, tie.path)
        if one is not None and other is not None and one is not other:
            letter = found.of.setdefault(id(one), _letter(found))
            found.of.setdefault(id(other), letter)
            found.pairs[one, other, "tied"] = None
    for at in turning:
        own = found.of.get(at)
        found.of[at] = f"{own}, each time" if own else "same weights each time"
    return found


def _every(view: Item) -> Iterator[Item]:
    for item in view.items:
        yield item
        yield from _every(item)


def _letter(found: Badges) -> str:
    number = len(set(found.of.values()))
    return f"weights {chr(ord('A') + number % 26)}" + (str(number // 26) if number > 25 else "")


def _at(view: Item, path: str) -> Item | None:
    """The visible item that a path lies in."""
    names = path.split(".")
    item = view
    while item.open and names:
        inner = item.holder.get(names[0])
        if inner is None:
            return None
        item = inner
        if item.part.form in ("call", "run"):
            names = names[1:]
    return item if not item.open else None
