"""What goes wrong with an expression."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from graphbuild.errors import did_you_mean
from graphbuild.expr.functions import FUNCTIONS
from graphbuild.expr.shape import MissingError

FAILURES = (ArithmeticError, TypeError, ValueError, LookupError)  # what a value's use may raise


class ExprError(ValueError):
    """An expression cannot be read (E121, E122) or computed (E123, E124).

    `start` and `end` are offsets in the text that the expression was read from; `text` is that
    text where it is known, which it is for the items of a list or mapping.
    """

    def __init__(
        self, code: str, message: str, start: int = 0, end: int = 0, suggestion: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.start = start
        self.end = end
        self.suggestion = suggestion
        self.text: object = None


def failed(node: ast.AST, error: Exception) -> ExprError:
    """A failure, with the place of the node that failed."""
    start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0)
    if isinstance(error, MissingError):
        return ExprError("E123", str(error.args[0]), start, end, error.suggestion)
    message = str(error)
    if isinstance(error, ArithmeticError):
        divided = isinstance(error, ZeroDivisionError)
        message = "division by zero" if divided else "the number is too large"
    return ExprError("E124", f"this cannot be computed: {message}", start, end)


def undefined(node: ast.Name, env: Mapping[str, object]) -> ExprError:
    """A name that is not there, and what may have been meant."""
    name = node.id
    python = {"true": "True", "false": "False", "null": "None", "none": "None"}.get(name.lower())
    if python:
        message, hint = f"{name!r} is no name here", f"write {python}"
    elif name in FUNCTIONS:
        message, hint = f"{name!r} is a function", f"call it: {name}(...)"
    elif name == "i":
        message, hint = "undefined name 'i'", "it counts the turns of a node with `repeat`"
    else:
        message = f"undefined name {name!r}"
        hint = did_you_mean(name, env) or (
            f"known names: {' '.join(sorted(env)[:12])}" if env else "there are no names here"
        )
    start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0)
    return ExprError("E123", message, start, end, hint)
