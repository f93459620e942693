"""The spec's nodes with their expressions read, once each, however often they are elaborated.

What is wrong without knowing any value is found here: expressions that cannot be read, ops and
arguments that do not exist. So a block that nobody calls is checked as well.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from graphbuild import expr, ops
from graphbuild.elaborate import again, nested, when
from graphbuild.elaborate.state import Site, State
from graphbuild.elaborate.written import (
    Listed,
    Merge,
    Named,
    NodeTemplate,
    Raw,
    Ref,
    Repeat,
    ScopeTemplate,
    Value,
    Wire,
    label,
    values,
)
from graphbuild.errors import Span, did_you_mean
from graphbuild.names import TRAINING, unique
from graphbuild.ops.base import MISSING, Op
from graphbuild.source import Map, Seq, Text, walk
from graphbuild.spec import NodeSpec, Routing, Scope, Spec

TYPE_WORDS = frozenset("int float bool str list op".split())


@cache
def arguments(op: Op) -> frozenset[str]:
    """The names of an op's arguments."""
    return frozenset(a.name for a in op.arguments)


def merges(op: Op) -> bool:
    """Whether an op may stand on an edge, with what it merges."""
    return not op.layer and (op.variadic or len(op.operands) > 1)


def unknown_argument(
    state: State, op: Op, name: str, span: Span | None, site: Site | None = None
) -> None:
    known = [a.name for a in op.arguments]
    layer = _layer(op)
    elsewhere = ops.OTHER_ARGUMENTS.get(name)
    if elsewhere in known:
        hint = f"did you mean {elsewhere!r}?"
    elif layer is not None and name in arguments(layer):
        hint = f"did you mean the layer {layer.name}?"
    else:
        takes = f"it takes {', '.join(known) if known else 'no arguments'}"
        hint = did_you_mean(name, known) or takes
    state.report(
        "E112",
        f"{op.name} has no argument {str(name)!r}",
        span,
        about=str(name),
        suggestion=hint,
        site=site,
    )


def _layer(op: Op) -> Op | None:
    """The layer that a function is the call of: `Conv2d` of `conv2d`."""
    name = op.name.replace("_", "")
    found = (other for other in ops.names() if other[0].isupper() and other.lower() == name)
    return next(map(ops.get, found), None) if not op.layer else None


