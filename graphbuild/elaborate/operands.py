"""Operands: what `from` says, what it says where it is not written, and the edges that come of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from graphbuild import ops
from graphbuild.elaborate import nested
from graphbuild.elaborate.state import Poisoned
from graphbuild.elaborate.template import merges
from graphbuild.elaborate.written import Listed, Merge, Named, Nested, Ref, Wire
from graphbuild.errors import Span, closest, did_you_mean
from graphbuild.ir import INPUT, Edge, Output, Several, Tensor, Type
from graphbuild.ops.base import Op
from graphbuild.source import Map, Seq, Text

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope

RUNNING = ""  # the source that stands for a dense group's concat so far


@dataclass(frozen=True, slots=True)
class Source:
    """A node or an input of the scope, or a part of its value."""

    name: str
    parts: tuple[str, ...] = ()
    span: Span | None = None
    implicit: bool = False  # the node above, because there is no `from`


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge on the edge, with its operands."""

    merge: Merge
    operands: tuple[Wired, ...]


Wired = Source | Merged


def wire(scope: Scope, item: Item, position: int) -> tuple[Wired, ...]:
    """The operands of a node, names checked. Raises Poisoned, having reported what is wrong."""
    if scope.routing is not None:  # a case
        return tuple(map(Source, scope.input_names[1:]))
    by = item.template.by
    if scope.repeated is not None:
        if not scope.inputs:
            hint = f"a name with $(i), such as {scope.name}$(i), makes siblings of them"
            message = f"{scope.name!r} takes no input that its turns could hand on"
            scope.report("E205", message, item.template.span, suggestion=hint)
            raise Poisoned
        _narrow(item, item.template.wire)
        names = list(scope.input_names)
        choosing = [Source(names.pop(0))] if by is not None else []
        before = scope.items[position - 1].name if position else names[0]
        return (*choosing, Source(before), *map(Source, names[1:]))
    if by is not None:
        return (*_wires(scope, item, by), *_data(scope, item, position))
    return _data(scope, item, position)


def _data(scope: Scope, item: Item, position: int) -> tuple[Wired, ...]:
    """The operands of a node, apart from what chooses among its cases."""
    written, target = item.template.wire, item.target
    if written is not None:
        wires = _wires(scope, item, written)
        _narrow(item, written)
        return wires
    if isinstance(target, Op) and target.optional == len(target.operands):  # it needs none
        return ()
    if isinstance(target, Nested) and not target.input_names:  # nor does a spec without inputs
        return ()
    return (_implicit(scope, item, position),)


def _narrow(item: Item, written: Wire | None) -> None:
    """Where operands are given by name, the op takes just these: optional ones may be skipped."""
    if isinstance(written, Named) and isinstance(item.target, Op):
        given = set(map(str, written.items))
        item.target = item.target.taking([n for n in item.target.operands if n in given])


def sources(wires: Iterable[Wired]) -> Iterator[str]:
    """The names that the operands come from."""
    for one in wires:
        if isinstance(one, Source):
            yield one.name
        else:
            yield from sources(one.operands)


def _implicit(scope: Scope, item: Item, position: int) -> Source:
    if scope.connect == "chain" and position:
        before = scope.items[position - 1]
        alone = isinstance(before.target, Op) and before.wires == () and not before.broken
        if alone and not before.template.wire:
            scope.report(
                "E202",
                f"{item.name!r} has no `from`, and the node above takes no input itself",
                item.template.span,
                suggestion=f"say from: {before.name}, or what else it takes",
            )
            raise Poisoned
        if not before.name:
            raise Poisoned
        return Source(before.name, implicit=True)
    if len(scope.inputs) != 1:
        if any(item.wires is None for item in scope.items[:position]):
            raise Poisoned  # said of the first
        several = bool(scope.inputs)
        scope.report(
            "E202",
            f"{item.name!r} has no `from`, and there {'are several inputs' if several else 'is no input'}",
            item.template.span,
            found=", ".join(scope.input_names) or None,
            suggestion=f"say which it takes, such as from: {scope.input_names[0]}"
            if several
            else None,
        )
        raise Poisoned
    if scope.connect == "dense":
        return Source(RUNNING, implicit=True)
    return Source(scope.inputs[0].name, implicit=True)


def _wires(scope: Scope, item: Item, written: Wire) -> tuple[Wired, ...]:
    if isinstance(written, Listed):
        found: list[Wired] = []
        sound = True
        for one in written.items:
            if isinstance(one, Listed):
                scope.report("E103", "a list of operands inside of a list", one.span)
                raise Poisoned
            try:
                found += _wires(scope, item, one)
            except Poisoned:  # go on, to report the other names too
                sound = False
        if not sound:
            raise Poisoned
        return tuple(found)
    if isinstance(written, Merge):
        return (Merged(written, _wires(scope, item, written.operands)),)
    if isinstance(written, Named):
        return _named(scope, item, written)
    return (source(scope, written, item),)


def _named(scope: Scope, item: Item, written: Named) -> tuple[Wired, ...]:
    """Operands by name, in the order that the op or block has them in."""
    names = operand_names(scope, item)
    what = item.template.op or "this node"
    by_name = {str(key): one for key, one in written.items.items()}
    sound = True
    for key, wire in written.items.items():
        merge = closest(key, _merges()) if isinstance(wire, Listed) else None
        if key not in names and merge is not None:  # the other keys are its arguments
            hint = f"did you mean {merge!r}?"
            message = f"{what} has no operand {str(key)!r}"
            scope.report("E201", message, key.span, suggestion=hint)
            raise Poisoned
        if key not in names:
            sound = False
            takes = f"{what} takes {', '.join(names)}"
            scope.report(
                "E201",
                f"{what} has no operand {str(key)!r}",
                key.span,
                suggestion=did_you_mean(key, names) or takes,
            )
    found: list[Wired] = []
    needed = names[: len(names) - item.target.optional] if isinstance(item.target, Op) else ()
    missing = [name for name in names if name not in by_name]
    if sound and missing and len(by_name) > names.index(missing[0]) and missing[0] in needed:
        scope.report("E205", f"{what} lacks the operand {missing[0]!r}", written.span)
        raise Poisoned
    for name in names:
        if name in by_name:
            found += _wires(scope, item, by_name[name])
    if not sound:
        raise Poisoned
    return tuple(found)


