"""What is said about a call that an op cannot take. Every function here reports and raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from graphbuild import expr, ops
from graphbuild.elaborate import rules, template
from graphbuild.elaborate.expectations import complete
from graphbuild.elaborate.origin import origin
from graphbuild.elaborate.params import show
from graphbuild.elaborate.state import Poisoned
from graphbuild.elaborate.written import Value
from graphbuild.errors import Note, Span, closest
from graphbuild.ir import Arg, Edge, Several, Tensor, Type
from graphbuild.ops.base import DtypeError, Op, ShapeError
from graphbuild.source import Text

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope

Given = Mapping[str, Value | Arg]


def check_count(scope: Scope, op: Op, name: str, count: int, given: Given, span: Span) -> None:
    """That a call has as many operands as the op takes; a number may stand for the last one."""
    most = len(op.operands)
    least = most - op.optional
    if op.operands and op.operands[-1] in template.arguments(op):
        least = most - (op.operands[-1] in given)
    if op.variadic:
        least = max(1, least if most > 1 else 1)
    if count >= least and (op.variadic or count <= most):
        return
    if op.variadic:
        wanted = f"{least} or more"
    else:
        wanted = str(most) if least == most else f"{least} to {most}"
        wanted += f" ({', '.join(op.operands)})" if op.operands else ""
    scope.report(
        "E205",
        f"{_who(scope, op, name)} has the wrong number of inputs",
        span,
        expected=wanted,
        found=str(count),
    )
    raise Poisoned


def several(
    scope: Scope, item: Item, edge: Edge, type_: Several, span: Span, above: bool
) -> NoReturn:
    """An operand of several values, where one is wanted."""
    name = ".".join([edge.source, *map(str, edge.select)])
    first = type_.names[0] if type_.names else "0"
    what = f"the node above, {name!r}," if above else repr(name)
    scope.report(
        "E202",
        f"{item.name!r} takes a single value, but {what} gives {len(type_.items)}",
        span,
        suggestion=f"select one, such as from: {name}.{first}, or merge them first",
    )
    raise Poisoned


def arguments(scope: Scope, op: Op, given: Given, span: Span, error: rules.ArgsError) -> NoReturn:
    """Arguments that are unknown, missing, or have values that the op does not take."""
    keys = {str(key): key for key in given if isinstance(key, Text)}
    unknown = [fault.name for fault in error.problems if fault.code == "E112"]
    missing = [fault.name for fault in error.problems if fault.code == "E113"]
    misspelt = {ops.OTHER_ARGUMENTS.get(name) or closest(name, missing) for name in unknown}
    for fault in error.problems:
        if fault.name in misspelt:
            continue
        value = given.get(fault.name)
        at = value.span if value is not None and value.span is not None else span
        if fault.code == "E112":  # the name is wrong, not the value
            at = keys[fault.name].span if fault.name in keys else at
            template.unknown_argument(scope.state, op, fault.name, at, scope.site)
            continue
        scope.report(
            fault.code,
            fault.message,
            at,
            about=fault.name,
            expected=fault.expected,
            found=fault.found,
            suggestion=fault.suggestion or _meant(scope, value),
        )
    scope.sound = False
    raise Poisoned


def _meant(scope: Scope, value: Value | Arg | None) -> str | None:
    """The expression that a text would be with its dollar, where it reads names that are known."""
    text = value.constant if isinstance(value, Value) else None
    if not isinstance(text, str):
        return None
    dollar = f"${text}" if text.isidentifier() else f"$({text})"
    try:
        read = expr.names(expr.lift(dollar))
    except expr.ExprError:
        return None
    known = read and all(name in scope.visible or name in scope.values for name in read)
    return f"did you mean {dollar}?" if known else None


def shape(
    scope: Scope,
    op: Op,
    name: str,
    edges: Sequence[Edge],
    types: Sequence[Tensor],
    args: Mapping[str, Arg],
    span: Span,
    error: ShapeError,
) -> NoReturn:
    """Shapes that do not go together, or that the op cannot take."""
    hint = None
    if error.argument is not None:
        hint = f"did you mean {error.argument}: {show(error.value)}?"
        given = args.get(error.argument)
        span = given.span if given is not None and given.span is not None else span
    if error.mismatch is None or len(types) < 2:
        scope.report(
            "E207",
            f"{_who(scope, op, name)}: {error}",
            span,
            suggestion=hint,
            notes=operand_notes(scope, edges, types),
        )
        raise Poisoned
    mend = hint or other_size(scope, edges, types, error.mismatch)
    scope.report(
        "E204",
        f"shape mismatch in {_who(scope, op, name)}",
        span,
        notes=operand_notes(scope, edges, types),
        suggestion=f"{error}" + (f"; {mend}" if mend else ""),
    )
    raise Poisoned


def dtype(
    scope: Scope,
    op: Op,
    name: str,
    edges: Sequence[Edge],
    types: Sequence[Tensor],
    span: Span,
    error: DtypeError,
) -> NoReturn:
    """Dtypes that the op does not take."""
    notes = [
        Note(f"{_label(edge)}  {type_.dtype}", _place(scope, edge))
        for edge, type_ in zip(edges, types, strict=True)
    ]
    notes = list(dict.fromkeys(notes))
    scope.report("E206", f"{_who(scope, op, name)} {error}", span, notes=notes)
    raise Poisoned


def mismatch(
    scope: Scope,
    op: Op,
    name: str,
    edges: Sequence[Edge],
    types: Sequence[Tensor],
    span: Span | None,
    error: rules.Mismatch,
) -> NoReturn:
    """An argument that is given, but determined by the operands to be something else."""
    scope.report(
        "E204",
        f"{error.argument} of {_who(scope, op, name)} does not fit its input",
        span,
        about=error.argument,
        expected=show(error.inferred),
        found=show(error.given),
        notes=operand_notes(scope, edges, types),
        suggestion=f"leave {error.argument} out: the input determines it",
    )
    raise Poisoned


def free_argument(
    scope: Scope,
    op: Op,
    name: str,
    edges: Sequence[Edge],
    types: Sequence[Tensor],
    span: Span,
    error: rules.FreeArgument,
) -> NoReturn:
    """A size of a layer that would change with the input's size."""
    scope.report(
        "E208",
        f"{error.argument} of {_who(scope, op, name)} depends on a free dimension",
        span,
        about=error.argument,
        found=f"{error.values[0]} at the example, {error.values[-1]} at another size",
        notes=operand_notes(scope, edges, types),
        suggestion=_fix(scope, error.argument, edges, types),
    )
    raise Poisoned


