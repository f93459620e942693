"""The cases of a node that chooses at run time: their names and number, and what they agree on.

They are the nodes of a scope whose first input is what chooses; each takes all the other inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphbuild.elaborate import faults
from graphbuild.elaborate.operands import Source, edge
from graphbuild.elaborate.origin import origin
from graphbuild.elaborate.state import Poisoned
from graphbuild.errors import Note, did_you_mean
from graphbuild.ir import Edge, Output, Routing, Several, Tensor, Type
from graphbuild.modes import both, leaves
from graphbuild.ops.base import Op, Shape
from graphbuild.ops.dtypes import promote

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope


_WHERE = {"training": "training alone", "eval": "evaluation alone", "never": "neither mode"}


def check(scope: Scope, routing: Routing) -> None:
    """That there are cases to choose among, by such names and as many as what chooses says."""
    names = [item.name for item in scope.items if item.name]
    by = scope.inputs[0].type
    if scope.loose or not isinstance(by, Tensor):
        return
    span = routing.span
    who = f"{routing.kind} node {scope.path!r}"
    for item in scope.items:
        if item.target is None and not item.broken:
            scope.report(
                "E214",
                f"the case {item.name.rstrip('?')!r} of {who} is left out",
                item.template.span,
                suggestion="a case that does nothing is an Identity",
            )
    if len(names) < 2:
        scope.report(
            "E214",
            f"{who} has {'a single case' if names else 'no cases'}",
            span,
            expected="two cases or more",
            suggestion="without a choice, call it as a node of its own" if names else None,
        )
    elif routing.kind == "mixture":
        _check_width(scope, routing, by, who)
    elif by.dtype == "bool":
        if sorted(names) != ["false", "true"]:
            wrong = next((n for n in names if n not in ("true", "false")), names[0])
            scope.report(
                "E214",
                f"{who} chooses by a bool, so its cases are true and false",
                span,
                found=", ".join(names),
                suggestion=did_you_mean(wrong, ("true", "false"))
                or "cases: {true: ..., false: ...}",
            )
    elif {"true", "false"} & {*names}:
        scope.report(
            "E214",
            f"{who} chooses by an int, which counts its cases from 0: they are not true and false",
            span,
            suggestion="choose by a bool, or give the cases as a list",
        )
    else:
        for position, item in enumerate(scope.items):
            if item.name.isdecimal() and item.name != str(position):
                scope.report(
                    "E214",
                    f"the case {item.name!r} of {who} is number {position}, counted from 0",
                    item.template.span,
                    suggestion="give the cases as a list",
                )


def _check_width(scope: Scope, routing: Routing, by: Tensor, who: str) -> None:
    count = len(scope.items)
    widths = {int(s[-1]) for s in by.shapes if s is not None}
    if widths != {count}:
        scope.report(
            "E204",
            f"the gate of {who} has another width than there are cases",
            scope.inputs[0].span,
            expected=f"{count} in its last dimension, one for each case",
            found=scope.state.show(by),
            suggestion=_layer(scope, by, count),
        )
    top = routing.top_k
    if top is not None and isinstance(top.value, int) and not 1 <= top.value <= count:
        scope.report(
            "E115",
            f"top_k of {who} is out of range",
            top.span,
            expected=f"1 to {count}, the number of cases",
            found=str(top.value),
        )


def _layer(scope: Scope, by: Tensor, count: int) -> str | None:
    """The argument of the layer behind a gate that would give it the right width."""
    outer = scope.parent
    item = outer.items[outer.index[scope.path.rpartition(".")[2]]] if outer is not None else None
    source = item.wires[0] if item is not None and item.wires else None
    if outer is None or not isinstance(source, Source):
        return None
    last = len(by.shape) - 1
    found = origin(outer, Edge(source.name), last, by.shape[last])
    return f"did you mean {found[1]}: {count} in {found[0]}?" if found is not None else None


def result(scope: Scope, routing: Routing) -> tuple[tuple[Output, ...], Any, Type]:
    """The cases as outputs, and the type of a choice among them."""
    types: list[Tensor] = []
    for item in scope.items:
        type_ = scope.values.get(item.name)
        if type_ is None:
            raise Poisoned
        types.append(_checked(scope, item, type_))
    if not types or not scope.sound:
        raise Poisoned
    _check_alike(scope, routing, types)
    by, data = (given.type for given in scope.inputs[:2])
    if not isinstance(by, Tensor) or not isinstance(data, Tensor):
        raise Poisoned
    columns = zip(by.shapes, data.shapes, *(type_.shapes for type_ in types), strict=True)
    shapes: list[Shape | None] = []
    for chooser, rows, *values in columns:
        if chooser is None or rows is None or None in values or values[0] is None:
            shapes.append(None)
            continue
        lead, shape = chooser[: routing.lead(by)], values[0]
        wanted = rows[:1] if routing.by_rows else lead
        if shape[: len(wanted)] != wanted:
            _lost_rows(scope, routing, types)
        shapes.append((*lead, *shape[1:]) if routing.by_rows else shape)
    made = tuple(Output("", edge(scope, item.name)) for item in scope.items)
    dtype = types[0].dtype
    dtype = promote(by.dtype, dtype) if routing.kind == "mixture" else dtype
    return made, "single", Tensor(dtype, tuple(shapes))


def _checked(scope: Scope, item: Item, type_: Type) -> Tensor:
    """A case's type, where a case can be what it is."""
    if isinstance(type_, Several):
        scope.report(
            "E202",
            f"a case gives a single tensor, but {item.name!r} gives {len(type_.items)}",
            item.template.span,
            suggestion="end it with the node that is wanted, or give outputs a single name",
        )
        raise Poisoned
    mode = both(*leaves(scope.modes.get(item.name, "always")))
    if mode != "always":
        scope.report(
            "E213",
            f"a case always gives a value, but {item.name!r} does so in {_WHERE[mode]}",
            item.template.span,
            suggestion="say `when` of the node with cases, or merge what is there into the value",
        )
        raise Poisoned
    for node in item.made:
        op = node.call
        if isinstance(op, Op) and (op.style == "index" or any(a.free for a in node.args.values())):
            scope.report(
                "E214",
                f"the case {item.name!r} is no module by itself",
                item.template.span,
                suggestion="write it as a group: {nodes: [...]}",
            )
            raise Poisoned
    return type_


