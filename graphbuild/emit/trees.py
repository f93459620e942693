"""Expression trees and values, as far as writing needs them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from graphbuild import expr as expressions


def rebuild(tree: ast.expr, replace: Callable[[ast.expr], ast.expr | None]) -> ast.expr:
    """A copy of a tree in which `replace` may give another node, from the top down."""
    found = replace(tree)
    if found is not None:
        return found
    changed: dict[str, Any] = {}
    for name, value in ast.iter_fields(tree):
        if isinstance(value, ast.expr):
            changed[name] = rebuild(value, replace)
        elif isinstance(value, list):
            changed[name] = [
                rebuild(v, replace) if isinstance(v, ast.expr) else _inner(v, replace)
                for v in value
            ]
        else:
            changed[name] = value
    return type(tree)(**changed)


def _inner(node: Any, replace: Callable[[ast.expr], ast.expr | None]) -> Any:
    if isinstance(node, ast.comprehension):
        return ast.comprehension(
            target=node.target,
            iter=rebuild(node.iter, replace),
            ifs=[rebuild(test, replace) for test in node.ifs],
            is_async=0,
        )
    return node


def simplified(tree: ast.expr) -> ast.expr:
    """An expression in which what has no names is computed, once values took the place of names."""

    def compute(node: ast.expr) -> ast.expr | None:
        try:
            return computed(node)
        except expressions.ExprError:  # in a branch that is never taken
            return None

    def computed(node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.Constant) and not expressions.names(node):
            return expressions.literal(expressions.evaluate(node, {}))
        if isinstance(node, ast.IfExp):
            test = simplified(node.test)
            if not expressions.names(test):
                return simplified(node.body if expressions.evaluate(test, {}) else node.orelse)
        if isinstance(node, ast.BoolOp):
            first, *rest = node.values
            if not expressions.names(first):  # it decides, or does not matter
                decides = bool(expressions.evaluate(first, {})) is isinstance(node.op, ast.Or)
                others = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
                return simplified(first if decides else others)
        return None

    return rebuild(tree, compute)


def operations(tree: ast.expr) -> int:
    """How many operators stand in a size."""
    if isinstance(tree, ast.IfExp):
        return 2
    if not isinstance(tree, ast.BinOp):
        return 0
    return 1 + operations(tree.left) + operations(tree.right)
