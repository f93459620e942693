"""What a `when` says in one mode of the module, as far as that is known without any value."""

from __future__ import annotations

import ast

from graphbuild.expr.error import ExprError
from graphbuild.expr.tree import names, substitute
from graphbuild.expr.value import evaluate
from graphbuild.names import TRAINING


def reduced(tree: ast.expr, training: bool) -> ast.expr:
    """The condition with `training` known: ``aux and training`` is ``aux``, or else ``False``.

    Only its truth is kept.
    """
    if TRAINING in names(tree):
        tree = substitute(tree, {TRAINING: ast.Constant(training)})
    return _truth(tree)


def _truth(tree: ast.expr) -> ast.expr:
    """A condition without what is decided already."""
    if not names(tree):
        try:
            return ast.Constant(bool(evaluate(tree, {})))
        except ExprError:
            return tree
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        inner = _truth(tree.operand)
        if isinstance(inner, ast.Constant):
            return ast.Constant(not inner.value)
        return tree if inner is tree.operand else _like(tree, ast.UnaryOp(ast.Not(), inner))
    if isinstance(tree, ast.IfExp):
        test, body, orelse = _truth(tree.test), _truth(tree.body), _truth(tree.orelse)
        if isinstance(test, ast.Constant):
            return body if test.value else orelse
        return _like(tree, ast.IfExp(test, body, orelse))
    if isinstance(tree, ast.BoolOp):
        decides = isinstance(tree.op, ast.Or)
        values = [_truth(value) for value in tree.values]
        if any(isinstance(v, ast.Constant) and v.value is decides for v in values):
            return ast.Constant(decides)
        left = [v for v in values if not isinstance(v, ast.Constant)]
        if not left:
            return ast.Constant(not decides)
        return left[0] if len(left) == 1 else _like(tree, ast.BoolOp(tree.op, left))
    return tree


def _like(tree: ast.expr, made: ast.expr) -> ast.expr:
    """A tree at the place of another."""
    return ast.copy_location(made, tree)
