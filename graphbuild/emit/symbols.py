"""Integers that remember the expression they came from.

`emit` runs an op's shape rule once more on these: a convolution with `out_channels: $(planes * 4)`
gives an output whose dimension 1 is 2048 and knows itself as ``planes * 4``, and the BatchNorm
after it is written ``nn.BatchNorm2d(planes * 4)``.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, Union

from graphbuild import expr as expressions
from graphbuild.dims import Size
from graphbuild.emit.trees import operations, rebuild

MAX_OPERATORS = 40  # in a size; nobody would read a longer one
MAX_NUMBERS = 6  # in one without names; one with more is written as the number that it is


class Sym(int):
    """An int with the expression it came from. Arithmetic on it gives another one."""

    expr: ast.expr

    def __new__(cls, value: int, expr: ast.expr) -> Sym:
        self = super().__new__(cls, value)
        if operations(expr) > MAX_NUMBERS:
            expr = bounded(expr) if expressions.names(expr) else ast.Constant(int(value))
        self.expr = expr
        return self

    def __divmod__(self, other: int) -> tuple[Any, int]:
        """Whoever looks at the rest knows that there is none: times `other` this is whole again."""
        quotient, rest = self // other, int(self) % int(other)
        tree = expression(quotient)
        if rest == 0 and isinstance(tree, ast.BinOp) and expressions.names(tree):
            tree = ast.BinOp(tree.left, tree.op, tree.right)
            tree.exact = True  # type: ignore[attr-defined]
            quotient = Sym(int(quotient), tree)
        return quotient, rest

    def __rdivmod__(self, other: int) -> tuple[Any, int]:
        return divmod(Sym(other, ast.Constant(other)), self)

    def __neg__(self) -> Any:
        return Sym(-int(self), ast.UnaryOp(ast.USub(), self.expr))


def expression(value: Any) -> ast.expr:
    """How a size is written: its expression, or for a plain number the number."""
    return value.expr if isinstance(value, Sym) else ast.Constant(value)


def lost(*trees: ast.expr | None, besides: frozenset[str] = frozenset()) -> ast.expr:
    """In place of a size that no expression says: a name that holds the names it depends on."""
    found = {n for tree in trees if tree is not None for n in depends(tree)} - besides
    return ast.Name("?" + " ".join(sorted(found)))


def bounded(tree: ast.expr) -> ast.expr:
    """The tree, or what stands for one that is too large."""
    return tree if operations(tree) <= MAX_OPERATORS else lost(tree)


def depends(tree: ast.expr) -> set[str]:
    """The names that an expression depends on, openly or not."""
    found: set[str] = set()
    for name in expressions.names(tree):
        if not name.startswith("@"):
            found.update(name[1:].split() if name.startswith("?") else [name])
    return found


def is_lost(tree: ast.expr) -> bool:
    """Whether `lost` stands in an expression."""
    return any(name.startswith("?") for name in expressions.names(tree))


def trees_of(sizes: object) -> list[ast.expr]:
    """The expressions among sizes."""
    if isinstance(sizes, Sym):
        return [sizes.expr]
    return [t for s in sizes for t in trees_of(s)] if isinstance(sizes, (list, tuple)) else []


def folded(tree: ast.expr) -> ast.expr:
    """A size with its sums of numbers computed; products of numbers stay (`512 * 7 * 7`)."""
    if isinstance(tree, ast.IfExp) and not expressions.names(tree.test):
        return folded(tree.body if expressions.evaluate(tree.test, {}) else tree.orelse)
    if not isinstance(tree, ast.BinOp):
        return tree
    left, right = folded(tree.left), folded(tree.right)
    number = _number(right)
    if isinstance(tree.op, (ast.Add, ast.Sub)) and number is not None:
        return _shifted(left, number if isinstance(tree.op, ast.Add) else -number)
    compute = _COMPUTED.get(type(tree.op))
    if compute is not None:
        values = _number(left), _number(right)
        if values[0] is not None and values[1] is not None:
            return ast.Constant(compute(values[0], values[1]))
    return plus(left, right) if isinstance(tree.op, ast.Add) else ast.BinOp(left, tree.op, right)


def _shifted(tree: ast.expr, by: int) -> ast.expr:
    """A size plus a number, as one sum: `i - 1 + 1` is `i`."""
    number = _number(tree)
    if number is not None:
        return ast.Constant(number + by)
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Add, ast.Sub)):
        own = _number(tree.right)
        if own is not None:
            return _shifted(tree.left, by + (own if isinstance(tree.op, ast.Add) else -own))
    if by == 0:
        return tree
    sign: ast.operator = ast.Add() if by > 0 else ast.Sub()
    return ast.BinOp(tree, sign, ast.Constant(abs(by)))


def _number(tree: ast.expr) -> int | None:
    """The value of a tree without names."""
    if isinstance(tree, ast.Constant):
        return tree.value if isinstance(tree.value, int) else None
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult):
        left, right = _number(tree.left), _number(tree.right)
        return None if left is None or right is None else left * right
    return None


_COMPUTED: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def plus(left: ast.expr, right: ast.expr) -> ast.expr:
    """A sum, without parentheses in it."""
    if isinstance(right, ast.BinOp) and isinstance(right.op, (ast.Add, ast.Sub)):
        return ast.BinOp(plus(left, right.left), right.op, right.right)
    if isinstance(left, ast.Name) and isinstance(right, ast.Name) and left.id == right.id:
        return ast.BinOp(ast.Constant(2), ast.Mult(), left)
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
        last = _collected(left.right, right)
        return ast.BinOp(left if last is None else left.left, ast.Add(), last or right)
    return _collected(left, right) or ast.BinOp(left, ast.Add(), right)


def _collected(left: ast.expr, right: ast.expr) -> ast.expr | None:
    """Multiples of one name as one: `dim * 4` and `dim * 8` are `dim * 12`."""
    first, second = _multiple(left), _multiple(right)
    if first is None or second is None or first[0] != second[0]:
        return None
    return ast.BinOp(ast.Name(first[0]), ast.Mult(), ast.Constant(first[1] + second[1]))


def _multiple(tree: ast.expr) -> tuple[str, int] | None:
    """A name and how often it is taken."""
    if isinstance(tree, ast.Name):
        return tree.id, 1
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult):
        name, number = tree.left, tree.right
        if isinstance(name, ast.Constant):
            name, number = number, name
        times = _number(number)
        if isinstance(name, ast.Name) and times is not None:
            return name.id, times
    return None


def inserted(tree: ast.expr, sizes: Mapping[str, ast.expr]) -> ast.expr:
    """A size with others in place of its names: `dim * 16` for a `dim` of `base * 2` is `base * 32`."""
    found = dict(sizes)

    def merged(node: ast.expr) -> ast.expr | None:
        name, times = _multiple(node) or ("", 1)
        inner = _multiple(sizes[name]) if name in sizes else None
        if inner is None or times == 1 or inner[1] == 1:
            return None
        key = f"{name} * {times}"  # not a name, so it stands for this product alone
        found[key] = ast.BinOp(ast.Name(inner[0]), ast.Mult(), ast.Constant(times * inner[1]))
        return ast.Name(key)

    return folded(expressions.substitute(rebuild(tree, merged), found))


def is_constant(value: object) -> bool:
    """Whether no name stands in it."""
    if not isinstance(value, Sym):
        return True
    return not any(isinstance(node, ast.Name) for node in ast.walk(value.expr))


def _undone(op: type[ast.operator], left: ast.expr, right: ast.expr) -> ast.expr | None:
    """What a product and a quotient come to that undo each other: `dim * 3 // 3` is `dim`."""
    wanted = {ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult}.get(op)
    for outer, inner in ((left, right), (right, left)):
        if wanted is None or not isinstance(inner, ast.BinOp) or type(inner.op) is not wanted:
            continue
        same = expressions.unparse(outer) == expressions.unparse(inner.right)
        if same and (getattr(inner, "exact", False) if op is ast.Mult else inner is left):
            return inner.left
    return None


def _fixed(size: Any) -> Any:
    """A free size as the number that it is at the example: what is built does not depend on it."""
    return int(size) if type(size) is Size else size


def _method(
    name: str, compute: Callable[[int, int], int], op: type[ast.operator], unit: int | None
) -> None:
    def apply(left: Any, right: Any) -> Any:
        value = compute(int(left), int(right))
        if unit is not None and int(right) == unit and is_constant(right):
            return left
        if unit == int(left) and is_constant(left) and op in (ast.Add, ast.Mult):
            return right
        # A product of numbers stays as written (512 * 7 * 7); other sums of numbers are computed.
        if op is not ast.Mult and is_constant(left) and is_constant(right):
            return value
        trees = expression(left), expression(right)
        undone = _undone(op, *trees)
        if undone is not None:
            return Sym(value, undone)
        return Sym(value, plus(*trees) if op is ast.Add else ast.BinOp(trees[0], op(), trees[1]))

    def forward(self: Sym, other: object) -> Any:
        if type(other) not in (int, Size, Sym):
            return getattr(int, f"__{name}__")(self, other)
        return apply(self, _fixed(other))

    def reflected(self: Sym, other: object) -> Any:
        if type(other) not in (int, Size, Sym):
            return getattr(int, f"__r{name}__")(self, other)
        return apply(_fixed(other), self)

    setattr(Sym, f"__{name}__", forward)
    setattr(Sym, f"__r{name}__", reflected)


_method("add", operator.add, ast.Add, 0)
_method("sub", operator.sub, ast.Sub, 0)
_method("mul", operator.mul, ast.Mult, 1)
_method("floordiv", operator.floordiv, ast.FloorDiv, 1)
_method("mod", operator.mod, ast.Mod, None)


# A value with symbolic sizes: a tensor's shape, or a list of several values.
SymType = Union[tuple[int, ...], list["SymType"]]  # noqa: UP007  (recursive)
