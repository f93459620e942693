"""Which pieces of the spec become a class or a function of their own, and their instances.

A block that is a plain chain becomes a function that builds an `nn.Sequential`, any other block
or group that is not a plain chain a class. Chains written in place stay in place. All instances
of one template are one unit, unless they differ in more than what an `if` or a `repeat` says.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from graphbuild.emit.called import file_of, named, unused
from graphbuild.emit.choices import likeness
from graphbuild.emit.forms import Form, form
from graphbuild.emit.kinds import made
from graphbuild.emit.structures import Slot, Structure, Unlike, joined, rank, slot
from graphbuild.emit.symbols import SymType
from graphbuild.ir import Edge, Graph, Node, Several
from graphbuild.modes import both, leaves
from graphbuild.names import FUNCTIONS, SOURCE, class_name, identifier
from graphbuild.ops.base import MISSING, Op

Env = Mapping[str, object]


class Case(NamedTuple):
    """One instance of a scope, with what names mean in it."""

    graph: Graph
    env: Env
    instance: int  # which of the unit's graphs it is, or is inside of
    turns: tuple[int, ...] = ()  # the loop indices that lead to it, outer first


class Call(NamedTuple):
    """One instance of a node, with the scope it stands in and what names mean there."""

    node: Node
    graph: Graph
    env: Env
    instance: int
    turns: tuple[int, ...] = ()

    def is_never(self, edge: Edge) -> bool:
        """Whether an operand is a node that this instance does not have."""
        made = self.graph.by_name.get(edge.source)
        return made is not None and made.mode == "never"


@dataclass(eq=False)
class Param:
    """An argument of a unit's constructor, with its value in every instance."""

    name: str
    kind: Literal["size", "variable", "outer", "extra"]
    source: str  # the variable's name; for a size "position.dimension" of the input
    values: list[object]  # by position in Unit.graphs
    default: object = MISSING
    by_name: bool = False  # callers write it with its name


@dataclass(eq=False)
class Unit:
    """A class or function of the emitted source."""

    name: str
    form: Form
    graphs: list[Graph]
    params: list[Param] = field(default_factory=list)
    sizes: list[Param] = field(default_factory=list)  # of all inputs, read or not
    result: SymType | None = None  # what it gives, in terms of its params
    frozen: frozenset[str] = frozenset()  # names around and params whose values are written out

    @property
    def template(self) -> str:
        return self.graphs[0].template

    @property
    def is_function(self) -> bool:
        return self.form == "sequence"

    def called(self, name: str) -> str:
        """A name as it is written for a function or a class."""
        return identifier(name) if self.is_function else class_name(name)

    def position(self, graph: Graph) -> int:
        return self._positions[id(graph)]

    def __post_init__(self) -> None:
        self._positions = {id(graph): i for i, graph in enumerate(self.graphs)}


@dataclass
class SmallModule:
    """A function as a module of its own, for chains: its class, and the arguments it is given."""

    op: Op
    name: str
    arguments: dict[str, list[object]] = field(default_factory=dict)  # and the values they have
    operands: int = 1


def _modes(graph: Graph, node: Node) -> dict[object, object]:
    """When the operands of a merge are there, as far as that is not a matter of the constructor."""
    return {
        position: both(*leaves(graph.mode(edge)))
        for position, edge in enumerate(node.operands)
        if edge.source not in graph.by_name or graph.by_name[edge.source].mode != "never"
    }


def called(call: Call) -> Graph:
    """The scope that a node calls."""
    if not isinstance(call.node.call, Graph):
        raise TypeError(f"{call.node.name} does not call a scope")
    return call.node.call


def scopes(graph: Graph) -> Iterator[Graph]:
    """The distinct graphs called in this one, directly; a shared module is its owner's."""
    seen: set[int] = set()
    for node in graph.nodes:
        if isinstance(node.call, Graph) and not node.shared and id(node.call) not in seen:
            seen.add(id(node.call))
            yield node.call