class Templates:
    """All templates of a spec. `file` tells those of a spec inside another apart, "" is the root."""

    def __init__(self, spec: Spec, state: State, file: str = "") -> None:
        self.spec = spec
        self.state = state
        self.file = file
        self.texts: dict[tuple[str, bool], Value] = {}
        # In a fixed order, so that of two names as near to a misspelt one it is always the same.
        self.known = dict.fromkeys(sorted({*map(str, spec.blocks), *ops.names()}))
        self.blocks = {
            str(name): self.scope(block, str(name), str(name))
            for name, block in spec.blocks.items()
        }
        self.root = self.scope(spec, "")
        self.defaults: dict[str, dict[str, Value]] = {
            name: {arg: v for arg, raw in args.items() if (v := self.value(raw)) is not None}
            for name, args in spec.defaults.items()
        }
        self._check_defaults()

    # -- values -----------------------------------------------------------------------------

    def value(self, raw: Raw) -> Value | None:
        """A YAML value read as an expression, or None where that cannot be (which is reported)."""
        try:
            if isinstance(raw, Text):
                key = (str(raw), raw.plain)
                seen = self.texts.get(key)
                if seen is None:
                    seen = self.texts[key] = self._lift(raw)
                return Value(raw, seen.expr, seen.names, seen.constant)
            return self._lift(raw)
        except expr.ExprError as error:
            self.failed(raw, error)
            return None

    def _lift(self, raw: Raw) -> Value:
        self.state.read(sum(min(len(t), expr.MAX_LENGTH) for t in walk(raw) if "$" in t))
        tree = expr.lift(raw)
        if isinstance(tree, ast.Constant):
            return Value(raw, tree, frozenset(), tree.value)
        names = expr.names(tree)
        if TRAINING in names:
            when.refuse(tree)
        return Value(raw, tree, names, MISSING if names else self.state.evaluate(tree, {}))

    def failed(self, raw: Raw, error: expr.ExprError, site: Site | None = None) -> None:
        span = expr.locate(raw, error)
        self.state.report(error.code, error.message, span, suggestion=error.suggestion, site=site)

    # -- scopes -----------------------------------------------------------------------------

    def place(self, local: str) -> str:
        """What tells a piece of the spec from every other one, also from those of other files."""
        return f"{self.file}:{local}" if self.file else local

    def inside(self, spec: Spec) -> Templates:
        """Those of a spec that a node of this one is."""
        known = self.state.templates
        if id(spec) not in known:
            file = unique(Path(spec.source.name).stem, [t.file for t in known.values()])
            known[id(spec)] = Templates(spec, self.state.inside(), file)
        found: Templates = known[id(spec)]
        return found

    def scope(self, spec: Scope, place: str, label: str = "") -> ScopeTemplate:
        """A scope; `label` is what its items are called after, where it is a list."""
        nodes = [self.node(key, node, label) for key, node in spec.nodes]
        let = {k: v for k, raw in spec.let.items() if (v := self.value(raw)) is not None}
        declared_first = spec.declared if isinstance(spec, Spec) else {}
        params: dict[Text, Value | str] = {}
        for name, raw in spec.params.items():
            if name not in declared_first and _is_word(raw):
                params[name] = str(raw)
            elif (value := self.value(raw)) is not None:
                params[name] = value
        kinds = {
            name: kind
            for name, raw in declared_first.items()
            if (kind := str(raw) if _is_word(raw) else self.value(raw)) is not None
        }
        if spec.rest is not None:
            self._check_rest(spec.rest, nodes)
        declared = tuple(spec.inputs)
        own = {*map(str, spec.params), *map(str, spec.let)}
        reads = set[str]().union(*(n.reads for n in nodes), *(v.names for v in let.values()))
        uses: set[str] = set()
        for node in nodes:
            uses |= {node.op} if node.op else set()
            uses |= node.group.uses if node.group else set()
        return ScopeTemplate(
            spec=spec,
            place=self.place(place),
            nodes=nodes,
            let=let,
            params=params,
            kinds=kinds,
            inputs=declared,
            reads=frozenset(reads - own),
            uses=frozenset(uses),
        )

    def _check_rest(self, rest: Text, nodes: list[NodeTemplate]) -> None:
        """That `rest` names a node that can take arguments."""
        by_name = {str(node.key): node for node in nodes}
        taker = by_name.get(rest)
        if taker is None:
            hint = did_you_mean(rest, by_name)
            self.state.report(
                "E201", f"there is no node {str(rest)!r} here", rest.span, suggestion=hint
            )
        elif taker.group is not None or taker.nested is not None:
            what = "a group" if taker.group is not None else "another spec"
            message = f"{str(rest)!r} is {what}, which takes no arguments"
            self.state.report("E201", message, rest.span)

    def node(self, key: Text, spec: NodeSpec, around: str) -> NodeTemplate:
        made = NodeTemplate(key, spec, spec.span, again=spec.again)
        made.again |= spec.share is not None and spec.repeat is not None and "$" not in key
        before = len(self.state.findings)
        if "$" in key:
            made.name = self.value(key)
        made.label = label(key, around)
        self._op(made)
        if spec.if_ is not None:
            made.condition = self.value(spec.if_)
        if spec.when is not None:
            made.when = when.read(self, spec.when)
        if spec.repeat is not None:
            made.repeat = self._repeat(spec.repeat)
        for name, raw in spec.args.items():
            value = self.value(raw)
            if value is not None:
                made.args[name] = value
        if spec.from_ is not None:
            made.wire = self.wire(spec.from_)
        if spec.share is not None:
            made.share = self.ref(spec.share)
        for name, raw in spec.tie.items():
            if (value := self.value(raw)) is not None:
                made.ties[name] = value
        if spec.routing is not None:
            made.by = self.wire(spec.routing.by)
            made.top_k = self.value(spec.routing.top_k) if spec.routing.top_k is not None else None
        if spec.group is not None:
            place = f"{spec.group.span.line}:{spec.group.span.column}"
            made.group = self.scope(spec.group, place, made.label)
        if spec.include is not None:
            made.nested = nested.read(self, spec.include)
        made.broken = len(self.state.findings) > before and self._broken(made)
        made.reads = self._reads(made)
        if made.again or spec.routing is not None:
            for code, message, span, hint in again.misuse(made):
                self.state.report(code, message, span, suggestion=hint)
                made.broken, made.name = True, None
        return made

    def _broken(self, made: NodeTemplate) -> bool:
        """Whether a finding is about the node itself and not only inside its group."""
        spec = made.spec
        return (
            len(made.args) < len(spec.args)
            or ("$" in made.key and made.name is None)
            or (spec.op is not None and made.op is None and made.op_value is None)
            or (spec.if_ is not None and made.condition is None)
            or (spec.when is not None and made.when is None)
            or (spec.repeat is not None and made.repeat is None)
            or (spec.from_ is not None and made.wire is None)
            or (spec.share is not None and made.share is None)
            or len(made.ties) < len(spec.tie)
            or (spec.include is not None and made.nested is None)
            or (spec.routing is not None and _unread(made, spec.routing))
            or (made.op is not None and made.op not in self.known)
        )

    def _op(self, made: NodeTemplate) -> None:
        name = made.spec.op
        if name is None:
            return
        if "$" in name:
            made.op_value = self.value(name)
            return
        made.op = str(name)
        if made.op not in self.known:
            self.state.report(
                "E111",
                f"unknown op {made.op!r}",
                name.span,
                suggestion=ops.HINTS.get(name) or self.state.nearest(ops.ours(name), self.known),
            )
        elif made.op not in self.spec.blocks:
            op = ops.get(made.op)
            for arg in made.spec.args:
                if op is not None and arg not in arguments(op):
                    unknown_argument(self.state, op, arg, arg.span)

    def _repeat(self, raw: Raw) -> Repeat | None:
        if not isinstance(raw, Map):
            count = self.value(raw)
            return None if count is None else Repeat(count, {}, raw.span)
        over = {str(k): v for k, item in raw.items() if (v := self.value(item)) is not None}
        return Repeat(None, over, raw.span) if len(over) == len(raw) else None

    def ref(self, raw: Text) -> Ref | None:
        """A name; None where it cannot be read (which is reported)."""
        value = self.value(raw) if "$" in raw else None
        return None if "$" in raw and value is None else Ref(raw, value)

    def wire(self, raw: Raw) -> Wire | None:
        """What `from` says; None where it cannot be read (which is reported)."""
        if isinstance(raw, Text):
            return self.ref(raw)
        if isinstance(raw, Seq):
            items = [self.wire(item) for item in raw]
            found = tuple(i for i in items if i is not None)
            return Listed(found, raw.span) if len(found) == len(items) else None
        first = next(iter(raw), None)
        op = ops.get(first) if first is not None else None
        if first is None or op is None or not merges(op):
            wires = {key: self.wire(item) for key, item in raw.items()}
            named = {k: w for k, w in wires.items() if w is not None}
            return Named(named, raw.span) if len(named) == len(wires) else None
        operands = self.wire(raw[first])
        args: dict[str, Value] = {}
        for key, item in raw.items():
            value = self.value(item) if key != first else None
            if value is not None:
                args[key] = value
        for arg in raw:
            if arg != first and arg not in arguments(op):
                unknown_argument(self.state, op, arg, arg.span)
        if operands is None or len(args) < len(raw) - 1:
            return None
        return Merge(op, operands, args, raw.span)

    def _reads(self, made: NodeTemplate) -> frozenset[str]:
        names: set[str] = set()
        for value in values(made):
            names |= value.names
        repeat = made.repeat
        turns = set() if repeat is None or made.again else {"i", *repeat.over}
        made.own_reads = frozenset(names - turns)
        inside = made.group.reads if made.group is not None else frozenset()
        return ((made.own_reads | inside) - turns) | (repeat.names if repeat else frozenset())

    def _check_defaults(self) -> None:
        for name, args in self.spec.defaults.items():
            if name not in self.known:
                self.state.report(
                    "E111",
                    f"defaults for the unknown op {str(name)!r}",
                    name.span,
                    suggestion=did_you_mean(name, self.known),
                )
            elif name not in self.spec.blocks:
                op = ops.get(name)
                for arg in args:
                    if op is not None and arg not in arguments(op):
                        unknown_argument(self.state, op, arg, arg.span)


def _is_word(raw: Raw) -> bool:
    return isinstance(raw, Text) and raw.plain and raw in TYPE_WORDS


def _unread(made: NodeTemplate, routing: Routing) -> bool:
    """Whether something about a node with cases could not be read."""
    return made.by is None or (routing.top_k is not None and made.top_k is None)
