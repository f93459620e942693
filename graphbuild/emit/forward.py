"""The `forward` of a class: its statements, in one body where they run under one guard.

What is dead while later steps still allocate is deleted, so that no value outlives its last use.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from graphbuild import expr as expressions
from graphbuild.emit.bodies import Bodies
from graphbuild.emit.functions import function, spare, wired
from graphbuild.emit.guards import Fork
from graphbuild.emit.items import call
from graphbuild.emit.parts import Statement
from graphbuild.emit.steps import MARK, Step, attribute
from graphbuild.emit.variables import Variables
from graphbuild.expr.write import quoted
from graphbuild.ir import Edge, Graph, Node, Several, Tensor
from graphbuild.ops.base import Op


class Forward(Variables):
    """Writes the statements of one class's forward."""

    def statements(self) -> list[Statement]:
        """The body of the forward."""
        bodies = Bodies(self)
        for position, step in enumerate(self.steps):
            name, span = self.variable(step.node.name), step.node.span
            before = self.operand(step.edges[step.node.through]) if step.edges else name
            guard = step.guard
            if step.times and name != before:
                bodies.begin(Statement(f"{name} = {before}", span))
            if step.times:
                made = self._turns(step, name)
            elif step.fork is not None:
                made, guard = self._forked(step, step.fork, name)
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

    def _turns(self, step: Step, name: str) -> Statement:
        """A module that is applied in turn, each time to what it gave."""
        span = step.node.span
        turn = Statement(f"{name} = {self.value(step, first=name)}", span)
        made = Statement(f"for _ in range({step.times}):", span, [turn])
        return Statement(f"if {step.maybe}:", span, [made]) if step.maybe else made

    def _forked(self, step: Step, fork: Fork, name: str) -> tuple[Statement, str]:
        """A merge that has more operands where a guard holds, and the guard that it is under."""
        through = self._through(step)
        full = self.value(step, fork.full)
        if through is not None and name == self.operand(through):
            return self._assigned(name, full, step, fork.full), fork.whole
        test = self.is_there(step.asked) if step.asked is not None else fork.test
        choice = f"{full} if {test} else {self.value(step, fork.rest)}"
        return Statement(f"{name} = {choice}", step.node.span), step.guard

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

    def _returned(self) -> str:
        edges = [self._handed_out(output.edge) for output in self.graph.outputs]
        if self.graph.form == "mapping":
            pairs = zip(self.graph.outputs, edges, strict=True)
            return "{" + ", ".join(f"{quoted(o.name)}: {e}" for o, e in pairs) + "}"
        if self.graph.form == "list":
            return ", ".join(edges) if len(edges) > 1 else f"({edges[0]},)"
        return edges[0]

    def _handed_out(self, edge: Edge) -> str:
        """An output; a part of what may be absent is absent with it."""
        text, edge = self.operand(edge), self.source(edge)
        may_lack = edge.source in self.guards and edge.select
        return f"{text} if {self.is_there(edge)} else None" if may_lack else text

    def value(
        self, step: Step, edges: Sequence[Edge] | None = None, first: str | None = None
    ) -> str:
        """The call that a step makes; of a merge with some of its operands; `first` stands in place
        of its first operand."""
        node, edges = step.node, step.edges if edges is None else edges
        if step.near is not None:
            edges = (step.near,)
        operands = [self.operand(edge) for edge in edges]
        operands[:1] = [first] if first else operands[:1]
        merges = isinstance(node.call, Op) and node.call.passes and len(node.operands) > 1
        if step.passes or (merges and len(edges) == 1):
            return operands[0]
        if not isinstance(node.call, Op) or node.call.layer:
            return call(
                attribute(node.shared or node.name),
                [*wired(node.call, operands), *spare(self.graph, node, self.source)],
            )
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
