"""Nodes that choose at run time: what chooses, and the data of their cases.

The cases are the nodes of a scope (see `cases`). Its first input is what chooses, the others are
the data, which every case takes. Where single rows are chosen (`route`, `top_k`) a case is given
some rows of the data; rows of several dimensions (tokens of samples) are laid out as one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import prod
from typing import TYPE_CHECKING

from graphbuild.elaborate import calls, faults
from graphbuild.elaborate.operands import Source
from graphbuild.elaborate.params import show
from graphbuild.elaborate.state import Poisoned
from graphbuild.elaborate.written import ScopeTemplate
from graphbuild.ir import Arg, Edge, Graph, Input, Routing, Several, Tensor, Type
from graphbuild.ops.dtypes import KIND

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope

Operand = tuple[Edge, Type]

_CHOOSES = {  # the kinds of dtype that choose, and both in words
    "switch": (("bool", "int"), "a single bool or int, without dimensions"),
    "route": (("int", "bool"), "an int64 (or a bool) for each sample, such as [N]"),
    "mixture": (("float",), "a float for each sample and case, such as [N, cases]"),
}


def build(scope: Scope, item: Item, template: ScopeTemplate, operands: Sequence[Operand]) -> Type:
    """A node with cases."""
    (by, chooser), *data = operands
    spec = item.template.spec.routing
    if spec is None:
        raise ValueError("a node without cases")
    kind = spec.kind
    _check_data(scope, item, kind, by, data)
    if isinstance(chooser, Several):
        faults.several(scope, item, by, chooser, spec.by.span, above=False)
    _check_chooser(scope, item, kind, by, chooser)
    top_k = _top_k(scope, item)
    routing = Routing(kind, top_k, item.template.span)
    given = _inputs(scope, item, routing, chooser, operands)
    path = scope.where(item.name)

    def make() -> Graph | None:
        child = scope.child(
            scope.templates,
            template,
            "group",
            item.template.label,
            path=path,
            around=item.visible,
            inputs=given,
            doc=item.template.spec.doc,
            site=scope.site,
            parent=scope,
            depth=scope.depth + 1,
            calling=scope.calling,
            routing=routing,
        )
        if item.template.top_k is not None:
            child.reads |= item.template.top_k.names
        return child.run()

    key: Hashable = (
        id(template),
        scope.state.key(top_k.value) if top_k is not None else None,
        calls.around(scope.state, item, template.reads),
        tuple(id(type_) for _, type_ in operands),
    )
    graph = calls.once(scope, key, scope.site, make)
    return calls.made(scope, item, graph, operands, {})


def _who(scope: Scope, name: str, kind: str) -> str:
    return f"{kind} node {scope.where(name)!r}"


def _check_data(scope: Scope, item: Item, kind: str, by: Edge, data: Sequence[Operand]) -> None:
    span = item.template.span
    first = item.wires[1] if item.wires and len(item.wires) > 1 else None
    if isinstance(first, Source) and first.implicit and data[0][0].source == by.source:
        scope.report(
            "E202",
            f"{item.name!r} has no `from`, and the node above, {by.source!r}, is what it chooses by",
            span,
            suggestion="say with `from` what its cases take",
        )
        raise Poisoned
    if not data:
        scope.report("E205", f"{_who(scope, item.name, kind)} has no data for its cases", span)
        raise Poisoned
    for one, type_ in data:
        if isinstance(type_, Several):
            faults.several(scope, item, one, type_, one.span or span, above=one.span is None)


def _check_chooser(scope: Scope, item: Item, kind: str, by: Edge, type_: Tensor) -> None:
    """That what chooses has a dtype and as many dimensions as the kind of choice needs."""
    kinds, words = _CHOOSES[kind]
    span = by.span or item.template.span  # a turn is given it by the language
    notes = faults.operand_notes(scope, [by], [type_])
    index = kind != "route" or type_.dtype in ("int64", "int32", "bool")
    if KIND.get(type_.dtype) not in kinds or not index:
        hint = None
        if kind == "mixture":
            hint = "a gate is a float per case, such as a softmax gives it; an index takes `route`"
        elif kind == "route" and KIND.get(type_.dtype) == "float":
            hint = "weights take `mixture`; an index comes of {op: argmax, dim: 1}"
        elif KIND.get(type_.dtype) == "float":
            hint = "compare it first, such as with {op: gt, other: 0.5}"
        scope.report(
            "E206",
            f"{_who(scope, item.name, kind)} chooses by {words}",
            span,
            found=type_.dtype,
            notes=notes,
            suggestion=hint,
        )
        raise Poisoned
    rank = len(type_.shape)
    if (rank > 0) if kind == "switch" else (rank < (2 if kind == "mixture" else 1)):
        hint = None
        if kind == "switch":
            hint = "for a case per sample write `route`"
        elif kind == "route":
            hint = "for one case for the whole batch write `switch`"
        scope.report(
            "E207",
            f"{_who(scope, item.name, kind)} chooses by {words}",
            span,
            found=scope.state.show(type_),
            notes=notes,
            suggestion=hint,
        )
        raise Poisoned


def _top_k(scope: Scope, item: Item) -> Arg | None:
    value = item.template.top_k
    if value is None:
        return None
    found = scope.fixed(value, item, "top_k")
    if type(found) is not int:
        scope.report(
            "E114", "top_k is a number of cases", value.span, expected="an int", found=show(found)
        )
        raise Poisoned
    return Arg(found, value.expr, value.span)


def _inputs(
    scope: Scope, item: Item, routing: Routing, chooser: Tensor, operands: Sequence[Operand]
) -> tuple[Input, ...]:
    """The inputs of the scope of cases: with rows of several dimensions laid out as one."""
    lead = routing.lead(chooser)
    by, *data = operands
    types: list[Type] = []
    for one, type_ in data:
        if not isinstance(type_, Tensor):
            raise Poisoned
        differ = _differ(scope, chooser, type_, lead)
        if differ is not None:
            scope.report(
                "E204",
                f"shape mismatch in {_who(scope, item.name, routing.kind)}",
                item.template.span,
                notes=faults.operand_notes(scope, [by[0], one], [chooser, type_]),
                suggestion=differ,
            )
            raise Poisoned
        if routing.by_rows and lead > 1:
            shapes = tuple(s and (prod(map(int, s[:lead])), *s[lead:]) for s in type_.shapes)
            type_ = scope.state.intern(Tensor(type_.dtype, shapes))
        types.append(type_)
    names = calls.input_names(routing.kind, len(data))
    edges = [one for one, _ in operands]
    span = item.template.span
    return tuple(
        Input(name, type_, span=one.span or span)
        for name, type_, one in zip(names, [chooser, *types], edges, strict=True)
    )


def _differ(scope: Scope, chooser: Tensor, data: Tensor, lead: int) -> str | None:
    """What is wrong with the first dimensions of the data."""
    if len(data.shape) < lead:
        return f"the data has {len(data.shape)} dimensions, what chooses speaks of {lead}"
    for d in range(lead):
        left, right = ([s[d] if s else None for s in one.shapes] for one in (chooser, data))
        if any(a != b for a, b in zip(left, right, strict=True) if None not in (a, b)):
            shown = [scope.state.dims.show(column) for column in (left, right)]
            return f"sizes differ in dimension {d} ({' and '.join(shown)})"
    return None
