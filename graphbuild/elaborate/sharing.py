"""Modules that are called more than once: by another node, or by themselves in turn."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from graphbuild import expr
from graphbuild.elaborate import node as nodes
from graphbuild.elaborate.operands import written_name
from graphbuild.elaborate.params import show
from graphbuild.elaborate.state import Poisoned
from graphbuild.elaborate.written import Ref
from graphbuild.errors import Note, did_you_mean
from graphbuild.ir import Graph, Node, Several, Tensor, Type
from graphbuild.ops.base import Op

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope


def owner(scope: Scope, item: Item, ref: Ref) -> Item:
    """The item whose module another one calls again. Raises Poisoned, having reported why not."""
    name = written_name(scope, ref, item)
    found = scope.items[scope.index[name]] if name in scope.index else None
    if found is None:
        message, hint = _unknown(scope, item, name)
    elif found.broken:
        raise Poisoned
    elif found.owner is not None:
        message = f"{name!r} has no module of its own to share"
        hint = f"say share: {found.owner.name}"
    elif isinstance(found.target, Op) and not found.target.layer and found.turns is None:
        message = f"{name!r} is a function: it has no weights to share"
        hint = f"call it again: {{op: {found.target.name}}}"
        if found.target.own:
            message, hint = f"{name!r} is no module, but a tensor", f"take it: from: {name}"
    elif found.template.by is not None:
        message = f"{name!r} chooses among cases, and does not say by what a second time"
        hint = "put the choice into a block, and share that"
    else:
        return found
    scope.report("E201", message, ref.span, about=name, suggestion=hint)
    raise Poisoned


def _unknown(scope: Scope, item: Item, name: str) -> tuple[str, str | None]:
    """Why no node of this name can be shared, and what could be done."""
    above = [n for n in scope.index if not n.endswith("?")]
    own = str(item.template.key)
    keys = [str(template.key) for template in scope.template.nodes]
    if name == own:
        return f"{name!r} shares itself", None
    if name in keys[keys.index(own) :]:
        return f"{name!r} comes later in the file", f"put it above {own!r}"
    if name in scope.takes:
        return f"{name!r} is an input, which has no weights to share", None
    if (name.split(".")[0] in scope.index and "." in name) or scope.around_has(name):
        hint = "share the whole node, or put both into one block or group"
        return f"{name!r} is a node of another scope", hint
    known = f"above are {', '.join(above[:12])}" if above else None
    return f"there is no node {name!r} above", did_you_mean(name, above) or known


def build(scope: Scope, item: Item, operands: list[nodes.Operand] | None = None) -> Type:
    """Make the nodes of an item whose module is another's, or is applied several times."""
    if not item.present:
        return nodes.build(scope, item, operands)
    operands = nodes.operands_of(scope, item) if operands is None else operands
    like = item
    if item.owner is not None:
        like = _stand_in(scope, item, item.owner)
    type_ = nodes.build(scope, like, nodes.sound(operands))
    made = like.made.pop()
    if item.owner is not None:
        scope.used.add(item.owner.name)
        _check_alike(scope, item, item.owner.made[-1], made)
        made = replace(
            made,
            args=item.owner.made[-1].args,
            condition=item.condition,
            loop=item.loop,
            shared=item.owner.name,
        )
    if item.times is not None:
        _check_turns(scope, item, made, nodes.sound(operands))
        made = replace(made, times=item.times)
    item.made.append(made)
    return type_


def _stand_in(scope: Scope, item: Item, owner: Item) -> Item:
    """The owner, on the operands of an item that calls its module."""
    if owner.broken:
        raise Poisoned
    if owner.made[-1].call is None:
        note = Note(f"{owner.name!r} stands here", owner.span)
        message = f"{item.name!r} shares {owner.name!r}, which is left out"
        hint = "give both the same `if`"
        scope.report("E201", message, item.span, notes=[note], suggestion=hint)
        raise Poisoned
    like = copy(owner)
    like.name, like.wires, like.span, like.made = item.name, item.wires, item.span, []
    like.owner, like.when = owner, item.when
    return like


