"""Chains: the children of a container, each on what the one before it gives."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from graphbuild import expr as expressions
from graphbuild.emit.items import Item, sequential
from graphbuild.emit.parts import EmitError, Irregular, Scope
from graphbuild.emit.repetitions import Repetitions, turns_of
from graphbuild.emit.rows import Row, Slot
from graphbuild.emit.symbols import Sym, SymType, expression
from graphbuild.emit.units import Call, Case, called
from graphbuild.ir import Loop
from graphbuild.names import identifier

if TYPE_CHECKING:
    from graphbuild.emit.build import Builder


class Chains:
    """Writes the children of chains, dense groups and parallel groups, on behalf of a builder."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.context = builder.context
        self.repetitions = Repetitions(self)

    # -- chains -------------------------------------------------------------------------------

    def in_place(
        self, calls: list[Call], operands: list[SymType], scope: Scope, bound: frozenset[str]
    ) -> tuple[str, SymType]:
        """An `nn.Sequential` where it stands."""
        cases = [Case(called(c), c.env, c.instance, c.turns) for c in calls]
        inner = self.inner_scope(cases, scope, bound)
        items, result = self.children(inner, operands[0], bound)
        return sequential(items), self.builder.results.settle([result], calls)

    def inner_scope(self, cases: list[Case], scope: Scope, bound: frozenset[str]) -> Scope:
        """The scope of a group in place: it sees the names around it, and its own lets."""
        lets = dict(scope.lets)
        own = [{v.name: v.value for v in case.graph.variables} for case in cases]
        seen = [c._replace(env={**c.env, **o}) for c, o in zip(cases, own, strict=True)]
        inner = Scope(seen, {}, lets)
        for variable in cases[0].graph.variables:
            if variable.expr is not None:
                tree = self.context.translate(variable.expr, inner, bound)
                lets[variable.name] = tree or expressions.literal(variable.value)
        return inner

    def children(
        self, scope: Scope, given: SymType, bound: frozenset[str] = frozenset()
    ) -> tuple[list[Item], SymType]:
        """The children of a chain, a dense or a parallel group, and what the group gives."""
        graph = scope.graph
        first, *others = graph.data
        scope.shapes[first.name] = given
        row = Row(graph, given, given, first.name)
        row.others += [scope.shapes[other.name] for other in others]
        self.without_turns(scope)
        for found in self.slots(scope):
            loop = found.everyone[0].node.loop
            counted = graph.connect == "parallel" and graph.routing is None  # its value is a list
            if counted or not found.present:
                self.fixed(found)
            if not found.present:
                continue
            if loop is None:
                self._child(row, found, scope, bound)
            elif not self._together(row, found, loop, scope, bound):
                for turn in turns_of(found):
                    inner = self.repetitions.turn_scope(turn, scope, bound)
                    self._child(row, turn, inner, bound)
        return row.items, row.results if graph.connect == "parallel" else row.current

    def without_turns(self, scope: Scope) -> None:
        """How often something is repeated is written out where it is not at all."""
        for case in scope.cases:
            for tree in case.graph.empty:
                self.context.freeze(tree)

    def fixed(self, found: Slot) -> None:
        """Whether this node is there, and how often, is written out."""
        for made in found.everyone:
            if made.node.condition is not None:
                self.context.freeze(made.node.condition.expr)
            if made.node.loop is not None:
                self.context.freeze(made.node.loop.over["i"])

    def slots(self, scope: Scope) -> list[Slot]:
        """The written nodes of a scope, each with its calls in all instances and turns."""
        found: dict[tuple[int, ...], Slot] = {}
        for case in scope.cases:
            for node in case.graph.nodes:
                if node.synthetic:
                    continue
                turns = case.turns if node.loop is None else (*case.turns, node.loop.index)
                entry = found.setdefault(self.builder.units.slot(node), Slot())
                made = Call(node, case.graph, case.env, case.instance, turns)
                (entry.absent if node.call is None else entry.present).append(made)
        return [entry for _, entry in sorted(found.items(), key=lambda kv: kv[0])]

    def _child(self, row: Row, found: Slot, scope: Scope, bound: frozenset[str]) -> None:
        """One child, or one turn of a repetition that is written out."""
        if not found.present:
            self.fixed(found)
            return
        calls = found.present
        names = {made.node.name for made in calls}
        if len(names) > 1 and not row.graph.listed:
            raise Irregular(f"{min(names)} has other names elsewhere")
        name, test = calls[0].node.name, self.condition(found, scope, bound)
        piece, result = self.builder.call(calls, [row.operand, *row.others], scope, row.hint, bound)
        if row.graph.connect == "dense":
            result = grown(row.current, result, test)
        elif test is not None:
            result = self.builder.results.either(result, row.current, test, found.everyone)
        text = self.builder.text(test, calls[0]) if test is not None else None
        row.add(Item(name, piece, None, text), [result])
        scope.shapes[name] = result

    def condition(self, found: Slot, scope: Scope, bound: frozenset[str]) -> ast.expr | None:
        """What an `if` in front of a node says in Python, unless it holds everywhere."""
        everyone = found.everyone
        written = next((c.node.condition for c in everyone if c.node.condition), None)
        if written is None:
            return None
        holds: list[object] = [c.node.call is not None for c in everyone]
        tree = self.context.translate(written.expr, scope, bound)
        if tree is not None and self.context.holds(tree, holds, everyone, _as_true):
            chosen = self.context.note(tree)
        else:
            hint = f"has_{identifier(everyone[0].node.name)}"
            chosen = self.context.choose([], holds, everyone, hint)
        return None if isinstance(chosen, ast.Constant) else chosen

    def _together(
        self, row: Row, found: Slot, loop: Loop, scope: Scope, bound: frozenset[str]
    ) -> bool:
        """Add a repeated child as one comprehension, if one says all its turns."""
        if self.builder.units.is_uneven(found.present[0].node):
            return False
        try:
            with self.context.attempt():
                item, results = self.repetitions.write(row, found, loop, scope, bound)
        except Irregular:
            return False
        row.add(item, results)
        scope.shapes[item.name] = row.current
        return True


def grown(current: SymType, result: SymType, test: ast.expr | None) -> SymType:
    """The running concat of a dense group after a child."""
    if not isinstance(current, tuple) or not isinstance(result, tuple):
        raise EmitError("a dense group of other things than tensors")
    growth = result[1]
    if test is not None:
        growth = Sym(int(growth), ast.IfExp(test, expression(growth), ast.Constant(0)))
    return (current[0], current[1] + growth, *current[2:])


def _as_true(left: object, right: object) -> bool:
    return bool(left) == bool(right)
