"""The `forward` of a class: statements, variables, and when a value is let go.

A value whose operand is read for the last time takes over its variable (`x = self.conv1(x)`), as
people write it; other values get one named after their node. What is dead while later steps still
allocate is deleted, so that no value outlives its last use.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from graphbuild import expr as expressions
from graphbuild.emit.context import Context
from graphbuild.emit.functions import allocates, function, wired
from graphbuild.emit.items import call
from graphbuild.emit.parts import Statement
from graphbuild.ir import INPUT, Edge, Graph, Node, Several, Tensor
from graphbuild.names import FUNCTIONS, SOURCE, identifier, is_attribute
from graphbuild.ops.base import Op

MARK = "\0"  # in front of a value's name in an argument, until it has a variable


@dataclass
class Step:
    """One node of a forward, as far as it does not depend on variables."""

    node: Node  # of the first instance in which it is built
    arguments: dict[str, str] = field(default_factory=dict)  # of a function, in Python
    reads: tuple[str, ...] = ()  # values whose shapes those arguments read
    maybe: str | None = None  # what decides at run time whether it is there
    times: str | None = None  # how often its module is applied in turn
    near: Edge | None = None  # the value on whose device a tensor is made of nothing


class Forward:
    """Assigns variables and writes the statements of one class's forward."""

    def __init__(self, context: Context, graph: Graph, steps: list[Step], absent: dict[str, Edge]):
        self.graph = graph
        self.steps = steps
        self.absent = absent
        self.context = context
        self.uses: dict[str, int] = {}  # a value -> the last step that reads it
        self.readers: dict[str, set[int]] = {}  # the steps that read it
        for position, step in enumerate(steps):
            step.near = self._near(step)
            for edge in step.node.operands:
                self._read(edge, position)
            for name in step.reads:
                self._read(Edge(name), position)
            if step.near is not None:
                self._read(step.near, position)
        for output in graph.outputs:
            self._read(output.edge, len(steps))
        # Values that may be another one, handed on by a node that is absent.
        self.passing = {step.node.name for step in steps if step.maybe or step.times}
        self.own = frozenset(n.name for n in graph.nodes if isinstance(n.call, Op) and n.call.own)
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
        last = self.steps[-1].node.name
        if last in self.passing:
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
                    for edge in self._given_up(step)
                    if not edge.select
                    and edge.source not in self.own
                    and self.uses.get(edge.source) == position
                    and (step.node.name in self.passing or len(self.readers[edge.source]) == 1)
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

    def _given_up(self, step: Step) -> list[Edge]:
        """The operands whose variable a step's value may take over."""
        edges = [self.source(edge) for edge in step.node.operands]
        if not step.times:
            return edges
        kept = {edge.source for edge in edges[1:]}  # these are the same in every turn
        return [edge for edge in edges[:1] if edge.source not in kept]

    def _open(self, value: str) -> None:
        self.webs[value] = len(self.members)
        self.members.append([value])

    def variable(self, value: str) -> str:
        source = self.source(Edge(value)).source
        return attribute(source) if source in self.own else self.names[self.webs[source]]

    def operand(self, edge: Edge) -> str:
        """An operand as it is written: a variable, or a part of one."""
        edge = self.source(edge)
        text = self.variable(edge.source)
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
        out: list[Statement] = []
        for position, step in enumerate(self.steps):
            name = self.variable(step.node.name)
            value = self.value(step)
            ends = step.node.name == self.returned
            before = self.operand(step.node.operands[0]) if step.node.operands else name
            span = step.node.span
            if step.times:
                out += self._turns(step, name, before)
            elif step.maybe and name == before:
                body = [Statement(f"{name} = {value}", span)]
                out.append(Statement(f"if {step.maybe}:", span, body))
            elif step.maybe:
                out.append(Statement(f"{name} = {value} if {step.maybe} else {before}", span))
            elif name == before and self._owns(step):
                sign = step.node.call.source  # type: ignore[union-attr]
                rest = ast.parse(value[len(name) + 3 :], mode="eval").body
                out.append(Statement(f"{name} {sign}= {expressions.unparse(rest)}", span))
            elif ends:
                out.append(Statement(f"return {value}", span))
                return out
            else:
                out.append(Statement(f"{name} = {value}", span))
            dead = self._dead(position)
            if dead:
                out.append(Statement(f"del {', '.join(dead)}", span))
        out.append(Statement(f"return {self._returned()}"))
        return out

    def _turns(self, step: Step, name: str, before: str) -> list[Statement]:
        """A module that is applied in turn, each time to what it gave."""
        span = step.node.span
        turn = Statement(f"{name} = {self.value(step, name)}", span)
        made = Statement(f"for _ in range({step.times}):", span, [turn])
        if step.maybe:
            made = Statement(f"if {step.maybe}:", span, [made])
        return [made] if name == before else [Statement(f"{name} = {before}", span), made]

    def _owns(self, step: Step) -> bool:
        """Whether a sum of two may be added up in the first, as people do who mind memory.

        That operand is read nowhere else, it is memory of its own, no backward reads it, and it
        is as large as the sum.
        """
        call, edges = step.node.call, step.node.operands
        if not isinstance(call, Op) or call.style != "operator" or call.source not in "+-":
            return False
        made = self.graph.by_name.get(self.source(edges[0]).source)
        others = [self.operand(edge) for edge in edges[1:]]
        return (
            len(edges) + len(step.arguments) == 2
            and made is not None
            and made.name not in self.passing
            and isinstance(made.call, Op)
            and not (made.call.aliases or made.call.overwrites or made.call.saves_output)
            and made.type == step.node.type
            and self.operand(edges[0]) not in others
        )

    def _dead(self, position: int) -> list[str]:
        """Variables not read after this step, where a later step still allocates."""
        if position >= self.allocating:
            return []
        own = self.webs[self.steps[position].node.name]
        return [self.names[web] for web in self.ending.get(position, ()) if web != own]

    def _returned(self) -> str:
        edges = [self.operand(output.edge) for output in self.graph.outputs]
        if self.graph.form == "mapping":
            pairs = zip(self.graph.outputs, edges, strict=True)
            return "{" + ", ".join(f'"{o.name}": {e}' for o, e in pairs) + "}"
        if self.graph.form == "list":
            return ", ".join(edges) if len(edges) > 1 else f"({edges[0]},)"
        return edges[0]

    def value(self, step: Step, first: str | None = None) -> str:
        """The call that a step makes; `first` stands in place of its first operand."""
        node = step.node
        edges = node.operands if step.near is None else (step.near,)
        operands = [self.operand(edge) for edge in edges]
        operands[:1] = [first] if first else operands[:1]
        if not isinstance(node.call, Op) or node.call.layer:
            wires = [*wired(node.call, operands), *self._alone(node)]
            return call(attribute(node.shared or node.name), wires)
        arguments = dict(step.arguments)
        for name, text in arguments.items():
            for read in step.reads:
                text = text.replace(f"{MARK}{read}.shape", f"{self.variable(read)}.shape")
            arguments[name] = text
        shapes = [t.shape for t in map(self.graph.value, node.operands) if isinstance(t, Tensor)]
        return function(node.call, self._whole(node, operands), arguments, shapes)

    def _alone(self, node: Node) -> list[str]:
        """What a call says where nobody takes more than its first output."""
        if not isinstance(node.call, Op) or not node.call.alone:
            return []
        edges = [edge for other in self.graph.nodes for edge in other.operands]
        edges += [output.edge for output in self.graph.outputs]
        first = all(e.select[:1] == (0,) for e in map(self.source, edges) if e.source == node.name)
        return [node.call.alone] if first else []

    def _whole(self, node: Node, operands: list[str]) -> list[str] | str:
        """Operands that are all parts of one value, as that value."""
        edges = [self.source(edge) for edge in node.operands]
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


def attribute(name: str) -> str:
    """A child as it is read."""
    return f"self.{name}" if is_attribute(name) else f'getattr(self, "{name}")'


def input_variables(graph: Graph) -> list[str]:
    """What a forward calls its inputs."""
    if graph.input_names == (INPUT,):
        return ["x"]
    return [identifier(name) for name in graph.input_names]