def free_expression(scope: Scope, op: Op, name: str, argument: str, value: Value) -> None:
    """An argument of a layer whose expression reads a free dimension."""
    sized = ", ".join(f"{d.example} for {d.name}" for d in scope.state.dims.free if d.example)
    fix = f"; fix the input size (write {sized} under inputs)" if sized else ""
    scope.report(
        "E208",
        f"argument {argument!r} of {_who(scope, op, name)} depends on a free dimension",
        value.span,
        suggestion=f"a layer is built before it sees an input{fix}",
    )


def _fix(scope: Scope, argument: str, edges: Sequence[Edge], types: Sequence[Tensor]) -> str:
    """Which pooling or which input size would make a size fixed."""
    sized = {d.name: d.example for d in scope.state.dims.free if d.example is not None}
    fix = "give the input a fixed size"
    if sized:
        fixed = ", ".join(f"{size} for {name}" for name, size in sized.items())
        fix = f"fix the input size (write {fixed} under inputs)"
    if argument != "in_features" or len(edges) != 1:
        return fix
    flat, start, rank = _flattened(scope, edges[0]) or ("", 1, _pooled(scope, types[0]))
    if start in (0, -rank):
        return f"write start_dim: 1 in {flat!r}, which takes the batch in as well"
    if rank not in (3, 4, 5):
        return fix
    pool = f"{{op: AdaptiveAvgPool{rank - 2}d, output_size: 1}}"
    if flat:
        return f"put {pool} in front of {flat!r}, or {fix}"
    return f"put {pool} and {{op: flatten, start_dim: 1}} in front of it, or {fix}"


def _flattened(scope: Scope, edge: Edge) -> tuple[str, int, int] | None:
    """The `flatten` that an operand comes from: name, first dimension, and `_pooled` before it."""
    made = {node.name: node for item in scope.items for node in item.made}
    while (node := made.get(edge.source)) is not None and len(node.operands) == 1:
        edge = node.operands[0]
        if isinstance(node.call, Op) and node.call.name in ("flatten", "Flatten"):
            args = complete(node.call, {n: a.value for n, a in node.args.items()})
            source = made.get(edge.source)
            before = source.type if source is not None else scope.values.get(edge.source)
            return node.name, args.start_dim, _pooled(scope, before)
    return None


def _pooled(scope: Scope, type_: Type | None) -> int:
    """How many dimensions a tensor has, if pooling makes all but the batch fixed; else 0."""
    if not isinstance(type_, Tensor) or len(type_.shape) < 3 or 1 in scope.state.varying(type_):
        return 0
    return len(type_.shape)


def _who(scope: Scope, op: Op, name: str) -> str:
    return f"{op.name} node {scope.where(name)!r}"


def _label(edge: Edge) -> str:
    return ".".join([edge.source, *map(str, edge.select)])


def _place(scope: Scope, edge: Edge) -> Span | None:
    for given in scope.inputs:
        if given.name == edge.source:
            return given.span
    position = scope.index.get(edge.source.split(".")[0])
    return scope.items[position].template.span if position is not None else None


def operand_notes(scope: Scope, edges: Sequence[Edge], types: Sequence[Type]) -> list[Note]:
    """Each operand with its shape, and where it comes from."""
    names = [_label(edge) for edge in edges]
    width = max(map(len, names), default=0)
    notes = [
        Note(f"{name:<{width}}  {scope.state.show(type_)}", _place(scope, edge))
        for name, edge, type_ in zip(names, edges, types, strict=True)
    ]
    return list(dict.fromkeys(notes))  # one operand may stand twice


def other_size(
    scope: Scope, edges: Sequence[Edge], types: Sequence[Tensor], dimension: int
) -> str | None:
    """The argument of an earlier layer that would make the sizes equal."""
    if len({len(type_.shape) for type_ in types}) > 1:
        return None  # they are aligned at the last dimension, so this one is not the same in all
    wanted = types[0].shape[dimension]
    for edge, type_ in [*zip(edges, types, strict=True)][::-1]:
        size = type_.shape[dimension]
        if type_ is types[0]:
            wanted = next((t.shape[dimension] for t in types if t.shape[dimension] != size), size)
        found = origin(scope, edge, dimension, size) if size != wanted else None
        if found is not None:
            return f"did you mean {found[1]}: {wanted} in {found[0]}?"
    return None
