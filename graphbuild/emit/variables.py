"""The variables of a `forward`: which value takes over which, and when one is read no more.

A value whose operand is read for the last time takes over its variable (`x = self.conv1(x)`), as
people write it; other values get one named after their node.
"""

from __future__ import annotations

from graphbuild import expr as expressions
from graphbuild.emit import choices
from graphbuild.emit.context import Context
from graphbuild.emit.functions import allocates
from graphbuild.emit.guards import Guards
from graphbuild.emit.kinds import is_own
from graphbuild.emit.steps import Step, attribute
from graphbuild.expr.write import quoted
from graphbuild.ir import INPUT, Edge, Graph, Several
from graphbuild.names import FUNCTIONS, SOURCE, identifier
from graphbuild.ops.base import Op


class Variables:
    """Which variable each value of one class's forward has, and how long."""

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
        self.passing = {s.node.name for s in steps if s.maybe or s.passes or s.fork or s.times}
        self.own = frozenset(n.name for n in graph.nodes if is_own(n))
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
        if step.maybe or step.guard or step.fork or step.times:
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
                    and self.guards.get(edge.source, "") == step.guard
                    and self.uses.get(edge.source) == position
                    and (
                        step.maybe
                        or step.times
                        or self._through(step)
                        or self._alone(edge, position)
                    )
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
        edges = [self.source(edge) for edge in step.edges]
        if not step.times:
            return edges
        kept = {edge.source for edge in edges[1:]}  # these are the same in every turn
        return [edge for edge in edges[:1] if edge.source not in kept]

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
        source = self.source(Edge(value)).source
        return attribute(source) if source in self.own else self.names[self.webs[source]]

    def operand(self, edge: Edge) -> str:
        """An operand as it is written: a variable, or a part of one."""
        edge = self.source(edge)
        if edge.source in self.nothing:
            return "None"
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
            text += f"[{quoted(type_.names[index])}]" if keyed else f"[{index}]"  # type: ignore[union-attr]
        return text

    # -- how long they are read ------------------------------------------------------------------

    def dead(self, position: int) -> list[str]:
        """Variables not read after this step, where a later step still allocates."""
        if position >= self.allocating:
            return []
        own = self.webs[self.steps[position].node.name]
        return [self.names[web] for web in self.ending.get(position, ()) if web != own]

    def is_there(self, edge: Edge) -> str:
        """The question whether a value is there; one that is not has no parts."""
        edge = self.source(edge)
        whole = Edge(edge.source) if edge.source in self.guards else edge
        return f"{self.operand(whole)} is not None"

    def unset(self, first: int, last: int) -> list[str]:
        """Variables that steps of one body begin, and that are read behind it: None elsewhere."""
        inside = {step.node.name: None for step in self.steps[first : last + 1]}
        found: dict[str, None] = {}
        for web in dict.fromkeys(self.webs[name] for name in inside):
            members = self.members[web]
            readers = (at for m in members if m in inside for at in self.readers.get(m, ()))
            if members[0] in inside and any(not first <= at <= last for at in readers):
                found[self.names[web]] = None
        return list(found)

    def begun(self, first: int, last: int) -> set[str]:
        """The variables that steps of one body begin."""
        inside = {s.node.name for s in self.steps[first : last + 1]}
        return {self.names[web] for web, m in enumerate(self.members) if m[0] in inside}


def input_variables(graph: Graph) -> list[str]:
    """What a forward calls its inputs."""
    if graph.input_names == (INPUT,):
        return ["x"]
    if graph.routing is not None:
        return choices.variables(graph)
    found: list[str] = []
    for name in map(identifier, graph.input_names):
        while name in found or name in FUNCTIONS or name in SOURCE:
            name += "_"
        found.append(name)
    return found


def needed(graph: Graph) -> set[str]:
    """The values that a scope's outputs are made of."""
    found: set[str] = set()
    stack = [output.edge.source for output in graph.outputs]
    while stack:
        name = stack.pop()
        node = graph.by_name.get(name)
        if node is None or name in found:
            continue
        found.add(name)
        if node.mode == "never" or is_own(node):  # what a buffer is made of is not read again
            continue
        stack += [edge.source for edge in node.operands]
        for arg in node.args.values():
            if arg.free and arg.expr is not None:
                stack += expressions.names(arg.expr)
    return found
