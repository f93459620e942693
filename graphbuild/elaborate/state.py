"""What one elaboration carries along: its findings, its caches, its limits."""

from __future__ import annotations

import ast
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from graphbuild import expr
from graphbuild.dims import Dims
from graphbuild.errors import MAX_NAMES, Finding, Note, Span, did_you_mean
from graphbuild.ir import ABSENT, Arg, Graph, Several, Tensor, Type, Variable

MAX_CALLS = 14_000  # nodes and scopes that are worked out one by one, and parts of values
MAX_LAYERS = 200_000  # nodes of the whole model, with those of shared graphs counted every time
MAX_TURNS = 12_000  # of one repetition
MAX_ALL_TURNS = 100_000
MAX_NESTING = 64  # scopes inside of scopes
MAX_FINDINGS = 200  # a spec with more errors is not looked at any further
MAX_SITES = 3  # further call sites that a finding names
MAX_NOTES = 8  # calls on the way to a finding that it names
MAX_MATCHES = 500_000  # of patterns with paths; a long pattern counts more than once
MAX_COMPARISONS = 50_000  # of misspelt names with known ones
MAX_CHARACTERS = 200_000  # of all expressions
MAX_OPERANDS = 50_000  # of all nodes, outputs too
MAX_CARRIED = 2_000_000  # names, and items of lists, that calls and turns of repetitions see
MAX_STEPS = 400_000  # of all evaluations, see `expr.Budget`


class Site(NamedTuple):
    """A call of a block on the way to where we are, innermost first."""

    path: str
    span: Span | None
    outer: Site | None


class Poisoned(Exception):
    """Something here is wrong already, and reported."""


class TooLarge(Exception):
    """The spec asks for more than the limits allow; ends the elaboration."""

    def __init__(self, limit: str, hint: str | None = None) -> None:
        super().__init__(limit)
        self.limit, self.hint = limit, hint


class TooMany(Exception):
    """There are more findings than anyone reads; ends the elaboration."""


Key = tuple[str, Span | None, str]  # what makes two findings the same: code, place, subject


@dataclass
class Counts:
    """What has been done so far, of what is limited."""

    calls: int = 0
    turns: int = 0
    operands: int = 0
    carried: int = 0
    characters: int = 0
    steps: int = 0
    comparisons: int = 0
    matches: int = 0