# -- one module for several calls -------------------------------------------------------------


def _check_alike(scope: Scope, item: Item, owner: Node, node: Node) -> None:
    """That a module as its owner builds it is the one that another node calls."""
    found = next(_differences(owner, node, "", set()), None)
    if found is None:
        return
    place, what, wanted, other = found
    width = max(len(owner.name), len(item.name))
    notes = [
        Note(f"{name:<{width}}  takes {_taken(scope, item, call)}", span)
        for name, call, span in ((owner.name, owner, owner.span), (item.name, node, item.span))
    ]
    scope.report(
        "E204",
        f"{item.name!r} cannot call the module of {owner.name!r}: {what} differs"
        + (f" in {f'{owner.name}.{place}'!r}" if place else ""),
        item.span,
        expected=wanted,
        found=other,
        notes=notes,
        suggestion="weights are shared only where all sizes of the layers are the same",
    )
    raise Poisoned


def _taken(scope: Scope, item: Item, node: Node) -> str:
    """The shapes of a node's operands."""
    made = {n.name: n.type for other in (*scope.items, item) for n in other.made}
    found = []
    for edge in node.operands:
        type_ = made.get(edge.source) or scope.values[edge.source]
        for index in edge.select:
            type_ = type_.items[index] if isinstance(type_, Several) else type_
        found.append(scope.state.show(type_))
    return ", ".join(found)


Difference = tuple[str, str, str, str]  # the path inside, what differs, the owner's, the other's


def _differences(
    ours: Node, theirs: Node, path: str, seen: set[tuple[int, int]]
) -> Iterator[Difference]:
    if isinstance(ours.call, Op) and ours.call is theirs.call:
        for name in dict.fromkeys((*ours.args, *theirs.args)):
            mine, other = ours.args.get(name), theirs.args.get(name)
            if mine is None or other is None or mine.free:  # forward computes it anew
                continue
            if other.free:
                found = f"{show(other.value)}, but by the size of the input"
                yield path, name, show(mine.value), found
            elif not expr.same(mine.value, other.value):
                yield path, name, show(mine.value), show(other.value)
        return
    if not isinstance(ours.call, Graph) or not isinstance(theirs.call, Graph):
        if ours.call is not theirs.call:
            yield path, "what is built", _what(ours), _what(theirs)
        return
    key = (id(ours.call), id(theirs.call))
    if ours.call is theirs.call or key in seen:
        return
    seen.add(key)
    names = [[n.name for n in graph.nodes] for graph in (ours.call, theirs.call)]
    if names[0] != names[1]:
        yield path, "what is built", ", ".join(names[0][:12]), ", ".join(names[1][:12])
        return
    for first, second in zip(ours.call.nodes, theirs.call.nodes, strict=True):
        inner = f"{path}.{first.name}" if path else first.name
        if first.times is not None and second.times is not None:
            count, other_count = first.times.value, second.times.value
            if count != other_count:
                yield inner, "how often it turns", show(count), show(other_count)
        yield from _differences(first, second, inner, seen)


def _what(node: Node) -> str:
    return "nothing" if node.call is None else node.call.name


# -- one module in turn -----------------------------------------------------------------------


def _check_turns(scope: Scope, item: Item, node: Node, operands: list[nodes.Operand]) -> None:
    """That what one turn gives, the next can take."""
    path = scope.where(item.name)
    if not operands or (isinstance(node.call, Op) and node.call.own):
        scope.report("E205", f"{path!r} is no module that could be repeated", item.span)
        raise Poisoned
    taken = operands[0][1]
    if node.type == taken and isinstance(taken, Tensor):
        return
    given, wanted = scope.state.show(node.type), scope.state.show(taken)
    if given == wanted and isinstance(node.type, Tensor) and isinstance(taken, Tensor):
        given, wanted = f"{given} {node.type.dtype}", f"{wanted} {taken.dtype}"
    scope.report(
        "E204",
        f"{path!r} repeats one module, so it must give the shape that it takes",
        item.span,
        expected=wanted,
        found=given,
        suggestion="without `share: true` each turn is a module of its own",
    )
    raise Poisoned
