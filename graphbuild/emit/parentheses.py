"""Whether an expression that is too long for its line gets parentheses: what `ruff format` does."""

from __future__ import annotations

import ast
from typing import Literal

from graphbuild.expr import write


def kind(node: ast.expr) -> Literal["atom", "lines", "never"]:
    """How ruff treats an expression that is too long: "atom" may get parentheses, "lines" gets
    them where it breaks, "never" breaks within its own brackets."""
    if isinstance(node, ast.UnaryOp):
        operand, place = write.operands(node)[0]
        return "never" if write.binding(operand) < place else kind(operand)
    if isinstance(node, (ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp)) or fluent(node):
        return "lines"
    atom = isinstance(node, (ast.Constant, ast.JoinedStr)) or write.dotted(node)
    return "atom" if atom else "never"


def fluent(node: ast.expr) -> bool:
    """Whether a chain of calls breaks at its dots: two of them follow brackets."""
    dots = 0
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            after = isinstance(node.value, (ast.Call, ast.Subscript))
            dots += isinstance(node, ast.Attribute) and after
            node = node.value
        else:
            break
    return dots > 1


def opens(node: ast.expr) -> bool:
    """Whether brackets at the start or the end of an expression can open in place of parentheses
    around all of it."""
    visit = _Operators()
    visit.inside(node)
    if not visit.brackets or visit.count > 1:
        return False
    if visit.loosest <= _ATTRIBUTE:
        return True
    return any(end is not None and _bracketed(end) for end in (visit.last, visit.first))


_NONE, _ATTRIBUTE, _POWER, _PRODUCT, _SUM, _COMPARE, _BOOLEAN, _CONDITION = range(8)
_LOOSENESS = {"**": _POWER, "+": _SUM, "-": _SUM, "and": _BOOLEAN, "or": _BOOLEAN}
_LOOSENESS.update(dict.fromkeys(("*", "/", "//", "%", "@"), _PRODUCT))


def looseness(symbol: str) -> int:
    """The order in which operators break: the loosest first. `and` and `or` break together."""
    return _LOOSENESS.get(symbol, _COMPARE)


def _bracketed(node: tuple[ast.expr, bool]) -> bool:
    """Whether an expression ends in brackets that are not empty."""
    expr, parenthesized = node
    if parenthesized:
        return True
    if isinstance(expr, ast.Call):
        return bool(expr.args or expr.keywords)
    if isinstance(expr, (ast.Tuple, ast.List)):
        return bool(expr.elts)
    if isinstance(expr, ast.Dict):
        return bool(expr.values)
    return isinstance(expr, (ast.ListComp, ast.GeneratorExp, ast.DictComp))


class _Operators:
    """The loosest operators of an expression outside of brackets, and what stands at its ends."""

    def __init__(self) -> None:
        self.loosest = _NONE
        self.count = 0
        self.brackets = False
        self.first: tuple[ast.expr, bool] | None = None
        self.started = False
        self.last: tuple[ast.expr, bool] | None = None

    def add(self, loose: int, count: int = 1) -> None:
        if loose > self.loosest:
            self.loosest, self.count = loose, count
        elif loose == self.loosest:
            self.count += count

    def visit(self, node: ast.expr, place: int) -> None:
        parenthesized = write.binding(node) < place
        self.last = (node, parenthesized)
        if parenthesized:
            self.brackets = True
        else:
            self.inside(node)
        if not self.started:
            self.started, self.first = True, (node, parenthesized)

    def inside(self, node: ast.expr) -> None:
        match node:
            case ast.BinOp() | ast.BoolOp() | ast.Compare():
                symbols = write.symbols(node)
                self.add(looseness(symbols[0]), len(symbols))
            case ast.IfExp():
                self.add(_CONDITION, 2)
            case ast.UnaryOp():
                self.started = True
            case ast.Call(func=holder) | ast.Subscript(value=holder):
                self.brackets = True
                self.visit(holder, write.ATOM)
                self.last = (node, False)
                return
            case ast.Attribute():
                self.visit(node.value, write.ATOM)
                if _has_brackets(node.value):
                    self.add(_ATTRIBUTE)
                self.last = (node, False)
                return
            case ast.Name() | ast.Constant() | ast.JoinedStr():
                return
            case _:
                self.brackets = True
                return
        for operand, place in write.operands(node):
            self.visit(operand, place)


def _has_brackets(node: ast.expr) -> bool:
    """Whether an expression stands in brackets of its own, or will in parentheses before a dot."""
    plain = (ast.Name, ast.Constant, ast.JoinedStr, ast.Attribute)
    return not isinstance(node, plain)