@dataclass
class State:
    """One elaboration. `known` maps the key of a scope's instance to what it became.

    A spec inside another has a state of its own for each set of params; see `inside`.
    """

    findings: dict[Key, Finding] = field(default_factory=dict)
    log: list[Key] = field(default_factory=list)  # of every report, repeated ones too
    sites: dict[Key, int] = field(default_factory=dict)
    known: dict[Hashable, Graph | tuple[Key, ...]] = field(default_factory=dict)
    typed: dict[Hashable, Any] = field(default_factory=dict)  # memo of rules.typed
    checked: dict[Hashable, Any] = field(default_factory=dict)  # memo of rules.checked
    plans: dict[Hashable, Any] = field(default_factory=dict)  # of calls of plain blocks
    blocks_in: dict[Graph, frozenset[str]] = field(default_factory=dict)
    given: dict[Hashable, Any] = field(default_factory=dict)  # a node's arguments with defaults
    types: dict[Type, Type] = field(default_factory=dict)
    tensors: dict[int, int] = field(
        default_factory=dict
    )  # in all of a value, by the id of its type
    free: dict[int, frozenset[int]] = field(default_factory=dict)  # by the id of a type
    layers: dict[int, int] = field(default_factory=dict)  # nodes in all of a graph, by its id
    visible: dict[str, Variable] = field(default_factory=dict)  # the spec's params and lets
    defaults: dict[str, dict[str, Arg]] = field(default_factory=dict)
    spoilt: set[str] = field(default_factory=set)  # ops with a default that is wrong
    dims: Dims = field(default_factory=lambda: Dims(()))
    used: set[str] = field(default_factory=set)  # blocks that were called
    tied: set[str] = field(default_factory=set)  # paths of nodes with ties
    counts: Counts = field(default_factory=Counts)
    templates: dict[int, Any] = field(default_factory=dict)  # of the specs inside, by their ids
    within: dict[Hashable, Any] = field(default_factory=dict)  # their states, by spec and params
    quiet: bool = False  # warnings are told where the file itself is checked

    def inside(self) -> State:
        """The state of a spec inside this one: what hangs on its params and blocks is its own."""
        return replace(
            self,
            known={},
            plans={},
            given={},
            visible={},
            defaults={},
            spoilt=set(),
            used=set(),
            quiet=True,
        )

    def report(
        self,
        code: str,
        message: str,
        span: Span | None,
        *,
        about: str = "",
        site: Site | None = None,
        notes: Iterable[Note] = (),
        **details: str | None,
    ) -> None:
        """Add a finding, or to a known one the call site that it was reached from this time."""
        if self.quiet and code[0] == "W":
            return
        key = (code, span, about)
        self.log.append(key)
        if key in self.findings:
            self.reached(key, site)
        elif len(self.findings) < MAX_FINDINGS or code == "E004":
            notes = (*notes, *_way(site))
            self.findings[key] = Finding(code, message, span, notes=notes, **details)
        elif code.startswith("E"):
            raise TooMany

    def take(self, finding: Finding) -> None:
        """Add a finding of a pass over the whole graph."""
        if self.quiet and not finding.is_error:
            return
        if len(self.findings) < MAX_FINDINGS:
            self.findings.setdefault((finding.code, finding.span, ""), finding)

    def reached(self, key: Key, site: Site | None) -> None:
        finding = self.findings.get(key)
        if finding is None or site is None or self.sites.get(key, 0) >= MAX_SITES:
            return
        if any(note.span == site.span for note in finding.notes):
            return
        self.sites[key] = self.sites.get(key, 0) + 1
        self.findings[key] = replace(finding, notes=(*finding.notes, _reached(site)))

    def count(self, amount: int = 1) -> None:
        self.counts.calls += amount
        if self.counts.calls > MAX_CALLS:
            limit = f"at most {MAX_CALLS:,} distinct nodes, calls and parts of values"
            hint = "calls of a block with equal params, on equal shapes, count once"
            raise TooLarge(limit, hint)

    def turn(self, amount: int) -> None:
        self.counts.turns += amount
        if self.counts.turns > MAX_ALL_TURNS:
            raise TooLarge(f"at most {MAX_ALL_TURNS:,} turns of repetitions")

    def wire(self, amount: int) -> None:
        self.counts.operands += amount
        if self.counts.operands > MAX_OPERANDS:
            raise TooLarge(f"at most {MAX_OPERANDS:,} operands and outputs in all")

    def carry(self, amount: int) -> None:
        self.counts.carried += amount
        if self.counts.carried > MAX_CARRIED:
            raise TooLarge("fewer or smaller params and lets, or fewer calls and turns of them")

    def read(self, characters: int) -> None:
        self.counts.characters += characters
        if self.counts.characters > MAX_CHARACTERS:
            raise TooLarge(f"expressions of at most {MAX_CHARACTERS:,} characters in all")

    def evaluate(self, tree: ast.expr, env: Mapping[str, object]) -> Any:
        """The value of an expression, lists as tuples. Raises `ExprError`."""
        budget = expr.Budget()
        try:
            return tuples(expr.evaluate(tree, env, budget=budget))
        finally:
            self.counts.steps += budget.spent
            if self.counts.steps > MAX_STEPS:
                raise TooLarge("expressions that take fewer steps in all")

    def key(self, value: object) -> Hashable:
        """What tells a value from others, 1 from true and from 1.0 too; large ones are paid for."""
        kind = type(value)
        if kind is int or kind is str or value is None:
            return value
        if isinstance(value, tuple):
            self.carry(len(value))
            return tuple(map(self.key, value))
        if isinstance(value, dict):
            self.carry(len(value))
            return ("{}", *((k, self.key(v)) for k, v in value.items()))
        return (kind, repr(value))

    def match(self, amount: int) -> None:
        self.counts.matches += amount
        if self.counts.matches > MAX_MATCHES:
            raise TooLarge("fewer rules of initialisation, or fewer layers")

    def nearest(self, name: str, known: Collection[str]) -> str | None:
        """The suggestion for a misspelt name, unless too many have been looked up already."""
        counts = self.counts
        counts.comparisons += min(len(known), MAX_NAMES)
        return did_you_mean(name, known) if counts.comparisons <= MAX_COMPARISONS else None

    def intern(self, type_: Type) -> Type:
        """The one object that stands for equal types; so the `id` of a type may be a key."""
        if id(type_) in self.tensors:
            return type_
        count = 1
        if isinstance(type_, Several):
            type_ = Several(tuple(map(self.intern, type_.items)), type_.names)
            count = sum(self.tensors[id(item)] for item in type_.items)
            if count > MAX_CALLS:
                raise TooLarge(f"at most {MAX_CALLS:,} tensors in one value")
        found = self.types.setdefault(type_, type_)
        self.tensors[id(found)] = count
        return found

    def varying(self, type_: Tensor) -> frozenset[int]:
        """Which dimensions of a tensor differ between probes."""
        found = self.free.get(id(type_))
        if found is None:
            columns = zip(*(s for s in type_.shapes if s is not None), strict=True)
            found = frozenset(d for d, sizes in enumerate(columns) if len(set(sizes)) > 1)
            self.free[id(type_)] = found
        return found

    def show(self, type_: Type | None) -> str:
        if type_ is None:
            return "unknown"
        if type_ == ABSENT:
            return "nothing"
        if isinstance(type_, Several):
            return "(" + ", ".join(map(self.show, type_.items)) + ")"
        return self.dims.show_shape(type_.shapes)


def _way(site: Site | None) -> list[Note]:
    """The calls that lead to a place, innermost first; of many, the first ones and the last."""
    notes: list[Note] = []
    while site is not None:
        notes.append(_reached(site))
        site = site.outer
    return notes if len(notes) <= MAX_NOTES else [*notes[: MAX_NOTES - 1], notes[-1]]


def circle(names: Sequence[str]) -> str:
    """What leads back to the first of it, in words; of a long one not all."""
    more = len(names) - MAX_NOTES
    shown = [*names[:MAX_NOTES], f"... ({more:,} more)"] if more > 0 else names
    return " -> ".join([*shown, names[0]])


def _reached(site: Site) -> Note:
    return Note(f"reached from {site.path}", site.span)


def tuples(value: object) -> object:
    """Plain data with its lists as tuples."""
    if isinstance(value, (list, tuple)):
        return tuple(map(tuples, value))
    if isinstance(value, dict):
        return {str(k): tuples(v) for k, v in value.items()}
    return value


def whole(value: object) -> object:
    """Plain data with its sizes as plain numbers, which do not say how they follow from others."""
    if isinstance(value, tuple):
        return tuple(map(whole, value))
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
