"""`when`: in which mode of the module a node is there, and what that means for those who take it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from graphbuild import expr, modes
from graphbuild.elaborate.operands import RUNNING, Source
from graphbuild.elaborate.state import Poisoned
from graphbuild.elaborate.written import NodeTemplate, Value, When
from graphbuild.errors import Note, Span
from graphbuild.ir import ABSENT, Arg, Edge, Node, Several, Type
from graphbuild.modes import Mode, Modes, both, either, leaves
from graphbuild.ops.base import Op

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope

Operand = tuple[Edge, Type]
_WORDS: dict[Mode, str] = {
    "always": "always there",
    "training": "there in training only",
    "eval": "there in evaluation only",
    "never": "absent",
}


def own(scope: Scope, item: Item) -> Arg | None:
    """What a node's `when` says, apart from what it takes: a mode."""
    when = item.template.when
    if when is None or _is_said_elsewhere(item.template, when, item):
        return None
    found = [bool(scope.fixed(v, item, "a `when`")) for v in (when.training, when.evaluation)]
    return Arg(modes.mode(*found), when.written.expr, when.written.span)


def _is_said_elsewhere(template: NodeTemplate, when: When, item: Item) -> bool:
    """Of a repetition under a plain name: whether each turn says it, or the group of all turns."""
    if template.repeat is None or template.name is not None:
        return False
    each = not when.written.names.isdisjoint({"i", *template.repeat.over})
    return each if item.loop is None else not each


def of(scope: Scope, edge: Edge) -> Modes:
    """When what an edge carries is there."""
    found = scope.modes.get(edge.source, "always")
    for index in edge.select:
        found = modes.part(found, index)
    return found


def check(scope: Scope, item: Item, operands: Sequence[Operand]) -> Mode:
    """When a node runs that needs all of its operands; reports a use that nothing guards.

    A merge takes what is there, so here only its own `when` is looked at.
    """
    if item.mode == "never":
        return "never"
    op = item.target
    merges = isinstance(op, Op) and op.variadic and bool(item.present) and item.turns is None
    wires = item.wires or ()
    if not item.present:  # left out by `if`: the others are not handed on
        first = 0 if item.template.by is None else 1
        operands, wires = operands[first : first + 1], wires[first : first + 1]
    given = [leaves(of(scope, edge)) for edge, _ in operands]
    for (edge, _), wired, found in zip(operands, wires, given, strict=False):
        implicit = isinstance(wired, Source) and wired.implicit and wired.name != RUNNING
        seen = either(*found) if merges else both(*found)
        if (implicit or scope.repeated is not None) and both(item.mode, seen) != item.mode:
            _above(scope, item, edge, seen)
    every = [leaf for found in given for leaf in found]
    there, some = both(*every), either(*every) if every else "always"
    if not merges and both(item.mode, there) != both(item.mode, some):
        _unguarded(scope, item, [edge for edge, _ in operands])
    mode = both(item.mode, some if merges else there)
    if mode == "never" and item.mode != "always" and some != "never":
        _contradicts(scope, item, operands)
    return mode


def variants(
    scope: Scope, item: Item, op: Op, edges: Sequence[Edge]
) -> tuple[Mode, list[tuple[int, ...]]]:
    """When a call of an op runs, and which operands it has there: of a merge maybe others in
    training than in evaluation."""
    given = [both(*leaves(of(scope, edge))) for edge in edges]
    if not op.variadic:
        mode = both(item.mode, *given)
        if mode != both(item.mode, either(*given) if given else "always"):
            _unguarded(scope, item, edges)
        return mode, [tuple(range(len(edges)))]
    mode = both(item.mode, either(*given))
    found = [
        tuple(k for k, each in enumerate(given) if modes.there(each, training))
        for training in (True, False)
        if modes.there(mode, training)
    ]
    return mode, list(dict.fromkeys(found))


def never(scope: Scope, item: Item, name: str, edges: Sequence[Edge]) -> Type:
    """A node that is never there: neither its arguments nor its inside are looked at."""
    scope.modes[name] = "never"
    synthetic = name != item.name
    item.made.append(
        Node(
            name,
            None,
            tuple(edges),
            ABSENT,
            loop=item.loop,
            synthetic=synthetic,
            span=item.span,
            mode="never",
            when=None if synthetic else item.when,
        )
    )
    return ABSENT


