"""One node: its operands, its arguments, its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphbuild import expr, ops
from graphbuild.elaborate import calls, faults, includes, presence, routing, rules, tensors
from graphbuild.elaborate.arguments import Given, arguments, fixed, given_args
from graphbuild.elaborate.operands import Source, Wired, select
from graphbuild.elaborate.state import Poisoned
from graphbuild.elaborate.written import Nested, ScopeTemplate
from graphbuild.errors import Span
from graphbuild.ir import ABSENT, Arg, Edge, Node, Several, Tensor, Type
from graphbuild.modes import Mode, within
from graphbuild.ops.base import DtypeError, Op, ShapeError

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope

Operand = tuple[Edge, Type]
Build = Callable[["Scope", "Item", list[Operand]], Type]


def guarded(scope: Scope, item: Item, build: Build) -> Type:
    """The same where values may be absent, this one or those that it takes."""
    operands = sound(operands_of(scope, item))
    mode = presence.check(scope, item, operands)
    if mode == "never":
        return presence.never(scope, item, item.name, [edge for edge, _ in operands])
    type_ = build(scope, item, operands)
    made = item.made[-1]
    if mode != made.mode or item.when is not None:
        item.made[-1] = replace(made, mode=mode, when=item.when)
    found = within(mode, scope.modes.get(item.name, "always"))
    if found != "always":
        scope.modes[item.name] = found
    return type_


def build(scope: Scope, item: Item, operands: list[Operand] | None = None) -> Type:
    """Make the item's nodes and give its type. Raises Poisoned, having reported what is wrong."""
    operands = operands_of(scope, item) if operands is None else operands
    target = item.target
    if not item.present:
        return _absent(scope, item, sound(operands))
    if item.turns is not None:
        return calls.repeat(scope, item, sound(operands))
    if isinstance(target, Op):
        given = given_args(scope, item, target.name)
        if item.owner is not None:  # what its owner was given, the operands say here
            known = item.owner.made[-1].args
            said = {n for n in target.infer if n in given and type(known[n].value) is int}
            given = fixed({n: v for n, v in given.items() if n not in said})
        if operands is None:  # the arguments are looked at all the same
            arguments(scope, item, target, item.name, given)
            raise Poisoned
        type_ = call(scope, item, target, item.name, given, operands, item.span)
        if target.own:
            tensors.check(scope, item, item.made[-1])
        return type_
    if isinstance(target, str):
        return calls.block(scope, item, target, operands)
    if isinstance(target, ScopeTemplate) and item.template.by is not None:
        return routing.build(scope, item, target, sound(operands))
    if isinstance(target, ScopeTemplate):
        return calls.group(scope, item, target, sound(operands))
    if isinstance(target, Nested):
        return includes.call(scope, item, target, operands)
    raise Poisoned


def operands_of(scope: Scope, item: Item) -> list[Operand] | None:
    """The operands, or None where something is wrong with one of them."""
    if item.wires is None:
        return None
    found: list[Operand] = []
    sound = True
    for position, wired in enumerate(item.wires):
        try:
            edge, type_ = _operand(scope, item, wired, str(position))
            implicit = isinstance(wired, Source) and wired.implicit
            takes_one = item.present and not isinstance(item.target, Op)
            if implicit and takes_one and isinstance(type_, Several):
                faults.several(scope, item, edge, type_, item.span, above=True)
        except Poisoned:
            sound = False
        else:
            found.append((edge, type_))
    return found if sound else None


def sound(operands: list[Operand] | None) -> list[Operand]:
    if operands is None:
        raise Poisoned
    return operands


def _absent(scope: Scope, item: Item, operands: list[Operand]) -> Type:
    """A node that is not built passes its first operand through, cases aside from what chooses."""
    if item.template.by is not None:
        operands = operands[1:]
    if not operands:
        scope.report(
            "E205",
            f"{item.name!r} is left out, but has no operand to pass on",
            item.span,
        )
        raise Poisoned
    edge, type_ = operands[0]
    item.made.append(
        Node(
            item.name,
            None,
            (edge,),
            type_,
            condition=item.condition,
            loop=item.loop,
            span=item.span,
        )
    )
    return type_


def _operand(scope: Scope, item: Item, wired: Wired, position: str) -> Operand:
    """The edge of an operand; a merge on the edge becomes a node in front of this one."""
    if isinstance(wired, Source):
        return select(scope, wired)
    merge = wired.merge
    operands = [_operand(scope, item, o, f"{position}.{k}") for k, o in enumerate(wired.operands)]
    whole = len(item.wires or ()) == 1 and position == "0"
    name = f"{item.name}.from" if whole else f"{item.name}.from.{position}"
    given = fixed({**scope.state.defaults.get(merge.op.name, {}), **merge.args})
    type_ = call(scope, item, merge.op, name, given, operands, merge.span, synthetic=True)
    return Edge(name, (), merge.span), type_


