"""What the expression of a `when` says in training and in evaluation; no other may read `training`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from graphbuild import expr
from graphbuild.elaborate.state import tuples
from graphbuild.elaborate.written import Value, When
from graphbuild.names import TRAINING
from graphbuild.ops.base import MISSING
from graphbuild.source import Text

if TYPE_CHECKING:
    from graphbuild.elaborate.template import Templates


_READINGS = 8  # it is read more than once: as it is, and in each mode


def refuse(tree: ast.expr) -> None:
    """An expression other than that of a `when` reads `training`."""
    node = next(n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == TRAINING)
    start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0)
    hint = "the mode of the module is known in a `when` alone"
    raise expr.ExprError("E123", "'training' cannot be read here", start, end or 0, hint)


def read(templates: Templates, raw: Text) -> When | None:
    """A `when` in both modes, or None where it cannot be read (which is reported)."""
    if "(" in raw:
        templates.state.read(_READINGS * len(raw))
    try:
        tree = expr.lift(raw)
    except expr.ExprError as error:
        templates.failed(raw, error)
        return None
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        templates.state.report(
            "E103",
            "`when` takes true, false or an expression",
            raw.span,
            found=f"the text {tree.value!r}",
            suggestion=_meant(raw),
        )
        return None
    training, evaluation = (_value(raw, expr.reduced(tree, mode)) for mode in (True, False))
    return When(Value(raw, tree, expr.names(tree)), training, evaluation)


def _meant(raw: Text) -> str | None:
    """The expression that a text would be with its dollar."""
    dollar = f"${raw}" if raw.isidentifier() else f"$({raw})"
    try:
        return f"did you mean {dollar}?" if expr.names(expr.lift(dollar)) else None
    except expr.ExprError:
        return None


def _value(raw: Text, tree: ast.expr) -> Value:
    constant = tuples(tree.value) if isinstance(tree, ast.Constant) else MISSING
    return Value(raw, tree, expr.names(tree), constant)
