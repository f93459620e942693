"""Children of a container as source: the items of a list, keyword arguments, or a dict."""

from __future__ import annotations

from dataclasses import dataclass

from graphbuild.expr.write import quoted
from graphbuild.names import is_attribute


@dataclass
class Item:
    """A child of a container: its name (as a piece in a loop), and how it is built."""

    name: str
    piece: str
    loop: tuple[str, list[str]] | None = None  # the name's text, and the clauses after it
    condition: str | None = None


def sequential(items: list[Item]) -> str:
    """`nn.Sequential(...)` of these children."""
    if listed(items):
        return call("nn.Sequential", elements(items))
    repeated = len(items) == 1 and items[0].loop is not None
    if not repeated and all(is_attribute(i.name) for i in items if not i.loop):
        return f"nn.Sequential({call('OrderedDict', keywords(items))})"
    return f"nn.Sequential(OrderedDict({entries(items)}))"


def listed(items: list[Item]) -> bool:
    """Whether the children's names are their positions, which a list gives by itself."""
    for position, item in enumerate(items):
        if item.name != str(position) or (item.loop and item.loop[0] != item.name):
            return False
        if item.loop or item.condition:  # positions after it are not known
            return all(i.name.isdigit() for i in items)
    return True


def elements(items: list[Item]) -> list[str]:
    """Children as the items of a list; two of which one is there, as `a if test else b`."""
    texts: list[str] = []
    rest = list(items)
    while rest:
        item = rest.pop(0)
        if rest and not item.loop and _excludes(item.condition, rest[0].condition):
            texts.append(f"{item.piece} if {item.condition} else {rest.pop(0).piece}")
        else:
            texts.append(_unpacked(item, "*[", item.piece, "]"))
    return texts


def _excludes(one: str | None, other: str | None) -> bool:
    """Whether of two conditions one is a flag, and the other the opposite."""
    names = [text.removeprefix("not ") for text in (one, other) if text]
    return len(names) == 2 and one != other and names[0] == names[1] and names[0].isidentifier()


def display(items: list[Item]) -> str:
    """Children as a list."""
    found = elements(items)
    return found[0][1:] if len(items) == 1 and items[0].loop else f"[{', '.join(found)}]"


def keywords(items: list[Item]) -> list[str]:
    """Children as keyword arguments."""
    return [
        _entry(item) if item.loop or item.condition else f"{item.name}={item.piece}"
        for item in items
    ]


def entries(items: list[Item]) -> str:
    """Children as a dict."""
    if len(items) == 1 and items[0].loop:
        return _entry(items[0])[2:]
    return f"{{{', '.join(map(_entry, items))}}}"


def _entry(item: Item) -> str:
    name = item.loop[0] if item.loop else quoted(item.name)
    return _unpacked(item, "**{", f"{name}: {item.piece}", "}")


def _unpacked(item: Item, opening: str, entry: str, closing: str) -> str:
    """An entry, or several (or none) of them unpacked from a comprehension or a condition."""
    if item.loop:
        return f"{opening}{entry} {' '.join(item.loop[1])}{closing}"
    if item.condition:
        stars, bracket = opening[:-1], opening[-1]
        other = f"{bracket}{closing}"
        return f"{stars}({bracket}{entry}{closing} if {item.condition} else {other})"
    return entry


def call(name: str, items: list[str]) -> str:
    return f"{name}({', '.join(items)})"
