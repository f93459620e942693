"""A unit as source: its constructor's arguments, its docstring, its body."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from graphbuild import expr as expressions
from graphbuild.emit import choices, initial, sharing, tying
from graphbuild.emit.arguments import exported, lets, mappings, params, shown
from graphbuild.emit.build import Builder
from graphbuild.emit.containers import container
from graphbuild.emit.context import Context
from graphbuild.emit.docs import shapes_line
from graphbuild.emit.forward import Forward
from graphbuild.emit.guards import Guards, joined
from graphbuild.emit.items import sequential
from graphbuild.emit.own import Own
from graphbuild.emit.parts import EmitError, Scope, Statement, in_order
from graphbuild.emit.rows import Slot
from graphbuild.emit.sizes import dimension_name
from graphbuild.emit.steps import Step, attribute
from graphbuild.emit.symbols import Sym, SymType
from graphbuild.emit.tensors import Tensors
from graphbuild.emit.units import Call, Case, SmallModule, Unit, Units
from graphbuild.emit.variables import needed
from graphbuild.errors import Span
from graphbuild.expr.write import quoted
from graphbuild.ir import Edge, Node, Tensor
from graphbuild.names import identifier, is_attribute
from graphbuild.ops.base import Op


@dataclass
class Written:
    """A class or function of the source, ready to print."""

    unit: Unit
    base: str  # "nn.Module", "nn.ModuleDict", or "" for a function
    shapes: str  # one line for the docstring
    arguments: list[str]  # of the constructor, with annotations and defaults
    constructor: list[Statement]
    reset: list[Statement]  # draws the unit's own parameters anew
    init: list[Statement]  # of the root: the rules of initialisation
    forward: list[Statement]
    span: Span | None


def write(unit: Unit, units: Units, modules: dict[str, SmallModule]) -> Written:
    """A unit's text; also fills in the unit's params and result for its callers."""
    while True:
        writer = Writer(unit, units, modules)
        written = writer.write()
        frozen = writer.context.frozen
        for variable in reversed(
            unit.graphs[0].variables
        ):  # what a frozen let is made of is frozen
            if variable.name in frozen and variable.expr is not None:
                frozen |= expressions.names(variable.expr)
        if frozen == unit.frozen:
            return written
        unit.frozen = frozen


class Writer:
    """Writes one unit, with the names in `unit.frozen` as values."""

    def __init__(self, unit: Unit, units: Units, modules: dict[str, SmallModule]):
        self.unit = unit
        self.graph = unit.graphs[0]
        self.context = Context(unit, units.names, unit.frozen)
        self.builder = Builder(self.context, units, modules)
        self.chains = self.builder.chains
        self.scope = Scope([Case(g, self.context.envs[k], k) for k, g in enumerate(unit.graphs)])
        self.guards = Guards(self.context)
        self.read: set[str] = set()  # the values that the outputs are made of
        self.own = Own(self.context, self.graph)
        self.init: list[Statement] = []
        self.tensors = Tensors(self)

    def write(self) -> Written:
        self._inputs()
        for tree in tying.structure(self.builder.units, self.unit):
            self.context.freeze(tree)
        forward: list[Statement] = []
        if self.unit.form == "class":
            forward = self._class_body()
        else:
            given = self.scope.shapes[self.graph.data[0].name]
            items, result = self.builder.chains.children(self.scope, given)
            self.unit.result = (
                result
                if self.unit.form != "routed"
                else choices.chosen(self.graph, self.scope.shapes, result)
            )
            piece = sequential(items)
            if self.unit.form == "sequence":
                self.context.statements.append(Statement(f"return {piece}", self.graph.span))
            else:
                made, forward = container(self.unit.form, self.graph, items, self._top_k())
                self.context.statements.append(made)
        if self.graph.kind == "spec":
            self.init = initial.statements(
                self.graph, lambda tree, env: self.own.said(tree, env, self.scope)
            )
        for name in self.own.names:
            self.context.statements.append(Statement(f"self.{self.own.attribute(name)} = {name}"))
        self.context.statements[:0] = lets(self.context, self.scope)
        self.unit.sizes = list(self.context.sizes.values())
        self.unit.params = params(self.context, self.unit)
        self.context.statements[:0] = mappings(self.unit)
        if self.unit.result is not None:
            self.unit.result = exported(self.unit.result, self.context.locals)
        return self._written(forward)

    def _inputs(self) -> None:
        if self.graph.kind == "spec":
            if any(not isinstance(given.type, Tensor) for given in self.graph.inputs):
                raise EmitError("a spec's input is a tensor")
            types: list[SymType] = [given.type.shape for given in self.graph.inputs]  # type: ignore[union-attr]
        else:
            types = self.context.input_types()
        for position, given in enumerate(self.graph.inputs):
            self.scope.shapes[given.name] = self._declared(position, types[position])

    def _declared(self, position: int, type_: SymType) -> SymType:
        """An input with the sizes that a spec writes; those of other scopes have only symbols."""
        written = self.graph.inputs[position].sizes
        if not written or isinstance(type_, list):
            return type_
        shape = list(type_)
        for d, tree in enumerate(written):
            made = self.context.translate(tree, self.scope)
            inputs = [graph.inputs[position].type for graph in self.unit.graphs]
            values = [given.shape[d] for given in inputs if isinstance(given, Tensor)]
            if made is not None and self.context.holds(made, values, self.scope.cases):
                shape[d] = Sym(values[0], made)
        return tuple(shape)

    def _top_k(self) -> str:
        """How many cases are chosen, as the forward says it; empty where all are."""
        cases = self.scope.cases
        given = [case.graph.routing.top_k for case in cases if case.graph.routing is not None]
        values = [arg.value for arg in given if arg is not None]
        if not values or given[0] is None:
            return ""
        tree = self.context.translate(given[0].expr, self.scope)
        chosen = self.context.choose([tree], values, cases, "top_k")
        return self.own.text(chosen, cases[0].env)

    # -- a class with a forward of its own ----------------------------------------------------

    def _class_body(self) -> list[Statement]:
        steps: list[Step] = []
        absent: dict[str, Edge] = {}
        made: dict[int, list[Statement]] = {}
        self.chains.without_turns(self.scope)
        self.read = {name for case in self.scope.cases for name in needed(case.graph)}
        for position in self.graph.order:
            name = self.graph.nodes[position].name
            found = self._slot(name)
            if not found.everyone:
                self.guards.never(found)
                self.scope.shapes[name] = []
                continue
            scope = self.scope
            if found.everyone[0].node.loop is not None:  # a class writes its repetitions out
                scope = self.chains.repetitions.turn_scope(found, scope)
            if not found.present or self.graph.connect != "chain":
                self.chains.fixed(found)
            if self.tensors.note(name, found, scope):
                continue
            start = len(self.context.statements)
            before = dict(self.own.names), dict(self.context.used)
            built = self.guards.built(found, scope)
            edges, fork = self.guards.operands(found, name in self.read)
            passed = found.passes(edges) if fork is None else None
            if passed is not None:
                self.scope.shapes[name] = self._shape(passed)
                if self.guards.of.get(name) == self.guards.of.get(passed.source):
                    absent[name] = passed
                    continue
                step = Step(found.everyone[0].node, edges, passes=True)
            else:
                step = self._node(found, scope, Step(found.present[0].node, edges, fork), built)
            step.asked = fork.asked if fork is not None else self.guards.asked(found, edges)
            if name in self.read:
                self._ask(step, built)
            made[position] = self.context.statements[start:]
            del self.context.statements[start:]
            if name in self.read:
                steps.append(step)
            elif is_function(step.node):
                self.own.names, self.context.used = before
                del made[position]
        made.update(self.tensors.constructed())
        # modules register in file order
        placed = [statement for position in sorted(made) for statement in made[position]]
        if list(made) != sorted(made):
            placed = in_order(placed, self.context.locals)
        self.context.statements += joined(placed)
        self.unit.result = self._result()
        forward = Forward(self.context, self.graph, steps, absent, self.guards)
        return forward.statements()

    def _slot(self, name: str) -> Slot:
        """A node in all instances."""
        found = Slot()
        for case in self.scope.cases:
            node = case.graph.by_name[name]
            calls = found.absent if node.call is None else found.present
            (found.never if node.mode == "never" else calls).append(
                Call(node, case.graph, case.env, case.instance)
            )
        found.present.sort(key=lambda call: sum(map(call.is_never, call.node.operands)))
        return found

    def _shape(self, edge: Edge) -> SymType:
        found = self.scope.shapes[edge.source]
        for index in edge.select:
            if not isinstance(found, list):
                raise EmitError(f"{edge.source} has no parts")
            found = found[index]
        return found

    def _node(self, found: Slot, scope: Scope, step: Step, built: ast.expr | None) -> Step:
        """Construct a node's module, and tell what its step in the forward needs."""
        context = self.context
        node, edges = step.node, step.taken
        operands = [self._shape(edge) for edge in edges]
        source = edges[0].source if edges else node.name
        rank = len(operands[0]) if operands and isinstance(operands[0], tuple) else 0
        hint = f"{identifier(source)}_{dimension_name(rank, 1 if rank > 3 else rank - 1)}"
        test = self.chains.condition(found, scope, frozenset())
        text = self.builder.text(test, found.everyone[0]) if test is not None else None
        if node.shared:
            symbolic = sharing.result(self.builder, found, operands, scope, hint)
        elif isinstance(node.call, Op) and not node.call.layer:
            before = dict(context.used)
            given = self.builder.results.seen_by(found.present[0], operands, edges)
            chosen, result = self.builder.layer(
                node.call, found.present, given, scope, hint, frozenset()
            )
            context.used = before
            self.own.arguments(step, found, chosen, scope)
            symbolic = self.builder.results.settle([result], found.present)
        else:
            piece, symbolic = self.builder.call(found.present, operands, scope, hint)
            made = Statement(_kept(node.name, piece), node.span)
            if text is not None:
                step.maybe = f"{attribute(node.name)} is not None"
            tests = [t for t in (built, test) if t is not None]
            if tests:
                both = tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)
                text = self.builder.text(both, found.everyone[0])
                absent = Statement(_kept(node.name, "None"), node.span)
                context.statements.append(Statement(f"if {text}:", node.span, [made]))
                context.statements.append(Statement("else:", node.span, [absent]))
            else:
                context.statements.append(made)
        if test is not None and is_function(node):
            if isinstance(test, ast.Name) or expressions.names(test) <= self.own.names.keys():
                step.maybe = self.own.text(test, found.everyone[0].env)  # it keeps them anyway
            else:
                step.maybe = f"self.{self.own.attribute(f'has_{identifier(node.name)}')}"
                context.statements.append(Statement(f"{step.maybe} = {text}", node.span))
        if node.times is not None:
            count = sharing.count(context, found, scope)
            step.times = self.own.text(count, found.present[0].env)
            symbolic = self.builder.results.settle([operands[0], symbolic], found.present)
        if test is not None:
            symbolic = self.builder.results.either(
                symbolic, operands[node.through], test, found.everyone
            )
        self.scope.shapes[node.name] = symbolic
        return step

    def _ask(self, step: Step, built: ast.expr | None) -> None:
        """How the forward asks whether a node is there: of a module, whether it was built."""
        node = step.node
        guard = self.guards.of.get(node.name)
        if guard is None:
            return
        own = None
        if built is not None and step.maybe is None and not is_function(node):
            own = f"{attribute(node.name)} is not None"
        if built is not None and guard.tests not in self.guards.said:
            asked = own
            if asked is None:
                asked = f"self.{self.own.attribute(f'with_{identifier(node.name)}')}"
                text = self.builder.text(built, self.scope.cases[0])
                self.context.statements.append(Statement(f"{asked} = {text}", node.span))
            self.guards.said[guard.tests] = asked
        step.guard = self.guards.say(guard)
        step.asks = self.guards.say(guard, own)

    def _result(self) -> SymType:
        parts = [self._shape(output.edge) for output in self.graph.outputs]
        return parts[0] if self.graph.form == "single" and len(parts) == 1 else parts

    # -- the constructor's arguments ------------------------------------------------------------

    def _written(self, forward: list[Statement]) -> Written:
        unit, graph = self.unit, self.graph
        base = {"class": "nn.Module", "sequence": ""}.get(unit.form)
        if base is None:
            base = "nn.ModuleList" if self.graph.listed else "nn.ModuleDict"
        arguments = [shown(param) for param in unit.params]
        shapes = shapes_line(self.scope, unit.result, self.builder)
        return Written(
            unit,
            base,
            shapes,
            arguments,
            self.context.statements,
            self.tensors.drawn,
            self.init,
            forward,
            graph.span,
        )


def is_function(node: Node) -> bool:
    """Whether a node has no module of its own."""
    function = node.call is None or (isinstance(node.call, Op) and not node.call.layer)
    return function or bool(node.shared)


def _kept(name: str, piece: str) -> str:
    """A statement that makes a child."""
    if is_attribute(name):
        return f"self.{name} = {piece}"
    return f"self.add_module({quoted(name)}, {piece})"
