"""How a difference is said: where it is, and what it is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from graphbuild.diff.matching import Matcher
from graphbuild.diff.places import Group, slot
from graphbuild.diff.values import Both, shape, when
from graphbuild.errors import Span
from graphbuild.ir import Graph, Node
from graphbuild.library import bundled
from graphbuild.ops.base import Op
from graphbuild.render.arguments import short_arguments

NAMES = 12  # of nodes that were renamed
VALUES = 3  # of an argument that differs from place to place


def where(group: Group) -> str:
    """How a row calls where it is: a path, a node of a block, or an op that is everywhere."""
    fact = group[0].fact
    paths = [found.path for found in group]
    if fact.kind == "repeat":
        sides = [(f.here.after if f.fact.after is not None else f.here.before, f) for f in group]
        turns = [prefix + node.name for prefix, f in sides for node in f.fact.several]
        return paths[0] if len(group) == 1 and paths[0] else ends(turns)
    if len(group) == 1 or fact.kind == "renumbered":
        return ends(paths) or "the whole"
    nodes = [found.fact.after or found.fact.before for found in group]
    ways = {
        (found.here.block, found.here.way + (slot(node) if node is not None else ""))
        for found, node in zip(group, nodes, strict=True)
    }
    block, way = next(iter(ways))
    if len(ways) == 1:
        return f"{block}: {way}" if block and way else block or way.rstrip(".")
    ops = {brief(node) for node in nodes if node is not None}
    written = {str(item.after) for found in group for item in found.fact.items}
    once = len(written) == len(fact.items) and len(ops) == 1  # in the spec, for all of them
    return f"every {ops.pop()} that takes it" if once else ends(paths)


def text(group: Group, dims: Both, matcher: Matcher) -> str:
    """What changed."""
    fact = group[0].fact
    node = fact.after or fact.before
    match fact.kind:
        case "added" | "removed" if node is not None:
            return ", ".join(filter(None, (_made(group, dims), fact.note)))
        case "repeat":
            item, word = fact.items[0], "added" if fact.after is not None else "removed"
            turns = [node.name for found in group for node in found.fact.several]
            names = f" ({ends(turns)})" if len(group) == 1 else ""
            told = f"repeated {item.old} → {item.new} times: {len(turns)} {word}{names}"
            return f"{told}, {_made(group, dims)}"
        case "op" if fact.note != "opened" and fact.before and fact.after:
            old, new = called(fact.before), called(fact.after)
            return f"{old} → {new}" if old != new else f"{new}, with other nodes inside"
        case "op":
            return f"{fact.items[0].old} → {fact.items[0].new}"
        case "renamed" | "renumbered":
            was = ends([found.place.before for found in group])
            if ": " in where(group):  # in every place of a block
                was = fact.items[0].old
            keeps = any(found.fact.after and matcher.keeps(found.fact.after) for found in group)
            return f"was {was}{'; its keys of state_dict move' if keeps else ''}"
        case "inside":
            return "changed inside"
        case "moved":
            return f"moved: {_change(group, 0)}"
        case "order":
            item = fact.items[0]
            return f"registered after {item.new}, no longer after {item.old}: keys change order"
        case "shape" if fact.before and fact.after:
            return f"{shape(fact.before.type, dims[0])} → {shape(fact.after.type, dims[1])}"
    return ", ".join(_change(group, at) for at in range(len(fact.items)))


def _made(group: Group, dims: Both) -> str:
    """What nodes that came or went call, and the shape of what they give if it is one."""
    nodes = [
        node
        for found in group
        for node in found.fact.several or filter(None, (found.fact.after or found.fact.before,))
    ]
    side = dims[1 if group[0].fact.after is not None else 0]
    calls = list(dict.fromkeys(map(called, nodes)))
    shapes = list(dict.fromkeys(shape(node.type, side) for node in nodes))
    if len(calls) > 1:
        calls = list(dict.fromkeys(map(brief, nodes)))
    what = ", ".join(filter(None, calls[:VALUES])) or "nodes"
    told = f"{what} → {shapes[0]}" if len(shapes) == 1 else what
    modes = {node.mode for node in nodes} - {"always"}
    return f"{told}, {when(modes.pop())}" if len(modes) == 1 else told


def called(node: Node) -> str:
    """An op with its arguments in short, or what a block or group is."""
    call = node.call
    if isinstance(call, Graph):
        if call.kind == "repeat":
            turns = [n for n in call.nodes if not n.synthetic]
            return f"{called(turns[0])} ×{len(turns)}" if turns else "nothing"
        if call.kind == "block":
            return call.name
        if call.routing is not None:
            return f"{call.routing.kind} of {len(call.nodes)}"
        return f"group of {len(call.nodes)}"
    if call is None:
        return "nothing"
    return " ".join(filter(None, (call.name, short_arguments(node))))


def line(span: Span | None) -> str:
    """Where it is written; of a bundled spec the file's name is enough."""
    if span is None or not span.line:
        return ""
    name = span.source.name
    return f"{Path(name).name if name in _bundled() else name}:{span.line}"


@cache
def _bundled() -> frozenset[str]:
    return frozenset(map(str, bundled().values()))


def brief(node: Node) -> str:
    call = node.call
    if isinstance(call, Graph) and call.kind != "block":
        return "group"
    return call.name if call is not None else ""


def ends(paths: list[str]) -> str:
    """The first and the last of several paths; what both begin with is said once."""
    if len(paths) == 1:
        return paths[0]
    scope, dot, last = paths[-1].rpartition(".")
    return f"{paths[0]} … {last if paths[0].startswith(scope + dot) else paths[-1]}"


def _change(group: Group, at: int) -> str:
    """An item with its values; where they differ from place to place, the first of them."""
    pairs = list(dict.fromkeys((f.fact.items[at].old, f.fact.items[at].new) for f in group))
    name = group[0].fact.items[at].name
    told = [", ".join(dict.fromkeys(pair[side] for pair in pairs[:VALUES])) for side in (0, 1)]
    more = ", …" if len(pairs) > VALUES else ""
    return f"{name} {told[0]}{more} → {told[1]}{more}".strip()


def renames(group: Group, matcher: Matcher) -> str:
    """Many that were renamed; those with weights by name."""
    keep = [f for f in group if f.fact.after is not None and matcher.keeps(f.fact.after)]
    told = [f"{found.place.before} → {found.path}" for found in keep[:NAMES]]
    if len(keep) < len(group):
        told.append(f"{len(group) - len(keep[:NAMES])} others")
    return f"renamed: {', '.join(told)}{'; keys of state_dict move' if keep else ''}"


def census(nodes: Iterable[Node]) -> str:
    """What there is, by how often: "5 Conv2d, 7 ReLU"."""
    counts: dict[str, int] = {}
    for node in nodes:
        what = brief(node) if isinstance(node.call, Op) else "block"
        counts[what] = counts.get(what, 0) + 1
    total = sum(counts.values())
    told = [f"{count} {what}" for what, count in counts.items()]
    return f"{total} nodes: {', '.join(told[:6])}{', …' if len(told) > 6 else ''}"


def short(text: str) -> str:
    """A difference in a box of a picture."""
    return text.partition(";")[0].removeprefix("moved: ")
