"""The `forward` of a class: statements, variables, and when a value is let go.

A value whose operand is read for the last time takes over its variable (`x = self.conv1(x)`), as
people write it; other values get one named after their node. What is dead while later steps still
allocate is deleted, so that no value outlives its last use.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from graphbuild import expr as expressions
from graphbuild.emit.bodies import Bodies
from graphbuild.emit.context import Context
from graphbuild.emit.functions import allocates, function, wired
from graphbuild.emit.guards import Guards
from graphbuild.emit.items import call
from graphbuild.emit.parts import Statement
from graphbuild.emit.steps import MARK, Step, attribute, input_variables
from graphbuild.ir import INPUT, Edge, Graph, Node, Several, Tensor
from graphbuild.names import FUNCTIONS, SOURCE, identifier
from graphbuild.ops.base import Op


class Forward:
    """Assigns variables and writes the statements of one class's forward."""

    def __init__(
        self,
        context: Context,
        graph: Graph,
        steps: list[Step],
        absent: dict[str, Edge],
        guards: Guards,
    ) -> None:
        self.graph = graph
        self.nothing = guards.nothing
        self.guards = {step.node.name: step.guard for step in steps if step.guard}
        self.steps = steps
        self.absent = absent
        self.context = context
        self.uses: dict[str, int] = {}  # a value -> the last step that reads it
        self.readers: dict[str, set[int]] = {}  # the steps that read it
        for position, step in enumerate(steps):
            step.near = self._near(step)
            for edge in step.edges:
                self._read(edge, position)
            for name in step.reads:
                self._read(Edge(name), position)
            if step.near is not None:
                self._read(step.near, position)
        for output in graph.outputs:
            self._read(output.edge, len(steps))
        # Values that may be another one, handed on by a node that is absent.
        self.passing = {s.node.name for s in steps if s.maybe or s.passes or s.fork}
        self.returned = self._returned_directly()
        self.webs: dict[str, int] = {}  # a value -> its variable, as a number
        self.members: list[list[str]] = []
        self.names: list[str] = []
        self._assign()
        # The last step that allocates, and the variables that each step reads for the last time.
        steps_ = range(len(steps))
        self.allocating = max((p for p in steps_ if allocates(steps[p].node)), default=-1)
        self.ending: dict[int, list[int]] = {}
        for web in range(len(graph.inputs), len(self.members)):
            last = max(self.uses.get(m, -1) for m in self.members[web])
            self.ending.setdefault(last, []).append(web)

    def source(self, edge: Edge) -> Edge:
        """Where a value really comes from: an absent node hands its operand on."""
        while edge.source in self.absent:
            through = self.absent[edge.source]
            edge = Edge(through.source, (*through.select, *edge.select))
        return edge

    def _near(self, step: Step) -> Edge | None:
        """For an op that makes a tensor: a value whose size it reads, else the first input."""
        op, named = step.node.call, (*step.reads, *self.graph.input_names)
        if not isinstance(op, Op) or not op.makes or step.node.operands or not named:
            return None
        edge = Edge(named[0])
        while isinstance(self.graph.value(edge), Several):
            edge = Edge(edge.source, (*edge.select, 0))
        return edge

    def _read(self, edge: Edge, position: int) -> None:
        source = self.source(edge).source
        self.uses[source] = position
        self.readers.setdefault(source, set()).add(position)

    def _returned_directly(self) -> str | None:
        """The last step, if its value is what the forward returns and it is always there."""
        if not self.steps or self.graph.form != "single":
            return None
        step, last = self.steps[-1], self.steps[-1].node.name
        if step.maybe or step.guard or step.fork:
            return None
        return last if self.source(self.graph.outputs[0].edge) == Edge(last) else None

    # -- variables ------------------------------------------------------------------------------

    def _assign(self) -> None:
        plain = self.graph.input_names == (INPUT,)
        taken = {*FUNCTIONS, *SOURCE}
        for name in self.graph.input_names:
            self._open(name)
        self.names += input_variables(self.graph)
        taken.update(self.names)
        for position, step in enumerate(self.steps):
            web = next(
                (
                    self.webs[edge.source]
                    for edge in map(self.source, step.edges)
                    if not edge.select
                    and self.guards.get(edge.source, "") == step.guard
                    and self.uses.get(edge.source) == position
                    and (step.maybe or self._through(step) or self._alone(edge, position))
                    and (plain or self.webs[edge.source] >= len(self.graph.inputs))
                ),
                None,
            )
            if web is None or isinstance(step.node.type, Several):
                self._open(step.node.name)
            else:
                self.webs[step.node.name] = web
                self.members[web].append(step.node.name)
        preferred = iter(["out"] if "x" in taken else ["x", "out"])
        for web in range(len(self.names), len(self.members)):
            members = [m for m in self.members[web] if m != self.returned] or self.members[web]
            name = identifier(members[-1])
            if len(members) > 1:
                name = next(preferred, name)
            while name in taken:
                name += "_"
            taken.add(name)
            self.names.append(name)

    def _alone(self, edge: Edge, position: int) -> bool:
        """Whether a step is all that reads a value, beside those that may not run."""
        others = self.readers[edge.source] - {position}
        return all(at < len(self.steps) and self.steps[at].guard for at in others)

    def _through(self, step: Step) -> Edge | None:
        """The operand that a merge hands on where its other operands are absent."""
        if step.fork is None or len(step.fork.rest) != 1 or not step.node.call.passes:  # type: ignore[union-attr]
            return None
        return self.source(step.fork.rest[0]) if step.fork.rest[0] in step.fork.full else None

    def _open(self, value: str) -> None:
        self.webs[value] = len(self.members)
        self.members.append([value])

    def variable(self, value: str) -> str:
        return self.names[self.webs[self.source(Edge(value)).source]]

    def operand(self, edge: Edge) -> str:
        """An operand as it is written: a variable, or a part of one."""
        edge = self.source(edge)
        if edge.source in self.nothing:
            return "None"
        text = self.names[self.webs[edge.source]]
        type_ = self.graph.value(Edge(edge.source))
        node = self.graph.by_name.get(edge.source)
        for depth, index in enumerate(edge.select):
            keyed = (
                depth == 0
                and isinstance(type_, Several)
                and node is not None
                and isinstance(node.call, Graph)
                and node.call.form == "mapping"
            )
            text += f'["{type_.names[index]}"]' if keyed else f"[{index}]"  # type: ignore[union-attr]
        return text

    # -- statements -----------------------------------------------------------------------------

    def statements(self) -> list[Statement]:
        """The body of the forward."""
        bodies = Bodies(self)
        for position, step in enumerate(self.steps):
            name, span = self.variable(step.node.name), step.node.span
            guard = step.guard
            before = self.operand(step.edges[step.node.through]) if step.edges else name
            made: Statement
            if step.fork is not None and (through := self._through(step)) is not None:
                before = self.operand(through)
            if step.fork is not None:
                full, rest = (self.value(step, e) for e in (step.fork.full, step.fork.rest))
                if name == before and self._through(step) is not None:
                    made, guard = self._assigned(name, full, step, step.fork.full), step.fork.whole
                else:
                    test = self.is_there(step.asked) if step.asked else step.fork.test
                    made = Statement(f"{name} = {full} if {test} else {rest}", span)
            elif step.maybe and name == before:
                body = [Statement(f"{name} = {self.value(step)}", span)]
                made = Statement(f"if {step.maybe}:", span, body)
            elif step.maybe:
                made = Statement(f"{name} = {self.value(step)} if {step.maybe} else {before}", span)
            elif step.node.name == self.returned:
                bodies.add("", Statement(f"return {self.value(step)}", span), position)
                return bodies.finished()
            else:
                made = self._assigned(name, self.value(step), step, step.edges)
            bodies.add(guard, made, position)
        out, returned = bodies.finished(), self._returned()
        if out and out[-1].body is None and out[-1].code.startswith(f"{returned} = "):
            out[-1].code = f"return {out[-1].code[len(returned) + 3 :]}"
        else:
            out.append(Statement(f"return {returned}"))
        return out

    def _assigned(self, name: str, value: str, step: Step, edges: Sequence[Edge]) -> Statement:
        """An assignment, or a sum that is added up in place."""
        if not edges or name != self.operand(edges[0]) or not self._owns(step, edges):
            return Statement(f"{name} = {value}", step.node.span)
        sign = step.node.call.source  # type: ignore[union-attr]
        rest = ast.parse(value[len(name) + 3 :], mode="eval").body
        return Statement(f"{name} {sign}= {expressions.unparse(rest)}", step.node.span)

    def _owns(self, step: Step, edges: Sequence[Edge]) -> bool:
        """Whether a sum of two may be added up in the first, as people do who mind memory.

        That operand is read nowhere else, it is memory of its own, no backward reads it, and it
        is as large as the sum.
        """
        call = step.node.call
        if not isinstance(call, Op) or call.style != "operator" or call.source not in "+-":
            return False
        made = self.graph.by_name.get(self.source(edges[0]).source)
        others = [self.operand(edge) for edge in edges[1:]]
        return (
            len(edges) + len(step.arguments) == 2
            and made is not None
            and made.name not in self.passing
            and len(self.readers[made.name]) == 1
            and isinstance(made.call, Op)
            and not (made.call.aliases or made.call.overwrites or made.call.saves_output)
            and made.type == step.node.type
            and self.operand(edges[0]) not in others
        )

    def dead(self, position: int) -> list[str]:
        """Variables not read after this step, where a later step still allocates."""
        if position >= self.allocating:
            return []
        own = self.webs[self.steps[position].node.name]
        return [self.names[web] for web in self.ending.get(position, ()) if web != own]

    def asks(self, first: int, last: int) -> str:
        """What is asked in front of a body: whether the one value is there that it hangs on, or
        what its first step asks."""
        head, made = self.steps[first], set[str]()
        for step in self.steps[first : last + 1]:
            sources = {self.source(edge).source for edge in step.edges}
            if head.asked is None or (sources.isdisjoint(made) and head.asked not in step.edges):
                return head.asks or (head.fork.whole if head.fork else head.guard)
            made.add(step.node.name)
        return self.is_there(head.asked) if head.asked is not None else head.asks

    def is_there(self, edge: Edge) -> str:
        """The question whether a value is there; one that is not has no parts."""
        edge = self.source(edge)
        whole = Edge(edge.source) if edge.source in self.guards else edge
        return f"{self.operand(whole)} is not None"

    def unset(self, first: int, last: int) -> list[str]:
        """Variables that steps of one body begin, and that are read behind it: None elsewhere."""
        found: list[str] = []
        for step in self.steps[first : last + 1]:
            web = self.webs[step.node.name]
            members = self.members[web]
            inside = {s.node.name for s in self.steps[first : last + 1]}
            readers = {at for m in members if m in inside for at in self.readers.get(m, ())}
            if members[0] in inside and any(not first <= at <= last for at in readers):
                found.append(self.names[web])
        return list(dict.fromkeys(found))

    def begun(self, first: int, last: int) -> set[str]:
        """The variables that steps of one body begin."""
        inside = {s.node.name for s in self.steps[first : last + 1]}
        return {self.names[web] for web, m in enumerate(self.members) if m[0] in inside}

    def _returned(self) -> str:
        edges = [self._handed_out(output.edge) for output in self.graph.outputs]
        if self.graph.form == "mapping":
            pairs = zip(self.graph.outputs, edges, strict=True)
            return "{" + ", ".join(f'"{o.name}": {e}' for o, e in pairs) + "}"
        if self.graph.form == "list":
            return ", ".join(edges) if len(edges) > 1 else f"({edges[0]},)"
        return edges[0]

    def _handed_out(self, edge: Edge) -> str:
        """An output; a part of what may be absent is absent with it."""
        text, edge = self.operand(edge), self.source(edge)
        may_lack = edge.source in self.guards and edge.select
        return f"{text} if {self.is_there(edge)} else None" if may_lack else text

    def value(self, step: Step, edges: Sequence[Edge] | None = None) -> str:
        """The call that a step makes; of a merge with some of its operands."""
        node, edges = step.node, step.edges if edges is None else edges
        if step.near is not None:
            edges = (step.near,)
        operands = [self.operand(edge) for edge in edges]
        merges = isinstance(node.call, Op) and node.call.passes and len(node.operands) > 1
        if step.passes or (merges and len(edges) == 1):
            return operands[0]
        if not isinstance(node.call, Op) or node.call.layer:
            return call(attribute(node.name), wired(node.call, operands))
        arguments = dict(step.arguments)
        for name, text in arguments.items():
            for read in step.reads:
                text = text.replace(f"{MARK}{read}.shape", f"{self.variable(read)}.shape")
            arguments[name] = text
        shapes = [t.shape for t in map(self.graph.value, edges) if isinstance(t, Tensor)]
        return function(node.call, self._whole(node, edges, operands), arguments, shapes)

    def _whole(self, node: Node, given: Sequence[Edge], operands: list[str]) -> list[str] | str:
        """Operands that are all parts of one value, as that value."""
        edges = [self.source(edge) for edge in given]
        if not isinstance(node.call, Op) or not node.call.variadic or not edges:
            return operands
        source, type_ = edges[0].source, self.graph.value(Edge(edges[0].source))
        count = len(type_.items) if isinstance(type_, Several) else 0
        parts = [Edge(source, (k,)) for k in range(count)]
        if node.call.style == "list" and parts and edges == parts:
            called = self.graph.by_name[source].call if source in self.graph.by_name else None
            keyed = isinstance(called, Graph) and called.form == "mapping"
            name = self.variable(source)
            return f"list({name}.values())" if keyed else name
        return operands
