"""Repetition: how often a node turns, and what its variables are in each turn."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from graphbuild.elaborate.params import show
from graphbuild.elaborate.state import MAX_TURNS, Poisoned
from graphbuild.elaborate.written import NodeTemplate, Repeat, Value
from graphbuild.ir import Loop, Variable

if TYPE_CHECKING:
    from graphbuild.elaborate.scope import Scope


def turns(scope: Scope, template: NodeTemplate, again: Repeat) -> list[Loop] | None:
    """The turns of a repetition, or None where something is wrong (which is reported)."""
    over: dict[str, ast.expr] = {}
    named: dict[str, tuple[object, ...]] = {}
    length: int | None = None
    try:
        for name, value in again.over.items():
            found = _read(scope, value)
            counted = _is_int(found)
            items: Any = tuple(range(_count(scope, value, found))) if counted else found
            if not isinstance(items, tuple):
                _wrong(scope, value, "a variable of `repeat` runs over a list or a count", found)
            if length is not None and len(items) != length:
                scope.report(
                    "E103",
                    "the variables of a `repeat` run over different lengths",
                    again.span,
                    found=f"{length} and {len(items)}",
                )
                raise Poisoned
            length = len(items)
            _bounded(scope, value, length)
            named[name] = items
            over[name] = value.expr
            over.setdefault(
                "i",
                value.expr if counted else ast.Call(ast.Name("len", ast.Load()), [value.expr], []),
            )
        if again.count is not None:
            found = _read(scope, again.count)
            if not _is_int(found):
                hint = "name the variable that runs over a list: repeat: {item: ...}"
                suggestion = hint if isinstance(found, tuple) else None
                if isinstance(found, str) and found.isdecimal():
                    suggestion = f"without quotes it is a number: {found}"
                _wrong(scope, again.count, "`repeat` takes a count", found, suggestion)
            length = _count(scope, again.count, found)
            _bounded(scope, again.count, length)
            over["i"] = again.count.expr
    except Poisoned:
        return None
    count = length or 0
    return [
        Loop(
            str(template.key),
            index,
            count,
            {"i": index, **{name: items[index] for name, items in named.items()}},
            over,
            template.name.expr if template.name is not None else None,
        )
        for index in range(count)
    ]


def bound(visible: dict[str, Variable], loop: Loop) -> dict[str, Variable]:
    """The visible names with the variables of a turn."""
    own = {name: Variable(name, value, "let") for name, value in loop.variables.items()}
    return {**visible, **own}


def reads(condition: Value, turns: list[Loop]) -> bool:
    """Whether an `if` is about single turns: else it is about the repetition as a whole."""
    return bool(turns) and not condition.names.isdisjoint(turns[0].variables)


def _read(scope: Scope, value: Value) -> object:
    found, free = scope.evaluate(value, scope.visible, None, nodes=False)
    if free:
        scope.report("E208", "a `repeat` depends on a free dimension", value.span)
        raise Poisoned
    return found


def _is_int(value: object) -> bool:
    return type(value) is int


def _count(scope: Scope, value: Value, found: Any) -> int:
    if found < 0:
        scope.report("E124", f"`repeat` counts to {found}", value.span, expected="an int >= 0")
        raise Poisoned
    _bounded(scope, value, found)
    return int(found)


def _bounded(scope: Scope, value: Value, count: int) -> None:
    if count > MAX_TURNS:
        scope.report("E124", f"more than {MAX_TURNS:,} turns", value.span, found=f"{count:,}")
        raise Poisoned
    scope.state.turn(count)


def _wrong(
    scope: Scope, value: Value, message: str, found: object, suggestion: str | None = None
) -> None:
    scope.report("E103", message, value.span, found=show(found), suggestion=suggestion)
    raise Poisoned
