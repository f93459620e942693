"""A scope for one set of values: its nodes expanded, wired, ordered, and built one by one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Literal

from graphbuild import expr
from graphbuild.elaborate import cases, expand, operands, ordering, presence, sharing, ties, unused
from graphbuild.elaborate import node as nodes
from graphbuild.elaborate.expand import Item
from graphbuild.elaborate.state import Poisoned, Site, State, whole
from graphbuild.elaborate.template import Templates
from graphbuild.elaborate.written import NodeTemplate, ScopeTemplate, Value
from graphbuild.errors import MAX_NAMES, Span
from graphbuild.ir import (
    ABSENT,
    Arg,
    Graph,
    Input,
    Loop,
    Node,
    Output,
    Routing,
    Several,
    Tensor,
    Type,
    Variable,
)
from graphbuild.modes import Modes
from graphbuild.ops.base import MISSING


class Scope:
    """One instance of a scope. `run` gives its graph, or None where a finding stands against it."""

    def __init__(
        self,
        templates: Templates,
        template: ScopeTemplate,
        kind: Literal["spec", "block", "group", "repeat"],
        name: str,
        *,
        path: str = "",
        around: dict[str, Variable],
        own: Iterable[Variable] = (),
        inputs: tuple[Input, ...],
        site: Site | None = None,
        parent: Scope | None = None,
        depth: int = 0,
        repeated: tuple[NodeTemplate, list[Loop]] | None = None,
        calling: tuple[str, ...] = (),
        rest: dict[str, Arg] | None = None,
        doc: str = "",
        heads: Iterable[str] | None = None,
        routing: Routing | None = None,
    ) -> None:
        self.templates = templates
        self.state: State = templates.state
        self.template = template
        self.kind = kind
        self.name = name
        self.path = path
        self.around = around
        self.own = tuple(own)
        self.visible = {**around, **{v.name: v for v in self.own}} if self.own else around
        self.state.count()
        self.state.carry(len(self.visible))
        self.inputs = inputs
        self.input_names = tuple(i.name for i in inputs)
        self.takes = frozenset(self.input_names)
        self.site = site
        self.parent = parent  # of a group or a repetition: the scope that it stands in
        self.depth = depth
        self.routing = routing  # of a scope of cases
        self.repeated = repeated
        self.doc = doc or (template.spec.doc if repeated is None else "")
        self.heads = heads  # of a spec that is cut: the nodes whose values are wanted
        self.calling = calling  # the blocks around, outermost first
        self.rest = rest or {}  # arguments that the block passes on
        self.rest_child = template.spec.rest
        self.connect = template.spec.connect if repeated is None else "chain"
        self.listed = template.spec.listed if repeated is None else True
        self.items: list[Item] = []
        self.empty: list[ast.expr] = []  # what repetitions without turns run over
        self.index: dict[str, int] = {}
        self.values: dict[str, Type | None] = {i.name: i.type for i in inputs}
        self.modes: dict[str, Modes] = {}  # of the values that may be absent
        self.reads: set[str] = set()  # names that expressions read from variables
        self.lent: set[str] = set()  # of the spec's, those that blocks called here read
        self.used: set[str] = set()
        self.built = 0  # items of a list so far
        self.loose = False  # some names are unknown, because their nodes are broken
        self.running = inputs[0].name if inputs else ""  # a dense group's concat so far
        self.sound = True

    def run(self) -> Graph | None:
        expand.expand(self)
        if self.routing is not None:
            cases.check(self, self.routing)
        needs = ordering.link(self)
        order = ordering.sort(self, needs)
        if self.heads is not None:
            order = ordering.only(self, order, needs, self.heads)
        for position in order:
            self.build(self.items[position])
        return self.finish(order)

    @property
    def is_root(self) -> bool:
        """Whether it is a spec, this one or one inside of it: nothing is around."""
        return self.repeated is None and self.template is self.templates.root

    def where(self, name: str) -> str:
        """A node's path from the root."""
        return f"{self.path}.{name}" if self.path else name

    def report(self, code: str, message: str, span: Span | None, **details: Any) -> None:
        self.sound = False
        self.state.report(code, message, span, site=self.site, **details)

    def failed(self, value: Value, error: expr.ExprError) -> None:
        self.sound = False
        self.templates.failed(value.raw, error, self.site)

    # -- values of expressions --------------------------------------------------------------

    def environment(
        self,
        value: Value,
        visible: Mapping[str, Variable],
        loop: Loop | None,
        nodes: bool,
        probe: int = 0,
    ) -> tuple[dict[str, object], list[expr.ShapeView]]:
        """What the names of an expression mean at a probe, and the shapes among it."""
        env: dict[str, object] = {}
        views: list[expr.ShapeView] = []
        for name in value.names:
            variable = visible.get(name)
            if variable is not None:
                env[name] = variable.value
                if loop is None or name not in loop.variables:
                    self.reads.add(name)
                continue
            type_ = self.values.get(name, MISSING) if nodes or name in self.takes else MISSING
            if type_ is None:
                raise Poisoned
            if isinstance(type_, Tensor):
                shape = type_.shapes[probe]
                if shape is None:
                    raise LookupError
                view = env[name] = expr.ShapeView(shape, self.state.varying(type_))
                views.append(view)
                self.used.add(name)
            elif self.loose and nodes:
                raise Poisoned
            elif type_ == ABSENT:
                presence.no_shape(self, name, value)
            else:  # the evaluation reports it, with a suggestion out of all names
                for other, v in islice(visible.items(), MAX_NAMES):
                    env.setdefault(other, v.value)
                for other, t in islice(self.values.items(), MAX_NAMES):
                    if isinstance(t, Tensor):
                        env.setdefault(other, expr.ShapeView(t.shape))
        return env, views

    def note(self, names: Iterable[str], loop: Loop | None) -> None:
        """That these variables are read."""
        for name in names:
            if loop is None or name not in loop.variables:
                self.reads.add(name)

    def around_has(self, name: str) -> bool:
        """Whether a name is a node of a scope around this one, which cannot be seen from here."""
        scope = self.parent
        while scope is not None and name not in scope.index:
            scope = scope.parent
        return scope is not None

    def views(self, inputs: Iterable[Input]) -> dict[str, object]:
        """What the names of inputs mean in a `let`."""
        return {
            i.name: expr.ShapeView(i.type.shape, self.state.varying(i.type))
            for i in inputs
            if isinstance(i.type, Tensor)
        }

    def evaluate(
        self,
        value: Value,
        visible: Mapping[str, Variable],
        loop: Loop | None,
        *,
        nodes: bool = True,
    ) -> tuple[object, bool]:
        """An expression's value at the example, and whether it reads a free dimension.

        Raises Poisoned, having reported what is wrong.
        """
        if value.constant is not MISSING:
            return value.constant, False
        env, views = self.environment(value, visible, loop, nodes)
        try:
            found = self.state.evaluate(value.expr, env)
        except expr.ExprError as error:
            self.failed(value, error)
            raise Poisoned from None
        free = any(view.touched for view in views)
        return (found if free or not views else whole(found)), free

    def fixed(self, value: Value, item: Item, what: str, *, nodes: bool = True) -> Any:
        """A value that decides on structure, so that it may not read a free dimension."""
        found, free = self.evaluate(value, item.visible, item.loop, nodes=nodes)
        if free:
            self.report(
                "E208",
                f"{what} depends on a free dimension",
                value.span,
                suggestion="only arguments of functions can be computed from the input's size",
            )
            raise Poisoned
        return found

    # -- building ---------------------------------------------------------------------------

    def build(self, item: Item) -> None:
        """Make the item's nodes; its value is None where something is wrong."""
        type_: Type | None = None
        if not item.broken:
            try:
                if item.template.when is not None:
                    item.when = presence.own(self, item)
                if item.present is None and (item.when is None or item.mode != "never"):
                    expand.decide(self, item)
                build = sharing.build if item.owner or item.times else nodes.build
                guarded = self.modes or item.template.when is not None
                type_ = nodes.guarded(self, item, build) if guarded else build(self, item)
                if item.template.ties:
                    ties.note(self, item)
            except Poisoned:
                item.broken, self.sound = True, False
        if item.name:
            self.values[item.name] = type_
        if self.connect == "dense":
            nodes.grow(self, item)

    def child(self, *args: Any, **kwargs: Any) -> Scope:
        """A scope inside of this one."""
        return Scope(*args, **kwargs)

    # -- the result -------------------------------------------------------------------------

    def finish(self, order: list[int]) -> Graph | None:
        try:
            outputs, form, type_ = self.result()
            type_ = self.state.intern(type_)
        except Poisoned:
            self.sound = False
        else:
            unused.nodes(self)
        if not self.sound:
            return None
        made: list[Node] = []
        starts: list[int] = []
        for item in self.items:
            starts.append(len(made))
            made += item.made
        execution = [
            s for p in order for s in range(starts[p], starts[p] + len(self.items[p].made))
        ]
        if self.modes:
            execution = ordering.early(made, execution)
        spec = self.template.spec
        return Graph(
            name=self.name,
            template=self.template.place
            if self.repeated is None
            else self.templates.place(self.repeated[0].turns_place),
            kind=self.kind,
            connect=self.connect,
            listed=self.listed,
            inputs=self.inputs,
            nodes=tuple(made),
            order=tuple(execution),
            outputs=outputs,
            form=form,
            type=type_,
            variables=self.own,
            outer=self.outer(),
            empty=tuple(self.empty),
            doc=self.doc,
            span=spec.span if self.repeated is None else self.repeated[0].span,
            routing=self.routing,
        )

    def outer(self) -> tuple[Variable, ...]:
        """The variables from around that are read here or inside."""
        own = {v.name for v in self.own}
        lets = self.template.let.values() if self.repeated is None else ()
        reads = self.reads.union(*(value.names for value in lets))
        found = {n: v for n, v in self.around.items() if n in reads and n not in own}
        if not self.is_root:
            for name, variable in self.state.visible.items():
                if name in self.lent:
                    found.setdefault(name, variable)
        return tuple(found.values())

    def result(
        self,
    ) -> tuple[tuple[Output, ...], Literal["single", "list", "mapping"], Type]:
        if self.routing is not None:
            return cases.result(self, self.routing)
        if self.heads is not None:
            return operands.values(self, [name for name in self.heads if name in self.index])
        raw = self.template.spec.outputs if self.repeated is None else None
        if raw is not None:
            return operands.outputs(self, raw)
        if self.connect == "parallel" and self.items:
            types = tuple(self._value(item.name) for item in self.items)
            made = tuple(Output("", operands.edge(self, item.name)) for item in self.items)
            return made, "list", Several(types, tuple(item.name for item in self.items))
        if self.connect == "dense":
            last = self.running
        elif self.items:
            last = self.items[-1].name
        elif self.repeated is not None:  # no turns: the first operand, as where an `if` is false
            last = self.inputs[int(self.repeated[0].by is not None)].name
        elif len(self.inputs) == 1:
            last = self.inputs[0].name
        else:
            self.report(
                "E202",
                "a scope without nodes and with several inputs has no value of its own",
                self.template.spec.span,
                suggestion="say which with `outputs`",
            )
            raise Poisoned
        type_ = self._value(last)
        return (Output("", operands.edge(self, last)),), "single", type_

    def _value(self, name: str) -> Type:
        type_ = self.values.get(name)
        if type_ is None:
            raise Poisoned
        return type_
