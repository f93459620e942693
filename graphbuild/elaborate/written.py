"""The spec's nodes as they are written, with their expressions read: what `template` makes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from graphbuild import expr
from graphbuild.errors import Span
from graphbuild.ir import INPUT
from graphbuild.ops.base import MISSING, Op
from graphbuild.source import Map, Seq, Text
from graphbuild.spec import NodeSpec, Scope

Raw = Text | Seq | Map


@dataclass(slots=True, eq=False)
class Value:
    """A YAML value as an expression; `constant` is what it is worth where it reads no name."""

    raw: Raw
    expr: ast.expr
    names: frozenset[str]
    constant: object = MISSING

    @property
    def span(self) -> Span:
        return self.raw.span


@dataclass(frozen=True, slots=True)
class Ref:
    """A name on an edge; `value` gives it where it is an expression."""

    text: Text
    value: Value | None

    @property
    def span(self) -> Span:
        return self.text.span


@dataclass(frozen=True, slots=True)
class Merge:
    """A function that stands on the edge itself: ``{concat: [left, right], dim: 1}``."""

    op: Op
    operands: Wire
    args: dict[str, Value]  # the keys are `Text`s
    span: Span


@dataclass(frozen=True, slots=True)
class Listed:
    items: tuple[Wire, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Named:
    items: dict[Text, Wire]
    span: Span


Wire = Ref | Merge | Listed | Named


@dataclass(frozen=True, slots=True)
class Repeat:
    count: Value | None  # where no variable is named
    over: dict[str, Value]
    span: Span

    @property
    def values(self) -> list[Value]:
        """What says how often it turns."""
        return [self.count] if self.count is not None else list(self.over.values())

    @property
    def names(self) -> frozenset[str]:
        """What it reads to know its turns."""
        return frozenset[str]().union(*(value.names for value in self.values))


@dataclass(frozen=True, slots=True)
class When:
    """A `when`: as it is written, and what it comes to in either mode of the module."""

    written: Value
    training: Value
    evaluation: Value


@dataclass(slots=True, eq=False)
class Nested:
    """Another spec as a node: its templates (`Templates`), the params that it is given, a cut."""

    templates: Any
    args: dict[str, Value]  # the keys are `Text`s
    cut: tuple[tuple[str, Ref], ...] = ()  # what it gives in place of its own outputs
    form: Literal["single", "list", "mapping"] = "single"  # of the cut

    @property
    def root(self) -> ScopeTemplate:
        found: ScopeTemplate = self.templates.root
        return found

    @property
    def input_names(self) -> tuple[str, ...]:
        return self.root.inputs


@dataclass(slots=True, eq=False)
class NodeTemplate:
    """A written node. `broken` means that a finding about it is known already."""

    key: Text
    spec: NodeSpec
    span: Span
    name: Value | None = None  # of a name with `$`
    op: str | None = None
    op_value: Value | None = None  # of an op with `$`
    condition: Value | None = None
    when: When | None = None
    repeat: Repeat | None = None
    args: dict[str, Value] = field(default_factory=dict)  # the keys are `Text`s
    wire: Wire | None = None
    group: ScopeTemplate | None = None
    share: Ref | None = None  # the node whose module is called again
    again: bool = False  # the turns of `repeat` are one module
    ties: dict[str, Value] = field(default_factory=dict)  # paths by parameter; the keys are `Text`s
    nested: Nested | None = None
    by: Wire | None = None  # of a node with cases: what chooses
    top_k: Value | None = None
    broken: bool = False
    own_reads: frozenset[str] = frozenset()  # names that its expressions read
    reads: frozenset[str] = frozenset()  # with its group's, its own loop variables aside
    label: str = ""  # what a graph made of it is called
    given: Any = None  # node.Given: its arguments, where the spec has no defaults for its op

    @property
    def turns_place(self) -> str:
        """Graph.template of its turns."""
        return f"{self.span.line}:{self.span.column}*"


@dataclass(slots=True, eq=False)
class ScopeTemplate:
    spec: Scope
    place: str  # Graph.template
    nodes: list[NodeTemplate]
    let: dict[Text, Value]
    params: dict[Text, Value | str]  # a str is a type word
    kinds: dict[str, Value | str]  # what a param was declared with, where `extends` gave a value
    inputs: tuple[Text, ...]  # declared; none: one input named "input"
    reads: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()  # names of ops and blocks that nodes mention

    @property
    def input_names(self) -> tuple[str, ...]:
        return self.inputs or (INPUT,)


def label(key: Text, around: str) -> str:
    """A name for the graph of a node: its key, without expressions; of a list item, by position."""
    if key.isdecimal():
        return f"{around}_{key}" if around else f"item_{key}"
    if "$" not in key:
        return str(key)
    out, at = "", 0
    while at < len(key):
        if key.startswith("$(", at):
            at = expr.closing(key, at + 1) or len(key)
        elif key[at] == "$":
            break
        else:
            out += key[at]
            at += 1
    return out.strip("_-") or "group"


def values(made: NodeTemplate) -> Iterator[Value]:
    """All that is written about a node, but for its `repeat` and what is inside of it."""
    for value in (made.name, made.op_value, made.condition, made.top_k):
        if value is not None:
            yield value
    if made.share is not None and made.share.value is not None:
        yield made.share.value
    if made.when is not None:
        yield from (made.when.training, made.when.evaluation)
    yield from made.args.values()
    if made.ties:
        yield from made.ties.values()
    if made.nested is not None:
        yield from made.nested.args.values()
        yield from (ref.value for _, ref in made.nested.cut if ref.value is not None)
    stack = [wire for wire in (made.wire, made.by) if wire is not None]
    while stack:
        wire = stack.pop()
        if isinstance(wire, Ref):
            if wire.value is not None:
                yield wire.value
        elif isinstance(wire, Merge):
            yield from wire.args.values()
            stack.append(wire.operands)
        else:
            stack += wire.items if isinstance(wire, Listed) else wire.items.values()