def check_reads(scope: Scope, item: Item, args: Mapping[str, Arg], mode: Mode) -> None:
    """That a shape which `forward` reads is there whenever the node runs."""
    for arg in args.values():
        for name in sorted(expr.names(arg.expr)) if arg.free and arg.expr is not None else ():
            seen = both(*leaves(of(scope, Edge(name))))
            if both(mode, seen) != mode:
                scope.report(
                    "E213",
                    f"{item.name!r} reads the shape of {name!r}, which is {_WORDS[seen]}",
                    arg.span,
                    notes=[_note(scope, Edge(name), seen)],
                    suggestion="give it the same `when`",
                )
                raise Poisoned


def no_shape(scope: Scope, name: str, value: Value) -> None:
    """The shape of a value that is never there is read."""
    scope.report(
        "E213",
        f"{name!r} has no shape, since it is absent",
        value.span,
        notes=[_note(scope, Edge(name), "never")],
    )
    raise Poisoned


# -- findings -----------------------------------------------------------------------------------


def _above(scope: Scope, item: Item, edge: Edge, seen: Mode) -> None:
    name = _shown(scope, edge)
    scope.report(
        "E213",
        f"{item.name!r} has no `from`, and the node above, {name!r}, is {_WORDS[seen]}",
        item.span,
        notes=[_note(scope, edge, seen)],
        suggestion=f"say from: {name} if it is to be absent too; or let {name!r} have an `if`, "
        "which passes its operand through",
    )
    raise Poisoned


def _unguarded(scope: Scope, item: Item, edges: Sequence[Edge]) -> None:
    notes = [_note(scope, edge, both(*leaves(of(scope, edge)))) for edge in edges]
    scope.report(
        "E213",
        f"{item.name!r} takes values of which some may be absent",
        item.span,
        notes=list(dict.fromkeys(notes)),
        suggestion="give it the same `when`; or write `if` there in place of `when`, which passes "
        "its operand through",
    )
    raise Poisoned


def _contradicts(scope: Scope, item: Item, operands: Sequence[Operand]) -> None:
    what = [(edge, both(*leaves(of(scope, edge)))) for edge, _ in operands]
    edge, seen = next((e, m) for e, m in what if m != "always")
    scope.report(
        "E213",
        f"{item.name!r} is never there: it is {_WORDS[item.mode]}, but takes {edge.source!r}",
        item.when.span if item.when is not None else item.span,
        notes=[Note(f"{edge.source} is {_WORDS[seen]}", _place(scope, edge.source))],
    )
    raise Poisoned


def changes(
    scope: Scope, item: Item, name: str, edges: Sequence[Edge], found: Sequence[Type], span: Span
) -> None:
    """A merge whose value is another in training than in evaluation."""
    notes = [
        Note(f"{words:<13}  {scope.state.show(type_)}")
        for words, type_ in zip(("in training", "in evaluation"), found, strict=True)
    ]
    notes += [
        Note(f"{edge.source} is {_WORDS[seen]}", _place(scope, edge.source))
        for edge in edges
        if (seen := both(*leaves(of(scope, edge)))) != "always"
    ]
    scope.report(
        "E204",
        f"the shape of {scope.where(name)!r} changes with the mode of the module",
        span,
        notes=notes,
        suggestion="give it a `when` of its own, or merge values that are there together",
    )
    raise Poisoned


def _note(scope: Scope, edge: Edge, seen: Mode) -> Note:
    """When an operand is there, and by which `when`."""
    words, name = f"{_shown(scope, edge)} is {_WORDS[seen]}", edge.source
    while seen != "always" and name in scope.index:
        item = scope.items[scope.index[name]]
        if item.template.when is not None:
            raw = item.template.when.written.raw
            whose = "its" if name == edge.source else f"that of {name}"
            return Note(f"{words}, by {whose} `when: {raw}`", raw.span)
        before = (e.source for n in item.made for e in n.operands if of(scope, e) != "always")
        name = next(before, "")
    return Note(words, _place(scope, edge.source))


def _shown(scope: Scope, edge: Edge) -> str:
    """An operand by its name, a part by that of the output."""
    type_, said = scope.values.get(edge.source), [edge.source]
    for index in edge.select:
        names = type_.names if isinstance(type_, Several) else ()
        said.append(names[index] if names else str(index))
        type_ = type_.items[index] if isinstance(type_, Several) else None
    return ".".join(said)


def _place(scope: Scope, name: str) -> Span | None:
    for given in scope.inputs:
        if given.name == name:
            return given.span
    position = scope.index.get(name.split(".")[0])
    return scope.items[position].template.span if position is not None else None
