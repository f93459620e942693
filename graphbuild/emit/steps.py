"""The steps of a forward, and what it calls children and inputs."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphbuild import expr as expressions
from graphbuild.emit import choices
from graphbuild.emit.guards import Fork
from graphbuild.ir import INPUT, Edge, Graph, Node
from graphbuild.names import identifier, is_attribute
from graphbuild.ops.base import Op

MARK = "\0"  # in front of a value's name in an argument, until it has a variable


@dataclass
class Step:
    """One node of a forward, as far as it does not depend on variables."""

    node: Node  # of the first instance in which it is built
    edges: tuple[Edge, ...]  # its operands, without those that are never there
    fork: Fork | None = None
    passes: bool = False  # it hands its operand on, where its guard is another
    guard: str = ""  # what decides at run time whether it has a value
    asks: str = ""  # the same, asked of its own module
    asked: Edge | None = None  # an operand that is there where the guard holds and only there
    arguments: dict[str, str] = field(default_factory=dict)  # of a function, in Python
    reads: tuple[str, ...] = ()  # values whose shapes those arguments read
    near: Edge | None = None  # the value on whose device a tensor is made of nothing
    maybe: str | None = None  # what decides at run time whether it is built

    @property
    def taken(self) -> tuple[Edge, ...]:
        """The operands of the fuller call that it makes."""
        return max(self.fork.full, self.fork.rest, key=len) if self.fork else self.edges


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
        if node.mode == "never":
            continue
        stack += [edge.source for edge in node.operands]
        for arg in node.args.values():
            if arg.free and arg.expr is not None:
                stack += expressions.names(arg.expr)
    return found


def is_function(node: Node) -> bool:
    """Whether a step makes no call of a module."""
    return node.call is None or (isinstance(node.call, Op) and not node.call.layer)


def attribute(name: str) -> str:
    """A child as it is read."""
    return f"self.{name}" if is_attribute(name) else f'getattr(self, "{name}")'


def input_variables(graph: Graph) -> list[str]:
    """What a forward calls its inputs."""
    if graph.input_names == (INPUT,):
        return ["x"]
    if graph.routing is not None:
        return choices.variables(graph)
    return [identifier(name) for name in graph.input_names]
