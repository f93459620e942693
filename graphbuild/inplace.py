"""In-place ops: legal only where nothing else reads what they overwrite.

Every value lives in a storage. A view shares its operand's, an op in place overwrites it and so
begins a new epoch of it. A read is wrong if its epoch has been overwritten: by another node, as an
output of the scope, or by the backward of the op that made the value. Each distinct graph is looked
at once; its summary says what a call of it does to the storages of its operands.
"""

from __future__ import annotations

from graphbuild.errors import Finding, Note
from graphbuild.ir import Edge, Graph, Node, Routing, Several, Type
from graphbuild.modes import there
from graphbuild.ops.base import Op
from graphbuild.storages import (
    OUTPUT,
    Access,
    Epoch,
    Site,
    Summary,
    Value,
    Values,
    applies,
    leaves,
    parts,
    turns,
)


def findings(graph: Graph) -> list[Finding]:
    """E209 for every op that overwrites a value that is still read, or an input of the spec."""
    if not _has_modes(graph):
        return _findings(graph, None)
    return [*_findings(graph, True), *_findings(graph, False)]


def _has_modes(graph: Graph) -> bool:
    """Whether a node is not always there, so that each mode is looked at."""
    seen, stack = {id(graph)}, [graph]
    while stack:
        for node in stack.pop().nodes:
            if node.mode != "always":
                return True
            if type(node.call) is Graph and id(node.call) not in seen:
                seen.add(id(node.call))
                stack.append(node.call)
    return False


def _findings(graph: Graph, training: bool | None) -> list[Finding]:
    """The same in one mode."""
    check = _Check(training)
    summary = check.summary(graph, "", None)
    for given, values in zip(graph.inputs, summary.inputs, strict=True):
        for value in leaves(values):
            epoch = summary.epochs.get((value.storage, value.epoch))
            for write in epoch.writes if epoch else ():
                note = Note("whoever calls the model would find it changed", given.span)
                check.report(write, f"the input {given.name!r}", [note], None, "")
    return check.found


def hands_on(graph: Graph) -> bool:
    """Whether a scope may give something that shares memory with what it is given."""
    for training in (True, False) if _has_modes(graph) else (True,):
        summary = _Check(training).summary(graph, "", None)
        given = {value.storage for values in summary.inputs for value in leaves(values)}
        if any(v.storage in given for values in summary.outputs for v in leaves(values)):
            return True
    return False


class _Check:
    def __init__(self, training: bool | None) -> None:
        self.training = training  # None where nothing hangs on the mode
        self.found: list[Finding] = []
        self.known: dict[int, Summary] = {}
        self.alike: dict[int, int] = {}
        self.numbers: dict[object, int] = {}

    def summary(self, graph: Graph, path: str, site: Site | None) -> Summary:
        key = self.key(graph)
        if key not in self.known:
            made = self.known[key] = _Scope(self, graph, path, site).run()
            made.note_given()
        return self.known[key]

    def key(self, graph: Graph) -> int:
        """The same for instances of a template that differ in sizes alone: they overwrite alike."""
        if id(graph) not in self.alike:
            nodes = tuple(
                [(n.name, self._called(n), parts(n.type), n.mode, n.times) for n in graph.nodes]
            )
            inputs = tuple([parts(given.type) for given in graph.inputs])
            same = (graph.template, nodes, inputs)
            self.alike[id(graph)] = self.numbers.setdefault(same, len(self.numbers))
        return self.alike[id(graph)]

    def _called(self, node: Node) -> object:
        if not isinstance(node.call, Op):
            return self.key(node.call) if node.call is not None else None
        op = node.call
        return (op.name, applies(op, node, op.overwrites), applies(op, node, op.saves_output))

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
        if self.graph.routing is not None:
            self.made.outputs.append(self.cases(self.graph.routing))
            self.judge()
            return self.made
        for position in self.graph.order:
            node = self.graph.nodes[position]
            training = self.check.training
            runs = training is None or there(node.mode, training)
            self.values[node.name] = self.node(node) if runs else []
        for output in self.graph.outputs:
            values = self.value(output.edge)
            self.made.outputs.append(values)
            for value in leaves(values):
                epoch = self.made.epochs[value.storage, value.epoch]
                if epoch.writes:
                    epoch.reads.append(Access(OUTPUT, output.edge.span or self.graph.span))
        self.judge()
        return self.made

    def cases(self, routing: Routing) -> Value:
        """What a choice among cases gives.

        Rows are copied for a case and copied from what it gives. A mixture of all cases reads what
        each gives once more, in its backward. Of a switch one case runs, on the very values.
        """
        results: list[Value] = []
        given = {n.name: self.values[n.name] for n in self.graph.data}
        storages = {value.storage for values in given.values() for value in leaves(values)}
        for node in self.graph.nodes:
            here = Access(node.name, node.span)
            if routing.by_rows:
                for one in self.graph.data:
                    for value in leaves(given[one.name]):
                        self.epoch(value).reads.append(here)
                    self.values[one.name] = self.fresh(one.type, one.name, None)
            for value in leaves(self.node(node)):
                results.append(value)
                if routing.kind == "mixture":
                    self.epoch(value).reads.append(here)
        made = self.new(self.graph.name, None)
        if routing.kind != "switch":
            return made
        for storage in sorted(storages):
            self.unwritten(self.made.epochs[storage, 0])
        saved = next((value.saved for value in results if value.saved is not None), None)
        handed = [value for value in results if value.storage in storages]
        if (
            len({value.storage for value in handed}) > 1
        ):  # which one is not known: not to be written
            node = self.graph.nodes[0]
            saved = saved or Access(node.name, node.span)
        return (handed or [made])[0]._replace(saved=saved)

    def unwritten(self, epoch: Epoch) -> None:
        """That no case of a switch overwrites what it is given."""
        for write in epoch.writes[:1]:
            note = Note(
                "torch.cond, which a switch becomes when it is exported, takes no such case"
            )
            what = f"the value of {epoch.name!r}, which a switch gives its cases"
            self.check.report(write, what, [note], self.site, self.prefix)
        epoch.writes.clear()

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
        if node.times is None:
            return self.once(node, operands)
        for _ in range(turns(node)):
            operands[:1] = [self.once(node, operands)]
        return operands[0]

    def once(self, node: Node, operands: list[Values]) -> Values:
        """One call of what a node calls."""
        if not isinstance(node.call, Op):
            return self.call(node, node.call, operands) if node.call else operands[0]
        op, here = node.call, Access(node.name, node.span, node.call, owner=node.shared)
        if op.own:
            return self.own(node, op, here)
        if op.variadic and self.check.training is not None:  # takes what is there
            operands = [value for value in operands if value != []]
            if op.passes and len(operands) == 1 < len(node.operands):
                return operands[0]
        saves = here if applies(op, node, op.saves_output) else None
        overwrites = applies(op, node, op.overwrites)
        for position, given in enumerate(operands):
            for value in leaves(given):
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
            for value in leaves(self.value(edge)):
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
            for mine, their in zip(leaves(given), leaves(theirs), strict=True):
                ours[their.storage] = mine
        for storage, number, epoch in inner.given:
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
            found = found[index] if found else found  # no parts: it is not there
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
