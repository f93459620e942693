"""What calls give: their sizes as expressions, and which of several expressions hold."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from graphbuild import expr as expressions
from graphbuild.emit.context import Context
from graphbuild.emit.sizes import static
from graphbuild.emit.symbols import Sym, SymType, expression, inserted, lost
from graphbuild.emit.units import Call
from graphbuild.ir import Edge, Several, Tensor, Type


class Results:
    """The sizes of results, in one unit."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def seen_by(
        self, call: Call, operands: list[SymType], edges: Sequence[Edge] | None = None
    ) -> list[SymType]:
        """Operands with the sizes of one instance: rules must not see those of several at once."""
        return [
            sized(symbols, call.graph.value(edge))
            for symbols, edge in zip(operands, edges or call.node.operands, strict=True)
        ]

    def settle(self, candidates: Sequence[SymType | None], calls: Sequence[Call]) -> SymType:
        """The result of a call with its symbols: of several candidates, those that hold in every
        instance. A single one is taken on trust, since what is written of it is checked anyway."""
        return self._settle(list(candidates), [c.node.type for c in calls], calls)

    def _settle(
        self, candidates: list[SymType | None], types: list[Type], calls: Sequence[Call]
    ) -> SymType:
        first = types[0]
        if isinstance(first, Several):
            parts = [c if isinstance(c, list) else [None] * len(first.items) for c in candidates]
            return [
                self._settle(
                    [part[k] if k < len(part) else None for part in parts],
                    [t.items[k] for t in types if isinstance(t, Several)],
                    calls,
                )
                for k in range(len(first.items))
            ]
        shape: list[int] = []
        rank = len(first.shape)
        fixed = [c for c in candidates if isinstance(c, tuple) and len(c) == rank]
        for d, size in enumerate(first.shape):
            if not static(first, d):
                shape.append(size)
                continue
            known = [c[d] for c in fixed if isinstance(c[d], Sym)]
            tree = lost(*map(expression, known)) if known else ast.Constant(size)
            for candidate in fixed:
                found = candidate[d]
                if not isinstance(found, Sym) or int(found) != size:
                    continue
                if len(candidates) == 1 or self._holds(found.expr, d, types, calls):
                    tree = found.expr
                    break
            shape.append(Sym(size, tree))
        return tuple(shape)

    def _holds(
        self, tree: ast.expr, dimension: int, types: list[Type], calls: Sequence[Call]
    ) -> bool:
        if self.context.rehearsing:
            return True
        shapes = [t.shape for t in types if isinstance(t, Tensor)]
        if any(len(shape) <= dimension for shape in shapes):
            return False
        return self.context.holds(tree, [shape[dimension] for shape in shapes], calls)

    def either(self, built: SymType, passed: SymType, test: ast.expr, calls: list[Call]) -> SymType:
        """The result of a node that is there where `test` holds; else its operand passes through."""
        if not isinstance(built, tuple) or not isinstance(passed, tuple):
            return self.settle([built, passed], calls)
        if len(built) != len(passed):
            return self.settle([built, passed], calls)
        both: list[int] = []
        for there, through in zip(built, passed, strict=True):
            trees = expression(there), expression(through)
            if isinstance(there, Sym) and not _alike(test, *trees):
                there = Sym(int(there), ast.IfExp(test, *trees))
            both.append(there)
        if all(c.node.call is not None for c in calls):
            return self.settle([tuple(both)], calls)
        return self.settle([tuple(both), built, passed], calls)


def sized(symbols: SymType, type_: Type) -> SymType:
    """Sizes with the values that they have in one instance."""
    if isinstance(symbols, list) and isinstance(type_, Several):
        return [sized(s, t) for s, t in zip(symbols, type_.items, strict=True)]
    if not isinstance(symbols, tuple) or not isinstance(type_, Tensor):
        return symbols
    if len(symbols) != len(type_.shape):
        return type_.shape
    return tuple(
        Sym(size, symbol.expr) if isinstance(symbol, Sym) else size
        for symbol, size in zip(symbols, type_.shape, strict=True)
    )


def _alike(test: ast.expr, there: ast.expr, through: ast.expr) -> bool:
    """Whether two sizes are the same wherever a test fails: `in_channels != planes`."""
    sides = {expressions.unparse(there), expressions.unparse(through)}
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]
    return len(sides) == 1 or any(
        isinstance(part, ast.Compare)
        and isinstance(part.ops[0], ast.NotEq)
        and {expressions.unparse(part.left), expressions.unparse(part.comparators[0])} == sides
        for part in parts
    )


def substituted(
    result: SymType | None, mapping: dict[str, ast.expr], everything: ast.expr, type_: Type
) -> SymType | None:
    """A unit's result in terms of its caller's names."""
    if isinstance(result, list) and isinstance(type_, Several):
        if len(result) != len(type_.items):
            return lost_sizes(type_, everything)
        pairs = zip(result, type_.items, strict=True)
        return [substituted(r, mapping, everything, t) or [] for r, t in pairs]
    if not isinstance(result, tuple) or not isinstance(type_, Tensor):
        return None
    if len(result) != len(type_.shape):
        return lost_sizes(type_, everything)
    shape: list[int] = []
    for size, actual in zip(result, type_.shape, strict=True):
        if not isinstance(size, Sym):
            shape.append(actual)
        elif expressions.names(size.expr) <= mapping.keys():
            shape.append(Sym(actual, inserted(size.expr, mapping)))
        else:
            shape.append(Sym(actual, everything))
    return tuple(shape)


def lost_sizes(type_: Type, tree: ast.expr) -> SymType:
    """Sizes that no expression says."""
    if isinstance(type_, Several):
        return [lost_sizes(item, tree) for item in type_.items]
    return tuple(Sym(size, tree) for size in type_.shape)
