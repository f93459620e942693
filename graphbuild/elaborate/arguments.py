"""The arguments of a node: the spec's defaults, its own, and those that a block passes on to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from graphbuild import expr
from graphbuild.dims import PROBES
from graphbuild.elaborate import faults, rules
from graphbuild.elaborate.state import Poisoned
from graphbuild.elaborate.written import Value
from graphbuild.ir import Arg
from graphbuild.ops.base import Op
from graphbuild.source import Text

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope

# The given arguments, all of them at each probe (one set if they are the same), and a key of both.
Evaluated = tuple[dict[str, Arg], list[dict[str, object]], object]


class Given(dict[str, "Value | Arg"]):
    """The arguments of a call. `done` keeps what they came to, by the values of `names`."""

    __slots__ = ("done", "names")
    done: dict[object, Evaluated]
    names: tuple[str, ...]  # what their expressions read


def fixed(values: Mapping[str, Value | Arg]) -> Given:
    made = Given(values)
    made.done = {}
    names = set[str]().union(*(v.names for v in values.values() if isinstance(v, Value)))
    made.names = tuple(sorted(names))
    return made


def given_args(scope: Scope, item: Item, name: str) -> Given:
    """The arguments of a node: the spec's defaults for that op, its own, and those passed on."""
    template = item.template
    own: Mapping[str, Value | Arg] = template.args
    rest = scope.rest if scope.rest_child == template.key else None
    for param, arg in (rest or {}).items():
        if param in own:
            scope.report(
                "E112",
                f"{item.name!r} sets {str(param)!r} itself, so that it cannot be passed on to it",
                param.span if isinstance(param, Text) else arg.span,
                about=param,
                suggestion=f"declare {str(param)!r} under the params of {scope.calling[-1]}",
            )
            raise Poisoned
    if name in scope.state.spoilt:
        raise Poisoned
    defaults = scope.state.defaults.get(name)
    if not defaults and not rest:
        if template.given is None:
            template.given = fixed(own)
        given: Given = template.given
        return given
    hidden = False
    for arg_name, value in scope.templates.defaults.get(name, {}).items():
        if arg_name not in own and value.names:
            scope.lent |= value.names
            scope.reads |= value.names if scope.is_root else set()
            hidden |= any(
                item.visible.get(n) is not scope.state.visible.get(n) for n in value.names
            )
    if rest:
        scope.reads |= rest.keys()
    if hidden:  # the expression would mean something else here
        defaults = {n: replace(a, expr=expr.literal(a.value)) for n, a in (defaults or {}).items()}
    if hidden or rest:
        return fixed({**(defaults or {}), **own, **(rest or {})})
    known: dict[object, Given] = scope.state.given
    key = (id(template), name)
    if key not in known:
        known[key] = fixed({**(defaults or {}), **own})
    return known[key]


def arguments(scope: Scope, item: Item, op: Op, node: str, given: Given) -> Evaluated:
    """The given arguments, all arguments at each probe, and a key of both (None: differ)."""
    variables = [item.visible.get(name) for name in given.names]
    read = [scope.state.key(v.value) for v in variables if v]
    again = None if None in variables else (op.name, *read)
    done = given.done.get(again)
    if done is not None:
        scope.note(given.names, item.loop)
        return done
    args: dict[str, Arg] = {}
    free: dict[str, Value] = {}
    sound = True
    for name, value in given.items():
        if isinstance(value, Arg):
            args[name] = value
            continue
        try:
            found, is_free = scope.evaluate(value, item.visible, item.loop)
        except Poisoned:
            sound = False
            continue
        args[name] = Arg(found, value.expr, value.span, is_free)
        if is_free:
            free[name] = value
    if not sound:
        raise Poisoned
    if free and (op.layer or op.own):
        for name, value in free.items():
            faults.free_expression(scope, op, node, name, value)
        raise Poisoned
    values = {name: arg.value for name, arg in args.items()}
    key = tuple((name, scope.state.key(value)) for name, value in values.items())
    first = _checked(scope, op, given, values, key, item)
    args = {name: _checked_arg(args[name], value) for name, value in first.items() if name in args}
    if free:
        probes = [first] + [
            {**first, **_at(scope, item, op, free, values, probe)} for probe in range(1, PROBES)
        ]
        return args, probes, None
    evaluated = (args, [first], key)
    if again is not None:
        given.done[again] = evaluated
    return evaluated


def _checked(
    scope: Scope, op: Op, given: Given, values: dict[str, object], key: object, item: Item
) -> dict[str, object]:
    known = scope.state.checked.get((op.name, key))
    if known is None:
        try:
            known = rules.checked(op, values)
        except rules.ArgsError as error:
            faults.arguments(scope, op, given, item.span, error)
        scope.state.checked[op.name, key] = known
    return known


def _checked_arg(arg: Arg, value: object) -> Arg:
    return arg if value is arg.value else Arg(value, arg.expr, arg.span, arg.free)


def _at(
    scope: Scope,
    item: Item,
    op: Op,
    free: Mapping[str, Value],
    values: Mapping[str, object],
    probe: int,
) -> dict[str, object]:
    """The arguments that read a free dimension, at a probe; at one without a value, as before."""
    found: dict[str, object] = {}
    try:
        for name, value in free.items():
            env, _ = scope.environment(value, item.visible, item.loop, True, probe)
            found[name] = scope.state.evaluate(value.expr, env)
        checked = rules.checked(op, {**values, **found})
    except (LookupError, expr.ExprError, rules.ArgsError):
        return {}
    return {name: checked[name] for name in free}