class Units:
    """All units of a graph; a unit comes after those that it calls."""

    def __init__(self, root: Graph, apart: Collection[str]) -> None:
        self.root = root
        self.apart = apart  # templates of which every instance is a unit of its own
        self.uneven: set[Slot] = set()
        self.forms: dict[int, Form] = {}
        self._structures: dict[int, Structure] = {}
        self._of: dict[int, Unit] = {}
        self.all: list[Unit] = []
        templates: dict[str, list[Graph]] = {}
        taken = {"x", "i", "j", *FUNCTIONS, *SOURCE}
        for graph in distinct(root):
            self.forms[id(graph)] = form(graph)
            templates.setdefault(graph.template, []).append(graph)
            taken.update(variable.name for variable in graph.variables)
        for graphs in templates.values():
            if len({self.forms[id(graph)] for graph in graphs}) > 1:  # as an `if` has it
                self.forms.update((id(graph), "class") for graph in graphs)
        first = unused(class_name(root.name), taken)
        own = {n for t, (g, *_) in templates.items() if not file_of(t) for n in named(g)}
        taken.add(first)
        for template in _callees_first(templates):
            for unit in self._group(templates[template]):
                if unit.graphs[0] is root:
                    unit.name = first
                else:
                    file = file_of(template)
                    name = unit.graphs[0].name
                    if file and name != file and unit.name in taken | own:
                        unit.name = unit.called(f"{file}_{name}")
                    unit.name = unused(unit.name, taken | own if file else taken)
                taken.add(unit.name)
                self.all.append(unit)
        self.names = frozenset(taken)

    def of(self, graph: Graph) -> Unit | None:
        """The unit that a graph is an instance of; None for a chain that stays in place."""
        return self._of.get(id(graph))

    def _group(self, graphs: list[Graph]) -> list[Unit]:
        for graph in graphs:
            self.uneven.update(self._uneven(graph))
        groups: list[tuple[Structure, Unit]] = []
        for graph in graphs:
            shape = self.forms[id(graph)]
            structure = self._structures[id(graph)] = self._structure(graph)
            if shape == "sequence" and graph.kind != "block":
                continue
            for position, (known, unit) in enumerate(groups):
                if unit.form == shape and graph.template not in self.apart:
                    try:
                        groups[position] = joined(known, structure), unit
                    except Unlike:
                        continue
                    unit.graphs.append(graph)
                    break
            else:
                unit = Unit("", shape, [graph])
                unit.name = unit.called(graph.name)
                groups.append((structure, unit))
        units = [unit for _, unit in groups]
        for unit in units:
            unit.__post_init__()
            self._of.update((id(graph), unit) for graph in unit.graphs)
        return units

    def _structure(self, graph: Graph) -> Structure:
        """What stands at each slot of a scope, and on which operands."""
        found: Structure = {"inputs": tuple(rank(given.type) for given in graph.inputs)}
        found["routing"] = likeness(graph)
        apart = self.forms[id(graph)] == "class"
        if apart:
            found["names"] = tuple(node.name for node in graph.nodes)
        for node in graph.nodes:
            if node.synthetic and not apart:
                continue
            key = ("node", node.name) if apart else self.slot(node)
            found[key] = joined(found.get(key), self._identity(node))
            if apart and node.call is not None:
                found["operands", key] = node.operands
            if apart and node.mode != "never":
                found["mode", key] = (node.mode, node.when is None)
                if isinstance(node.call, Op) and node.call.variadic:
                    found["modes", key] = _modes(graph, node)
            if node.loop is not None and slot(node) in self.uneven:
                found["turns", slot(node)] = node.loop.count
        return found

    def slot(self, node: Node) -> tuple[int, ...]:
        """What a written node is known by; turns of a loop that are built differently, each."""
        key = slot(node)
        return (*key, node.loop.index) if node.loop and key in self.uneven else key

    def is_uneven(self, node: Node) -> bool:
        """Whether a node is a turn of a loop whose turns are built differently."""
        return slot(node) in self.uneven

    def _identity(self, node: Node) -> object:
        """What a node calls; None where its `if` is false, so that others may say what it is."""
        if node.call is None:
            left_out = node.condition is not None or node.mode == "never"
            return None if left_out else "null"
        if node.shared:
            return ("shares", node.shared)
        if isinstance(node.call, Op):
            if node.call.own:
                return (node.call.name, *made(node))
            given = [
                (a, node.args[a.name].value) for a in node.call.arguments if a.name in node.args
            ]
            return (
                node.call.name,
                *(value for argument, value in given if argument.structural),
                *(tuple(value) for _, value in given if isinstance(value, dict)),
                *(
                    [rank(node.type)] if isinstance(node.type, Several) else []
                ),  # parts, as it gives
            )
        return self._of.get(id(node.call)) or self._structures[id(node.call)]

    def _uneven(self, graph: Graph) -> Iterator[Slot]:
        """The repetitions whose turns are built differently."""
        turns: dict[Slot, object] = {}
        for node in graph.nodes:
            if node.loop is not None and not node.synthetic:
                key = slot(node)
                try:
                    turns[key] = joined(turns.get(key), self._identity(node))
                except Unlike:
                    yield key


def distinct(root: Graph) -> list[Graph]:
    """All graphs that are called, directly or not, each once."""
    found: dict[int, Graph] = {}
    stack = [root]
    while stack:
        graph = stack.pop()
        if id(graph) not in found:
            found[id(graph)] = graph
            stack.extend(reversed(list(scopes(graph))))
    return list(found.values())


def _callees_first(templates: dict[str, list[Graph]]) -> list[str]:
    order: list[str] = []
    seen: set[str] = set()

    def visit(template: str) -> None:
        if template in seen:
            return
        seen.add(template)
        for graph in templates[template]:
            for child in scopes(graph):
                visit(child.template)
        order.append(template)

    for template in templates:
        visit(template)
    return order


def rest_target(graph: Graph, name: str) -> tuple[object, bool]:
    """Of an argument that a block passes on: its default, and whether it is written by position."""
    for node in graph.nodes:
        read = any(isinstance(a.expr, ast.Name) and a.expr.id == name for a in node.args.values())
        if not read:
            continue
        if isinstance(node.call, Graph):
            own = next((v for v in node.call.variables if v.name == name), None)
            if own is None or own.kind == "rest":
                return rest_target(node.call, name)
            return own.default, own.default is MISSING
        for position, argument in enumerate(node.call.arguments if node.call else ()):
            if argument.name == name and node.call is not None:
                return argument.default, position < node.call.positional
    return MISSING, False
