"""In-place ops: legal only where nothing else reads what they overwrite.

Every value lives in a storage. A view shares its operand's, an op in place overwrites it and so
begins a new epoch of it. A read is wrong if its epoch has been overwritten: by another node, as an
output of the scope, or by the backward of the op that made the value. Each distinct graph is looked
at once; its summary says what a call of it does to the storages of its operands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from graphbuild.errors import Finding, Note, Span
from graphbuild.ir import Edge, Graph, Node, Several, Type
from graphbuild.ops.base import MISSING, Op

OUTPUT = ""  # in place of a path: the scope hands the value out


class Access(NamedTuple):
    """A node that reads or overwrites a value: its path, seen from the scope that looks."""

    path: str
    span: Span | None
    op: Op | None = None  # of a write
    calls: tuple[tuple[str, Span | None], ...] = ()  # of blocks, on the way to it, innermost first
    owner: str = ""  # the node whose module it shares


class Value(NamedTuple):
    """A tensor: where it lives, after how many overwrites, and whose backward reads it."""

    storage: int
    epoch: int
    saved: Access | None = None


Values = Value | list["Values"]


@dataclass
class Epoch:
    """One state of a storage's content."""

    name: str  # of the value, for people
    reads: list[Access] = field(default_factory=list)
    writes: list[Access] = field(default_factory=list)
    saved: Access | None = None
    kept: str = ""  # what it is that the module itself keeps: "the parameter 'scale'"


@dataclass
class Summary:
    """What a scope does; `epochs` by storage and epoch. Inputs have the storages in `inputs`."""

    inputs: list[Values]
    outputs: list[Values] = field(default_factory=list)
    epochs: dict[tuple[int, int], Epoch] = field(default_factory=dict)
    storages: int = 0


class Site(NamedTuple):
    """A call of a block around the scope, innermost first."""

    path: str
    span: Span | None
    outer: Site | None


def findings(graph: Graph) -> list[Finding]:
    """E209 for every op that overwrites a value that is still read, or an input of the spec."""
    check = _Check()
    summary = check.summary(graph, "", None)
    for given, values in zip(graph.inputs, summary.inputs, strict=True):
        for value in _leaves(values):
            epoch = summary.epochs.get((value.storage, value.epoch))
            for write in epoch.writes if epoch else ():
                note = Note("whoever calls the model would find it changed", given.span)
                check.report(write, f"the input {given.name!r}", [note], None, "")
    return check.found


class _Check:
    def __init__(self) -> None:
        self.found: list[Finding] = []
        self.known: dict[object, Summary] = {}
        self.alike: dict[int, object] = {}

    def summary(self, graph: Graph, path: str, site: Site | None) -> Summary:
        key = self.key(graph)
        if key not in self.known:
            self.known[key] = _Scope(self, graph, path, site).run()
        return self.known[key]

    def key(self, graph: Graph) -> object:
        """The same for instances of a template that differ in sizes alone: they overwrite alike."""
        if id(graph) not in self.alike:
            nodes = tuple(
                [(n.name, self._called(n), _turns(n), _parts(n.type)) for n in graph.nodes]
            )
            inputs = tuple([_parts(given.type) for given in graph.inputs])
            self.alike[id(graph)] = (graph.template, nodes, inputs)
        return self.alike[id(graph)]

    def _called(self, node: Node) -> object:
        if not isinstance(node.call, Op):
            return self.key(node.call) if node.call is not None else None
        op = node.call
        return (op.name, _applies(op, node, op.overwrites), _applies(op, node, op.saves_output))

    def report(
        self, write: Access, what: str, notes: list[Note], site: Site | None, prefix: str
    ) -> None:
        op = write.op
        mend = None
        if op is not None and isinstance(op.overwrites, str):
            at = f"in {write.owner!r}" if write.owner else "here"
            mend = f"write {op.overwrites}: false {at}"
        notes += [Note(f"reached from {prefix}{path}", span) for path, span in write.calls]
        while site is not None:
            notes.append(Note(f"reached from {site.path}", site.span))
            site = site.outer
        name = op.name if op is not None else "the"
        message = f"{name} node {prefix + write.path!r} overwrites {what}"
        self.found.append(Finding("E209", message, write.span, suggestion=mend, notes=tuple(notes)))


