"""Repetitions: one comprehension where one text says all turns, else a text per turn."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphbuild import expr as expressions
from graphbuild.emit.carried import Turns, given_in_turn, grown_by, is_count, left_by, marked
from graphbuild.emit.items import Item
from graphbuild.emit.parts import EmitError, Irregular, Scope
from graphbuild.emit.results import sized
from graphbuild.emit.rows import Row, Slot
from graphbuild.emit.symbols import Sym, SymType, lost
from graphbuild.emit.units import Call
from graphbuild.ir import Graph, Loop, Tensor

if TYPE_CHECKING:
    from graphbuild.emit.chains import Chains


class Repetitions:
    """Writes repeated children, on behalf of the chains that they stand in."""

    def __init__(self, chains: Chains) -> None:
        self.chains = chains
        self.builder = chains.builder
        self.context = chains.context

    def turn_scope(self, turn: Slot, scope: Scope, bound: frozenset[str] = frozenset()) -> Scope:
        """The scope with a turn's variables written out."""
        loops = [made.node.loop for made in turn.everyone if made.node.loop is not None]
        self.context.freeze(loops[0].over["i"])
        index = ast.Constant(loops[0].index)
        lets = {**scope.lets, "i": index}
        for name in loops[0].variables:
            values = [loop.variables[name] for loop in loops]
            over = self.context.translate(loops[0].over[name], scope, bound)
            item: ast.expr | None = None
            if over is not None and expressions.names(over):
                item = ast.Subscript(over, index, ast.Load())
            if item is None or not self.context.holds(item, values, turn.everyone):
                item = expressions.literal(values[0])
            if not self.context.holds(item, values, turn.everyone):
                raise Irregular(f"{name} is not the same everywhere")
            lets[name] = item
        return Scope(scope.cases, scope.shapes, lets)

    def write(
        self, row: Row, found: Slot, loop: Loop, scope: Scope, bound: frozenset[str]
    ) -> tuple[Item, list[SymType]]:
        """A repeated child as one comprehension, and what its turns leave behind."""
        context, given = self.context, row.operand
        turns = self._turns(loop, scope, bound)
        inner, found = _inside(found, turns, scope)
        inside, first = bound | turns.variables, found.present[0]
        outside = {n: context.used.pop(n) for n in turns.variables if n in context.used}
        outer, context.rehearsing = context.rehearsing, True
        some = self._distinct(found.present)
        _, after, _ = self._turn(found, some, [marked(given), *row.others], inner, row.hint, inside)
        context.rehearsing = outer
        operand = given_in_turn(given, after, turns, row.graph.connect)
        piece, result, test = self._turn(
            found, found.present, [operand, *row.others], inner, row.hint, inside
        )
        shown = first.node.name
        if loop.name is not None:
            tree = context.translate(loop.name, inner, inside)
            names: list[object] = [c.node.name for c in found.present]
            shown = self.builder.text(context.choose([tree], names, found.present, "name"), first)
        read = turns.variables & context.used.keys()
        for name in read:
            del context.used[name]
        clauses = self._clauses(loop, turns, scope, read, bound)
        if test is not None:
            clauses.append(f"if {self.builder.text(test, first)}")
        context.used.update(outside)
        for name in loop.variables:
            if name in context.frozen:
                context.freeze(loop.over[name])
        item = Item(first.node.name, piece, (shown, clauses))
        return item, self._left(row, found, turns, after, result, test)

    def _turn(
        self,
        found: Slot,
        calls: list[Call],
        operands: list[SymType],
        scope: Scope,
        hint: str,
        bound: frozenset[str],
    ) -> tuple[str, SymType, ast.expr | None]:
        """A child's text, what it gives, and whether it is there."""
        test = self.chains.condition(found, scope, bound)
        piece, result = self.builder.call(calls, operands, scope, hint, bound)
        if test is not None and scope.graph.connect == "chain":
            result = self.builder.results.either(result, operands[0], test, [*calls, *found.absent])
        return piece, result, test

    def _distinct(self, calls: list[Call]) -> list[Call]:
        """Enough of the turns to know what stands in them: groups may differ in what is there."""
        target = calls[0].node.call
        if not isinstance(target, Graph) or self.builder.units.of(target) is not None:
            return calls[:1]
        return list({id(c.node.call): c for c in reversed(calls)}.values())[::-1]

    def _left(
        self,
        row: Row,
        found: Slot,
        turns: Turns,
        after: SymType,
        result: SymType,
        test: ast.expr | None,
    ) -> list[SymType]:
        """What the turns give: of a chain the last one, of a parallel group each, of a dense group
        the concat after all."""
        given, settle = row.operand, self.builder.results.settle
        if row.graph.routing is not None:  # each gives the same
            start = [call for call in found.present if call.turns[-1:] == (0,)]
            return [settle([sized(turns.each(result, 0), start[0].node.type)], start)]
        if row.graph.connect == "parallel":
            return [
                settle([sized(turns.each(result, index), turn.present[0].node.type)], turn.present)
                for index, turn in enumerate(turns_of(found))
            ]
        if row.graph.connect == "chain":
            last = _last(found.everyone)
            left = sized(left_by(given, after, turns, result), last[0].node.type)
            return [settle([left, given], last)]
        if not isinstance(given, tuple) or not isinstance(result, tuple):
            raise EmitError("a dense group of other things than tensors")
        first = found.present[0]
        total = int(given[1]) + sum(
            call.node.type.shape[1]
            for call in found.present
            if call.graph is first.graph
            and isinstance(call.node.type, Tensor)
            and call.turns[:-1] == first.turns[:-1]
            and call.instance == first.instance
        )
        tree = grown_by(given[1], result[1], turns, inside=False) if test is None else None
        size = turns.lost(total, given[1], result[1]) if tree is None else Sym(total, tree)
        return [(given[0], size, *given[2:])]

    def _turns(self, loop: Loop, scope: Scope, bound: frozenset[str]) -> Turns:
        """How a comprehension says a repetition."""
        named = [name for name in loop.variables if name != "i"]
        taken = {*bound, *named}
        free = (n for n in "ijklmn" if n not in taken)
        index = next((n for n in free if n == "i" or n not in self.context.variables), None)
        if index is None:
            raise Irregular("too many repetitions inside of each other")
        counts: list[object] = [len(_loops(case.graph, loop)) for case in scope.cases]
        said: dict[str, ast.expr] = {}
        for name in loop.variables:
            tree = self.context.translate(loop.over[name], scope, bound)
            if tree is None or not self.context.holds(tree, counts, scope.cases):
                values = _values(scope, loop, name)
                if name == "i" or tree is None or not self.context.holds(tree, values, scope.cases):
                    tree = lost(loop.over[name])
                said[name] = tree
            else:
                if not expressions.names(tree):
                    tree = expressions.literal(counts[0])
                said[name] = tree if name == "i" else ast.Call(ast.Name("range"), [tree], [])
        return Turns(index, {name: said[name] for name in named}, said["i"])

    def _clauses(
        self, loop: Loop, turns: Turns, scope: Scope, read: frozenset[str], bound: frozenset[str]
    ) -> list[str]:
        """`for i in range(n)`, `for s in stages`, or both by `enumerate`."""
        context, case = self.context, scope.cases[0]
        named = [name for name in turns.over if name in read]
        if not named:
            actual: list[object] = [len(_loops(case.graph, loop)) for case in scope.cases]
            count = context.choose([turns.count], actual, scope.cases, f"{loop.key}_count")
            index = turns.index if turns.index in read else "_"
            return [f"for {index} in range({self.builder.text(count, case)})"]
        sources = []
        for name in named:
            over = turns.over[name]
            if not is_count(over):
                over = context.choose([over], _values(scope, loop, name), scope.cases, name)
            sources.append(self.builder.text(context.note(over), case))
        target, over_all = named[0], sources[0]
        if len(named) > 1:
            target, over_all = ", ".join(named), f"zip({', '.join(sources)})"
        if turns.index not in read:
            return [f"for {target} in {over_all}"]
        inner = f"({target})" if len(named) > 1 else target
        return [f"for {turns.index}, {inner} in enumerate({over_all})"]


