"""Values of arguments: compared, and written as a spec writes them."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from graphbuild import expr
from graphbuild.dims import Dims
from graphbuild.elaborate.expectations import complete
from graphbuild.ir import ABSENT, Arg, Initializer, Node, Several, Type
from graphbuild.ops.base import MISSING, Op

LONGEST = 60  # of a value

Both = tuple[Dims | None, Dims | None]  # the free dimensions of two specs


def shown(value: object) -> str:
    """A value as a spec writes it: `true`, `[2, 2]`."""
    text = _shown(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _shown(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case tuple() | list():
            return f"[{', '.join(map(_shown, value))}]"
        case Mapping():
            return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
        case Arg():
            return written(value)
        case Initializer():
            given = ", ".join(f"{key}={_shown(arg)}" for key, arg in value.args.items())
            return f"{value.name}({given})" if given else value.name
        case Op():
            return value.name
    return str(value)


def written(arg: Arg) -> str:
    """An argument's value; where it is computed in `forward`, the expression."""
    return f"$({source(arg)})" if arg.free and arg.expr is not None else shown(arg.value)


def source(arg: Arg | None) -> str:
    """The expression that an argument is given by."""
    return _text(arg.expr) if arg is not None and arg.expr is not None else ""


def _text(tree: ast.expr) -> str:
    return expr.unparse(tree)


def reads(arg: Arg | None) -> frozenset[str]:
    """The names that an argument's expression reads."""
    return (
        frozenset(expr.names(arg.expr)) if arg is not None and arg.expr is not None else frozenset()
    )


def arguments(node: Node, *, inferred: bool = True) -> dict[str, Arg]:
    """All arguments of an op with its defaults; of a block, its params with their values."""
    op = node.call
    if not isinstance(op, Op):
        made = {v.name: Arg(v.value) for v in op.variables if v.kind != "let"} if op else {}
        return {**made, **node.args}
    given = {name: arg.value for name, arg in node.args.items()}
    values = vars(complete(op, given))
    order = [argument.name for argument in op.arguments if argument.name in values]
    every = {name: Arg(values[name]) for name in dict.fromkeys([*order, *values])}
    every.update(node.args)
    return every if inferred else {n: a for n, a in every.items() if n not in op.infer}


def same(one: Arg | None, other: Arg | None) -> bool:
    """Whether two arguments do the same."""
    if one is None or other is None:
        return one is other
    if one.free or other.free:
        return one.free == other.free and source(one) == source(other)
    return exact(one.value) == exact(other.value)


def exact(value: object) -> str:
    """A text that equal values alone have."""
    match value:
        case tuple() | list():
            return f"[{', '.join(map(exact, value))}]"
        case Mapping():
            return "{" + ", ".join(f"{key!r}: {exact(v)}" for key, v in value.items()) + "}"
        case Arg():
            return source(value) if value.free else exact(value.value)
        case Initializer():
            return f"{value.name}{exact(value.args)}"
        case Op():
            return value.name
        case bool() | str() | None:
            return repr(value)
        case int() | float() if value == value:  # 1 and 1.0 are one number, not so a NaN
            return repr(value + 0.0) if abs(value) < 2**53 else repr(value)
    return repr(value) if value is not MISSING else ""


def shape(type_: Type, dims: Dims | None) -> str:
    """A value's shape for people; its dtype only where that is not the usual one."""
    if type_ == ABSENT:
        return "nothing"
    if isinstance(type_, Several):
        return ", ".join(shape(item, dims) for item in type_.items)
    told = (dims or Dims(())).show_shape(type_.shapes)
    return told if type_.dtype == "float32" else f"{type_.dtype} {told}"


def when(mode: str) -> str:
    """When a node runs."""
    return {"training": "in training only", "eval": "in evaluation only"}.get(mode, mode)
