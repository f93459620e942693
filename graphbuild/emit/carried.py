"""What a repetition carries from turn to turn: the sizes that a turn is given, as expressions.

One turn is worked out on marked sizes (`@1` for dimension 1). If it gives the mark back, the size
never changes; if it gives something without the mark, every turn but the first is given that; if
it adds something to the mark, the size grows by as much each turn.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from graphbuild import expr as expressions
from graphbuild.emit.symbols import Sym, SymType, expression, folded, lost, plus

_MARK = "@"


@dataclass
class Turns:
    """A repetition as one comprehension says it."""

    index: str  # the variable that counts
    over: dict[str, ast.expr]  # what the other variables run over; `range(n)` for a count
    count: ast.expr

    @property
    def variables(self) -> frozenset[str]:
        return frozenset([self.index, *self.over])

    def reads(self, size: object) -> bool:
        return isinstance(size, Sym) and not expressions.names(size.expr).isdisjoint(self.variables)

    def at(self, tree: ast.expr, index: ast.expr, *, last: bool = False) -> ast.expr:
        """An expression of a turn as it is in turn `index`."""
        found = {self.index: index}
        for name, over in self.over.items():
            found[name] = item_at(over, ast.Constant(-1) if last else index, index)
        return folded(expressions.substitute(tree, found))

    def lost(self, size: int, *sizes: object) -> int:
        """A size after some turns that no expression says."""
        trees = [expression(s) for s in sizes if isinstance(s, Sym)]
        tree = lost(self.count, *self.over.values(), *trees, besides=self.variables)
        return Sym(size, tree)

    def each(self, result: SymType, index: int) -> SymType:
        """What turn `index` gives."""
        if isinstance(result, list):
            return [self.each(part, index) for part in result]
        at = ast.Constant(index)
        return tuple(
            Sym(int(size), self.at(size.expr, at)) if isinstance(size, Sym) else size
            for size in result
        )


def item_at(over: ast.expr, index: ast.expr, counted: ast.expr) -> ast.expr:
    """An item of what a variable runs over."""
    return counted if is_count(over) else ast.Subscript(over, index, ast.Load())


def is_count(over: ast.expr) -> bool:
    """Whether a variable runs over `range(n)`."""
    function = over.func if isinstance(over, ast.Call) else None
    return isinstance(function, ast.Name) and function.id == "range"


def marked(given: SymType) -> SymType:
    if isinstance(given, list):
        return [marked(g) for g in given]
    return tuple(
        Sym(int(size), ast.Name(f"{_MARK}{d}")) if isinstance(size, Sym) else size
        for d, size in enumerate(given)
    )


def _marks(size: object) -> set[str]:
    if not isinstance(size, Sym):
        return set()
    return {n for n in expressions.names(size.expr) if n.startswith(_MARK)}


def _grown(start: int, end: Sym, turns: Turns, index: ast.expr) -> ast.expr | None:
    """A size that grows by as much each turn, after `index` turns."""
    tree = end.expr
    if not isinstance(tree, ast.BinOp) or not isinstance(tree.op, ast.Add) or turns.reads(end):
        return None
    if not isinstance(tree.left, ast.Name) or tree.left.id not in _marks(end):
        return None
    if any(name.startswith(_MARK) for name in expressions.names(tree.right)):
        return None
    return plus(expression(start), times(index, tree.right))


def _next_turn(start: int, end: int, turns: Turns) -> ast.expr | None:
    """A size as a turn is given it, from what the first is given and what a turn gives."""
    if not isinstance(end, Sym):
        return None
    index = ast.Name(turns.index)
    if isinstance(end.expr, ast.Name) and end.expr.id.startswith(_MARK):
        return expression(start)
    if _marks(end):
        return _grown(start, end, turns, index)
    before = ast.BinOp(index, ast.Sub(), ast.Constant(1))
    previous = turns.at(end.expr, before) if turns.reads(end) else end.expr
    if expressions.unparse(previous) == expressions.unparse(expression(start)):
        return previous
    return ast.IfExp(ast.Compare(index, [ast.Eq()], [ast.Constant(0)]), expression(start), previous)


def _last_turn(start: int, end: int, turns: Turns) -> ast.expr | None:
    """A size as the last turn leaves it."""
    if not isinstance(end, Sym):
        return None
    if isinstance(end.expr, ast.Name) and end.expr.id.startswith(_MARK):
        return expression(start)
    if _marks(end):
        return _grown(start, end, turns, turns.count)
    if not turns.reads(end):
        return end.expr
    return turns.at(end.expr, ast.BinOp(turns.count, ast.Sub(), ast.Constant(1)), last=True)


def times(left: ast.expr, right: ast.expr) -> ast.expr:
    if isinstance(right, ast.Constant) and right.value == 1:
        return left
    return ast.BinOp(left, ast.Mult(), right)


def given_in_turn(given: SymType, after: SymType, turns: Turns, connect: str) -> SymType:
    """What a turn is given, as expressions in the repetition's variables."""
    if not isinstance(given, tuple) or not isinstance(after, tuple) or connect == "parallel":
        return given
    shape: list[int] = []
    for d, start in enumerate(given):
        end = after[d] if len(after) == len(given) else None
        tree: ast.expr | None = None
        if not isinstance(start, Sym) and not (connect == "dense" and d == 1):
            shape.append(start)
            continue
        if connect == "chain" and end is not None:
            tree = _next_turn(start, end, turns)
        elif connect == "dense":
            tree = expression(start) if d != 1 else grown_by(start, end, turns, True)
        shape.append(turns.lost(int(start), start, end) if tree is None else Sym(int(start), tree))
    return tuple(shape)


def grown_by(start: int, growth: object, turns: Turns, inside: bool) -> ast.expr | None:
    """A dense group's channels: as a turn is given them, or after the last."""
    count: ast.expr = ast.Name(turns.index) if inside else turns.count
    if _marks(growth):
        return None
    if not turns.reads(growth):
        return plus(expression(start), times(count, expression(growth)))
    tree = expression(growth)
    over = turns.over.get(tree.id) if isinstance(tree, ast.Name) else None
    if over is None:
        return None
    whole = ast.Subscript(over, ast.Slice(None, count), ast.Load()) if inside else over
    return plus(expression(start), ast.Call(ast.Name("sum"), [whole], []))


def left_by(given: SymType, after: SymType, turns: Turns, calls: SymType) -> SymType:
    """What the last of some turns of a chain gives."""
    if not isinstance(given, tuple) or not isinstance(after, tuple):
        return calls
    shape: list[int] = []
    for d, end in enumerate(after):
        start = given[d] if len(given) == len(after) else 0
        if not isinstance(end, Sym):
            shape.append(end)
            continue
        tree = _last_turn(start, end, turns)
        shape.append(turns.lost(int(end), start, end) if tree is None else Sym(int(end), tree))
    return tuple(shape)