def _check_alike(scope: Scope, routing: Routing, types: Sequence[Tensor]) -> None:
    first, *others = types
    for other in others:
        pairs = zip(first.shapes, other.shapes, strict=True)
        shapes = all(a == b for a, b in pairs if a is not None and b is not None)
        if shapes and other.dtype == first.dtype:
            continue
        what = "shape" if not shapes else "dtype"
        scope.report(
            "E204" if not shapes else "E206",
            f"the cases of {routing.kind} node {scope.path!r} give values of unlike {what}",
            routing.span,
            notes=_notes(scope, types, what == "dtype"),
            suggestion=None if what == "dtype" else _mend(scope, types),
        )
        raise Poisoned


def _mend(scope: Scope, types: Sequence[Tensor]) -> str | None:
    """Which dimension differs, and the argument that would make it equal."""
    ranks = {len(type_.shape) for type_ in types}
    if len(ranks) > 1:
        return "the numbers of their dimensions differ"
    edges = [Edge(item.name) for item in scope.items]
    for d in range(min(ranks)):
        sizes = {int(type_.shape[d]) for type_ in types}
        if len(sizes) > 1:
            said = f"sizes differ in dimension {d} ({' and '.join(map(str, sorted(sizes)))})"
            mend = faults.other_size(scope, edges, types, d)
            return f"{said}; {mend}" if mend else said
    return "sizes differ for other sizes of the input than the example"


def _lost_rows(scope: Scope, routing: Routing, types: Sequence[Tensor]) -> None:
    scope.report(
        "E204",
        f"the cases of {routing.kind} node {scope.path!r} do not give a value for each sample",
        routing.span,
        expected="the first dimensions of what chooses",
        notes=_notes(scope, types, False),
    )
    raise Poisoned


def _notes(scope: Scope, types: Sequence[Tensor], dtypes: bool) -> list[Note]:
    """Each case with what it gives."""
    width = max(len(item.name) for item in scope.items)
    return [
        Note(
            f"{item.name:<{width}}  {type_.dtype if dtypes else scope.state.show(type_)}",
            item.template.span,
        )
        for item, type_ in zip(scope.items, types, strict=True)
    ]