@cache
def _merges() -> tuple[str, ...]:
    """The functions that may stand on an edge."""
    found = ((name, ops.get(name)) for name in ops.names())
    return tuple(name for name, op in found if op is not None and merges(op))


def operand_names(scope: Scope, item: Item) -> tuple[str, ...]:
    """What a node's operands are called."""
    target = item.target
    if isinstance(target, Op):
        return target.operands
    if isinstance(target, str):
        return tuple(map(str, scope.templates.blocks[target].input_names))
    return tuple(map(str, target.input_names)) if target is not None else (INPUT,)


def written_name(scope: Scope, ref: Ref, item: Item | None) -> str:
    """What a reference says, its expressions filled in."""
    if ref.value is None:
        return str(ref.text)
    if item is None:
        return str(scope.evaluate(ref.value, scope.visible, None, nodes=False)[0])
    return str(scope.fixed(ref.value, item, "a name", nodes=False))


def source(scope: Scope, ref: Ref, item: Item | None) -> Source:
    """A reference by name; `x.0` and `x.skip` select a part."""
    head, *parts = written_name(scope, ref, item).split(".")
    if head in scope.index or head in scope.takes:
        return Source(head, tuple(parts), ref.span)
    if not scope.loose:
        known = [*scope.input_names, *(n for n in scope.index if not n.endswith("?"))]
        hint = scope.state.nearest(head, known)
        if scope.around_has(head):
            hint = f"a group sees no nodes around it; give it {head!r} with `from`"
        elif " " in head and all(part in known for part in head.split()):
            hint = f"a comma is missing: [{', '.join(head.split())}]"
        elif inside := [
            n for n, t in scope.values.items() if isinstance(t, Several) and head in t.names
        ]:
            hint = f"did you mean {inside[0]}.{head}?"
        elif head == INPUT:
            hint = f"the inputs here are {', '.join(scope.input_names)}"
        scope.report(
            "E201",
            f"there is no node {head!r} here",
            ref.span,
            about=head,
            suggestion=hint or f"known here: {', '.join(known[:12])}",
        )
    raise Poisoned


def select(scope: Scope, one: Source) -> tuple[Edge, Type]:
    """The edge of a source whose node has been built, and the type of what it carries."""
    name = one.name or scope.running
    type_ = scope.values.get(name)
    if type_ is None:
        raise Poisoned
    scope.used.add(name)
    chosen: list[int] = []
    for part in one.parts:
        chosen.append(_part(scope, one, name, type_, part))
        if isinstance(type_, Several):
            type_ = type_.items[chosen[-1]]
    return Edge(name, tuple(chosen), one.span), type_


def _part(scope: Scope, one: Source, name: str, type_: Type, part: str) -> int:
    if isinstance(type_, Tensor):
        item = scope.items[scope.index[name]] if name in scope.index else None
        nodes = item is not None and item.turns is None and not isinstance(item.target, Op | None)
        scope.report(
            "E201",
            f"{name!r} is a single tensor and has no part {part!r}",
            one.span,
            suggestion="its `outputs` say what it gives" if nodes else None,
        )
        raise Poisoned
    if part in type_.names:
        return type_.names.index(part)
    if part.isdecimal() and int(part) < len(type_.items):
        return int(part)
    known = type_.names or tuple(map(str, range(len(type_.items))))
    scope.report(
        "E201",
        f"{name!r} has no part {part!r}",
        one.span,
        suggestion=did_you_mean(part, known) or f"its parts are {', '.join(known)}",
    )
    raise Poisoned


def edge(scope: Scope, name: str) -> Edge:
    """An edge from a node that the language itself takes the value of."""
    scope.used.add(name)
    return Edge(name)


def values(scope: Scope, names: Iterable[str]) -> tuple[tuple[Output, ...], Literal["list"], Type]:
    """The values of nodes as a list."""
    selected = [select(scope, Source(name)) for name in names]
    made = tuple(Output("", edge) for edge, _ in selected)
    return made, "list", Several(tuple(type_ for _, type_ in selected))


def outputs(
    scope: Scope, raw: Text | Seq | Map
) -> tuple[tuple[Output, ...], Literal["single", "list", "mapping"], Type]:
    """What `outputs` says: a name, a list or a mapping of names."""
    form, named = nested.outputs(raw)
    if not named:
        scope.report("E103", "`outputs` names nothing", raw.span)
    scope.state.wire(len(named))
    made: list[Output] = []
    types: list[Type] = []
    sound = True
    for name, item in named:
        wired = scope.templates.wire(item)
        try:
            if not isinstance(wired, Ref):
                raise Poisoned
            found, type_ = select(scope, source(scope, wired, None))
        except Poisoned:
            sound = False
            continue
        made.append(Output(name, found))
        types.append(type_)
    if not sound:
        raise Poisoned
    if form == "single":
        return tuple(made), form, types[0]
    names = tuple(name for name, _ in named) if form == "mapping" else ()
    return tuple(made), form, Several(tuple(types), names)