def turns_of(found: Slot) -> list[Slot]:
    """The turns of a repetition one by one."""
    turns: dict[int, Slot] = {}
    counts: set[int] = set()
    for made in found.everyone:
        if made.node.loop is not None:
            counts.add(made.node.loop.count)
            turn = turns.setdefault(made.node.loop.index, Slot())
            (turn.absent if made.node.call is None else turn.present).append(made)
    if len(counts) > 1:
        raise Irregular("it does not repeat as often everywhere")
    return [turn for _, turn in sorted(turns.items(), key=lambda kv: kv[0])]


def _inside(found: Slot, turns: Turns, scope: Scope) -> tuple[Scope, Slot]:
    """The scope and the calls of a repetition, in which its variables mean something."""

    def seen(call: Call) -> Call:
        own = dict(call.node.loop.variables) if call.node.loop else {}
        own[turns.index] = own.pop("i")
        return call._replace(env={**call.env, **own})

    lets = {name: tree for name, tree in scope.lets.items() if name not in turns.over}
    lets["i"] = ast.Name(turns.index)
    inner = Scope(scope.cases, scope.shapes, lets)
    return inner, Slot([seen(c) for c in found.present], [seen(c) for c in found.absent])


def _last(calls: Sequence[Call]) -> list[Call]:
    """Of each instance (and outer turn) the last turn."""
    last: dict[object, Call] = {}
    for made in calls:
        key = (made.instance, made.turns[:-1])
        if key not in last or last[key].turns <= made.turns:
            last[key] = made
    return list(last.values())


def _loops(graph: Graph, loop: Loop) -> list[Loop]:
    """All turns of a repetition in one instance."""
    return [n.loop for n in graph.nodes if n.loop and n.loop.key == loop.key and not n.synthetic]


def _values(scope: Scope, loop: Loop, name: str) -> list[object]:
    return [
        tuple(turn.variables[name] for turn in _loops(case.graph, loop)) for case in scope.cases
    ]