def call(
    scope: Scope,
    item: Item,
    op: Op,
    name: str,
    given: Given,
    operands: Sequence[Operand],
    span: Span,
    synthetic: bool = False,
) -> Type:
    """A call of an op as a node of the item."""
    edges, types = _tensors(scope, item, op, name, operands, span)
    faults.check_count(scope, op, name, len(edges), given, span)
    mode: Mode = "always"
    if scope.modes:
        mode, there = presence.variants(scope, item, op, edges)
        if mode == "never":
            return presence.never(scope, item, name, edges)
    args, probes, key = arguments(scope, item, op, name, given)
    again = (op, key, *map(id, types))
    typed: rules.Typed | None = scope.state.typed.get(again) if key is not None else None
    if scope.modes:
        presence.check_reads(scope, item, args, mode)
        if mode != "always":
            scope.modes[name] = mode
        several: list[rules.Typed] = []
        for taken in there:
            some = [edges[k] for k in taken], [types[k] for k in taken]
            if op.passes and len(taken) == 1 < len(edges):
                several.append(rules.Typed({}, frozenset(), types[taken[0]]))
            else:
                several.append(_typed(scope, op, name, *some, args, (probes, key), given, span))
        typed = several[0]
        if typed.type is not several[-1].type:
            presence.changes(scope, item, name, edges, [t.type for t in several], span)
    elif typed is None:
        typed = _typed(scope, op, name, edges, types, args, (probes, key), given, span)
    if typed.inferred:
        every = {**{n: Arg(typed.args[n]) for n in typed.inferred}, **args}
        args = {a.name: every[a.name] for a in op.arguments if a.name in every}
    item.made.append(
        Node(
            name,
            op,
            edges,
            typed.type,
            args,
            None if synthetic else item.condition,
            item.loop,
            synthetic,
            item.span,
            mode=mode,
        )
    )
    return typed.type


def _typed(
    scope: Scope,
    op: Op,
    name: str,
    edges: Sequence[Edge],
    types: Sequence[Tensor],
    args: Mapping[str, Arg],
    evaluated: tuple[list[dict[str, object]], object],
    given: Given,
    span: Span,
) -> rules.Typed:
    """What the rules make of a call."""
    probes, key = evaluated
    try:
        typed = rules.typed(op, probes, types)
    except ShapeError as error:
        faults.shape(scope, op, name, edges, types, args, span, error)
    except DtypeError as error:
        faults.dtype(scope, op, name, edges, types, span, error)
    except rules.Mismatch as error:
        faults.mismatch(scope, op, name, edges, types, args[error.argument].span, error)
    except rules.FreeArgument as error:
        faults.free_argument(scope, op, name, edges, types, span, error)
    except rules.ArgsError as error:
        faults.arguments(scope, op, given, span, error)
    if isinstance(typed.type, Several):
        scope.state.count(len(typed.type.items))
    typed = rules.Typed(typed.args, typed.inferred, scope.state.intern(typed.type))
    if key is not None:
        again = (op, key, *map(id, types))
        scope.state.typed[again] = typed
    return typed


def _tensors(
    scope: Scope, item: Item, op: Op, name: str, operands: Sequence[Operand], span: Span
) -> tuple[tuple[Edge, ...], tuple[Tensor, ...]]:
    """The operands as tensors: a merge takes all values of one that gives several."""
    edges: list[Edge] = []
    types: list[Any] = []  # what is never there is left out of a merge, and reported elsewhere
    for edge, type_ in operands:
        if isinstance(type_, Tensor) or type_ == ABSENT:
            edges.append(edge)
            types.append(type_)
            continue
        parts = [t for t in type_.items if isinstance(t, Tensor) or t == ABSENT]
        if not op.variadic or len(parts) < len(type_.items):
            faults.several(scope, item, edge, type_, edge.span or span, above=edge.span is None)
        edges += [Edge(edge.source, (*edge.select, k), edge.span) for k in range(len(parts))]
        types += parts
    return tuple(edges), tuple(types)


CONCAT = next(op for op in map(ops.get, ops.names()) if op is not None and op.name == "concat")
CHANNELS = fixed({"dim": Arg(1, expr.literal(1))})


def grow(scope: Scope, item: Item) -> None:
    """In a dense group, the concat of what came before and this child."""
    type_ = scope.values.get(item.name)
    before = scope.values.get(scope.running)
    if item.present is False or type_ == ABSENT:
        return
    if type_ is None or before is None:
        scope.running = "?"
        scope.values["?"] = None
        return
    name = f"{item.name}.concat"
    scope.state.count()
    if isinstance(type_, Several):
        scope.report(
            "E202",
            f"a child of a dense group gives a single value, but {item.name!r} gives "
            f"{len(type_.items)}",
            item.span,
        )
        scope.running, scope.values["?"] = "?", None
        return
    operands = [(Edge(scope.running), before), (Edge(item.name), type_)]
    scope.used |= {scope.running, item.name}
    item.when = None  # it says when the child is there, not what has grown
    try:
        scope.values[name] = call(
            scope, item, CONCAT, name, CHANNELS, operands, item.span, synthetic=True
        )
    except Poisoned:
        scope.sound = False
        scope.values[name] = None
    scope.running = name
