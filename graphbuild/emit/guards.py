"""Values that may be absent: what decides it in the constructor, and how `forward` asks.

A value is there in one mode of the module, or where the constructor has built what it needs, or
both. Its guard says so: a node's step runs where its guard holds, and steps of one guard that
stand together share one `if`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from graphbuild import expr as expressions
from graphbuild.emit.context import Context
from graphbuild.emit.parts import Irregular, Scope, Statement
from graphbuild.emit.rows import Slot
from graphbuild.emit.units import Call
from graphbuild.ir import Edge, Graph, Node
from graphbuild.modes import Mode, both, leaves
from graphbuild.names import identifier
from graphbuild.ops.base import Op

_SAID: dict[Mode, tuple[str, ...]] = {
    "always": (),
    "training": ("self.training",),
    "eval": ("not self.training",),
}


@dataclass(frozen=True)
class Guard:
    """When a value is there: the mode, and the tests of the constructor, which all have to hold."""

    mode: Mode = "always"
    tests: tuple[str, ...] = ()

    def beyond(self, around: Guard) -> Guard:
        """What this asks that is not known already where `around` holds."""
        mode: Mode = "always" if both(self.mode, around.mode) == around.mode else self.mode
        return Guard(mode, tuple(t for t in self.tests if t not in around.tests))

    def __and__(self, other: Guard) -> Guard:
        tests = dict.fromkeys((*self.tests, *other.tests))
        return Guard(both(self.mode, other.mode), tuple(tests))


ALWAYS = Guard()


@dataclass
class Fork:
    """A merge of other operands where a guard holds than elsewhere."""

    test: str  # where its step runs at all
    whole: str  # with the guard of the step itself
    asked: Edge | None  # an operand that is there where the guard holds and only there
    full: tuple[Edge, ...]
    rest: tuple[Edge, ...]


@dataclass
class Guards:
    """The guards of one class's values; those that are always there have none."""

    context: Context
    of: dict[str, Guard] = field(default_factory=dict)
    nothing: set[str] = field(default_factory=set)  # never there, in any instance
    trees: dict[str, ast.expr] = field(default_factory=dict)  # of tests, by their text
    said: dict[tuple[str, ...], str] = field(default_factory=dict)  # tests as forward asks them

    def never(self, found: Slot) -> None:
        """A node that no instance has."""
        for made in found.never:
            self.freeze(made.node)
            self.nothing.add(made.node.name)

    def say(self, guard: Guard, tests: str | None = None) -> str:
        """The guard as a condition in `forward`; `tests` is another way to say its tests."""
        if guard.tests and guard.tests not in self.said:
            raise Irregular(f"no one says {guard.tests}")
        said = (tests or self.said[guard.tests],) if guard.tests else ()
        return " and ".join((*said, *_SAID[guard.mode]))

    # -- what the constructor decides -----------------------------------------------------------

    def built(self, found: Slot, scope: Scope) -> ast.expr | None:
        """What decides in the constructor whether a node is there in any mode; also notes when it
        is there."""
        node = found.everyone[0].node
        trees = [self.trees[text] for text in self._needed(found)]
        written = self._own(found, scope)
        candidate = _conjunction([*([written] if written is not None else []), *trees])
        everyone = [*found.everyone, *found.never]
        holds: list[object] = [made.node.mode != "never" for made in everyone]
        chosen: ast.expr = ast.Constant(True)
        if candidate is not None and self.context.holds(candidate, holds, everyone, _as_true):
            chosen = self.context.note(candidate)
        elif not all(holds):
            chosen = self.context.choose([], holds, everyone, f"has_{identifier(node.name)}")
            trees, written = [], chosen
        tests: dict[str, ast.expr] = {}
        if not isinstance(chosen, ast.Constant):
            tests = {expressions.unparse(t): t for t in (written, *trees) if t is not None}
        self.trees.update(tests)
        guard = Guard(node.mode, tuple(tests))
        if guard != ALWAYS:
            self.of[node.name] = guard
        return chosen if tests else None

    def _own(self, found: Slot, scope: Scope) -> ast.expr | None:
        """What the node's own `when` asks of the constructor."""
        everyone = [*found.everyone, *found.never]
        written = next((c.node.when for c in everyone if c.node.when is not None), None)
        if written is None or written.expr is None:
            return None
        values = {c.node.when.value for c in found.everyone if c.node.when is not None}
        training, evaluation = (expressions.reduced(written.expr, m) for m in (True, False))
        tree = None
        if values == {"training"} and _is_false(evaluation):
            tree = training
        elif values == {"eval"} and _is_false(training):
            tree = evaluation
        elif found.never and expressions.unparse(training) == expressions.unparse(evaluation):
            tree = training
        if tree is None:
            self.freeze(everyone[0].node)
        elif expressions.names(tree):
            return self.context.translate(tree, scope)
        return None

    def _needed(self, found: Slot) -> list[str]:
        """The tests of what a node takes: of a merge only those that all operands have."""
        node = found.everyone[0].node
        given = [self.of.get(e.source, ALWAYS).tests for e in node.operands if not self._gone(e)]
        if isinstance(node.call, Op) and node.call.variadic:
            shared = given[0] if given and all(tests == given[0] for tests in given) else ()
            if not shared and all(given):
                self._write_out(text for tests in given for text in tests)
            return list(shared)
        return list(dict.fromkeys(text for tests in given for text in tests))

    def freeze(self, node: Node) -> None:
        if node.when is not None and node.when.expr is not None:
            for training in (True, False):
                self.context.freeze(expressions.reduced(node.when.expr, training))

    def _write_out(self, tests: Iterable[str]) -> None:
        """Let the constructor decide nothing here; where it must, every instance is a class."""
        for text in tests:
            if expressions.names(self.trees[text]) <= self.context.unit.frozen:
                raise Irregular(f"too much hangs on {text}")
            self.context.freeze(self.trees[text])

    # -- what forward asks ----------------------------------------------------------------------

    def operands(self, found: Slot, read: bool) -> tuple[tuple[Edge, ...], Fork | None]:
        """The operands of a node's step, and for a merge how they differ, if it is read at all."""
        made = found.everyone[0]
        node = made.node
        edges = tuple(edge for edge in node.operands if not self._gone(edge))
        if not isinstance(node.call, Op) or not node.call.variadic:
            return edges, None
        edges = tuple(e for e in edges if self.guard(e, found.everyone).mode != "never")
        own = self.of.get(node.name, ALWAYS)
        asked_of = [self.guard(edge, found.everyone).beyond(own) for edge in edges]
        kinds = list(dict.fromkeys(guard for guard in asked_of if guard != ALWAYS))
        if not kinds or not read:
            return edges, None
        test = kinds[0] if len(kinds) == 1 else Guard("training")
        asked_for = {text for guard in kinds for text in guard.tests}
        several = len(kinds) > 1 or (own & test).tests not in ((), *self.said)
        if asked_for and several:  # more than one condition can say
            self._write_out(sorted(asked_for))
            return edges, None
        full = tuple(e for e, g in zip(edges, asked_of, strict=True) if g in (ALWAYS, test))
        rest = tuple(e for e, g in zip(edges, asked_of, strict=True) if g != test)
        asked = next(e for e, g in zip(edges, asked_of, strict=True) if g == test)
        alone = None if len(kinds) > 1 else asked
        return edges, Fork(self.say(test), self.say(own & test), alone, full, rest)

    def asked(self, found: Slot, edges: Sequence[Edge]) -> Edge | None:
        """An operand that is there where a node runs and only there, if that is all it hangs on."""
        node = found.everyone[0].node
        own = self.of.get(node.name, ALWAYS)
        if node.when is not None or own == ALWAYS:
            return None
        return next((e for e in edges if self.guard(e, found.everyone) == own), None)

    def guard(self, edge: Edge, calls: Sequence[Call]) -> Guard:
        """When what an edge carries is there."""
        known = self.of.get(edge.source, ALWAYS)
        made = calls[0].graph.by_name.get(edge.source)
        if made is None or not any(
            isinstance(c.graph.by_name[edge.source].call, Graph) for c in calls
        ):
            return known
        at = next((c.graph for c in calls if not c.is_never(edge)), None)
        inner = leaves(at.mode(edge)) if at is not None else []
        return Guard(both(known.mode, *inner), known.tests)

    def _gone(self, edge: Edge) -> bool:
        return edge.source in self.nothing


def joined(statements: Iterable[Statement]) -> list[Statement]:
    """Statements in which neighbours of the same `if` and `else` share one."""
    given, out, at = list(statements), list[Statement](), 0
    while at < len(given):
        pair = given[at : at + 2]
        if not _is_choice(pair):
            out.append(given[at])
        elif _is_choice(out[-2:]) and out[-2].code == pair[0].code:
            for known, more in zip(out[-2:], pair, strict=True):
                known.body = [*(known.body or []), *(more.body or [])]
        else:
            out += pair
        at += 2 if _is_choice(pair) else 1
    return out


def _is_choice(pair: Sequence[Statement]) -> bool:
    return len(pair) == 2 and pair[0].code.startswith("if ") and pair[1].code == "else:"


def _conjunction(trees: list[ast.expr]) -> ast.expr | None:
    unique = list({expressions.unparse(tree): tree for tree in trees}.values())
    if len(unique) < 2:
        return unique[0] if unique else None
    return ast.BoolOp(ast.And(), unique)


def _is_false(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and not tree.value


def _as_true(left: object, right: object) -> bool:
    return bool(left) == bool(right)