class _Scope:
    """One graph on the way to its summary."""

    def __init__(self, check: _Check, graph: Graph, path: str, site: Site | None) -> None:
        self.check = check
        self.graph = graph
        self.prefix = f"{path}." if path else ""
        self.site = site
        self.made = Summary([])
        self.values: dict[str, Values] = {}

    def run(self) -> Summary:
        for given in self.graph.inputs:
            values = self.fresh(given.type, given.name, None)
            self.values[given.name] = values
            self.made.inputs.append(values)
        for position in self.graph.order:
            node = self.graph.nodes[position]
            self.values[node.name] = self.node(node)
        for output in self.graph.outputs:
            values = self.value(output.edge)
            self.made.outputs.append(values)
            for value in _leaves(values):
                epoch = self.made.epochs[value.storage, value.epoch]
                if epoch.writes:
                    epoch.reads.append(Access(OUTPUT, output.edge.span or self.graph.span))
        self.judge()
        return self.made

    def judge(self) -> None:
        """Report what is overwritten and still read."""
        for epoch in self.made.epochs.values():
            if not epoch.writes:
                continue
            first, *others = epoch.writes
            notes = [self.note(read) for read in [*epoch.reads, *others]]
            if epoch.saved is not None:
                note = f"the backward of {self.prefix}{epoch.saved.path} reads it"
                notes.append(Note(note, epoch.saved.span))
            if epoch.kept:
                notes = [Note("the module keeps it for the next input")]
                self.check.report(first, epoch.kept, notes, self.site, self.prefix)
            elif notes:
                what = f"the value of {epoch.name!r}, which is still read"
                notes = list(dict.fromkeys(notes))
                self.check.report(first, what, notes, self.site, self.prefix)

    def note(self, read: Access) -> Note:
        if read.path == OUTPUT:
            return Note("it is an output as well", read.span)
        return Note(f"{self.prefix}{read.path} reads it", read.span)

    def node(self, node: Node) -> Values:
        operands = [self.value(edge) for edge in node.operands]
        if node.call is None:
            return operands[0]
        for _ in range(_turns(node)):
            operands[:1] = [self.once(node, operands)]
        return operands[0]

    def once(self, node: Node, operands: list[Values]) -> Values:
        """One call of what a node calls."""
        if isinstance(node.call, Graph):
            return self.call(node, node.call, operands)
        if node.call is None:
            raise ValueError(f"{node.name} calls nothing")
        op, here = node.call, Access(node.name, node.span, node.call, owner=node.shared)
        if op.own:
            return self.own(node, op, here)
        saves = here if _applies(op, node, op.saves_output) else None
        overwrites = _applies(op, node, op.overwrites)
        for position, given in enumerate(operands):
            for value in _leaves(given):
                if position or not (op.aliases or overwrites):
                    self.epoch(value).reads.append(here)
        if not operands or not (op.aliases or overwrites):
            return self.fresh(node.type, node.name, saves)
        operand = operands[0]
        if isinstance(operand, list):
            return self.fresh(node.type, node.name, saves)
        if overwrites:
            return self.write(operand, here, saves, node.name)
        return self.view(node.type, operand, saves)

    def own(self, node: Node, op: Op, here: Access) -> Values:
        """A tensor of the module itself, which nothing may overwrite."""
        for edge in node.operands:
            for value in _leaves(self.value(edge)):
                self.epoch(value).reads.append(here)
        made = self.new(node.name, None)
        self.epoch(made).kept = f"the {op.name} {self.prefix + node.name!r}"
        return made

    def call(self, node: Node, graph: Graph, operands: list[Values]) -> Values:
        """A call: the epochs of the called scope's storages, as they follow upon ours."""
        site = self.site
        path = self.prefix + node.name
        if graph.kind == "block":
            site = Site(path, node.span, site)
        inner = self.check.summary(graph, path, site)
        ours: dict[int, Value] = {}
        for given, theirs in zip(operands, inner.inputs, strict=True):
            for mine, their in zip(_leaves(given), _leaves(theirs), strict=True):
                ours[their.storage] = mine
        for (storage, number), epoch in inner.epochs.items():
            if storage not in ours:
                continue
            # Epochs that end inside have been judged there, apart from what is read out here.
            value = ours[storage]
            reads = [self._seen(node, read) for read in epoch.reads if read.path != OUTPUT]
            self.epoch(value).reads.extend(reads)
            if epoch.writes:
                seen = self._seen(node, epoch.writes[0])
                after = inner.epochs.get((storage, number + 1))
                saved = after.saved if after is not None else None
                ours[storage] = self.write(
                    value, seen, saved and self._seen(node, saved), node.name
                )
        results = [self.result(node, inner, values, ours) for values in inner.outputs]
        return results[0] if graph.form == "single" else results

    def result(self, node: Node, inner: Summary, values: Values, ours: dict[int, Value]) -> Values:
        """A value that a call hands out."""
        if isinstance(values, list):
            return [self.result(node, inner, v, ours) for v in values]
        saved = self._seen(node, values.saved) if values.saved is not None else None
        if values.storage in ours:
            value = ours[values.storage]
            return value._replace(saved=saved or value.saved)
        epoch = inner.epochs[values.storage, values.epoch]
        made = self.new(node.name, saved)
        self.epoch(made).reads += [self._seen(node, read) for read in epoch.reads]
        self.epoch(made).kept = epoch.kept
        ours[values.storage] = made
        return made

    def _seen(self, node: Node, access: Access) -> Access:
        calls = tuple((f"{node.name}.{path}", span) for path, span in access.calls)
        if isinstance(node.call, Graph) and node.call.kind == "block":
            calls += ((node.name, node.span),)
        return access._replace(path=f"{node.name}.{access.path}", calls=calls)

    # -- values -----------------------------------------------------------------------------

    def value(self, edge: Edge) -> Values:
        found = self.values[edge.source]
        for index in edge.select:
            assert isinstance(found, list)
            found = found[index]
        return found

    def epoch(self, value: Value) -> Epoch:
        return self.made.epochs[value.storage, value.epoch]

    def new(self, name: str, saved: Access | None) -> Value:
        self.made.storages += 1
        value = Value(self.made.storages, 0, saved)
        self.made.epochs[value.storage, 0] = Epoch(name, saved=saved)
        return value

    def fresh(self, type_: Type, name: str, saved: Access | None) -> Values:
        if isinstance(type_, Several):
            return [self.fresh(item, name, saved) for item in type_.items]
        return self.new(name, saved)

    def view(self, type_: Type, operand: Value, saved: Access | None) -> Values:
        if isinstance(type_, Several):
            return [self.view(item, operand, saved) for item in type_.items]
        return operand._replace(saved=saved or operand.saved)

    def write(self, value: Value, by: Access, saved: Access | None, name: str) -> Value:
        epoch = self.epoch(value)
        epoch.saved = epoch.saved or value.saved
        epoch.writes.append(by)
        if len(epoch.writes) > 1:  # wrong, and reported; what follows is looked at by itself
            return self.new(name, saved)
        after = Value(value.storage, value.epoch + 1, saved)
        self.made.epochs[after.storage, after.epoch] = Epoch(name, saved=saved)
        return after


def _applies(op: Op, node: Node, when: str | bool) -> bool:
    """Whether an op does something always, or because of an argument."""
    if isinstance(when, bool):
        return when
    if when in node.args:
        return bool(node.args[when].value)
    argument = op.argument(when)
    return argument is not None and argument.default is not MISSING and bool(argument.default)


def _turns(node: Node) -> int:
    """How often a node's module is looked at in turn: the third turn is as every later one."""
    count = node.times.value if node.times is not None else 1
    return min(count, 3) if isinstance(count, int) else 1


def _parts(type_: Type) -> object:
    return tuple(map(_parts, type_.items)) if isinstance(type_, Several) else None


def _leaves(values: Values) -> Iterator[Value]:
    if isinstance(values, list):
        for item in values:
            yield from _leaves(item)
    else:
        yield values
