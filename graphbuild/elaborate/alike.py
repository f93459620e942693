"""A call of a block that differs from an earlier one in nothing but the types of its inputs.

Where the block is plain (ops on its own values, no `if`, no `repeat`, no expression that reads a
shape), its wiring and its arguments are those of the earlier call; only the rules run again. A
DenseNet calls its dense layer with as many widths as it has layers.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from graphbuild.elaborate import rules
from graphbuild.elaborate.expectations import defaults
from graphbuild.elaborate.state import State
from graphbuild.elaborate.written import ScopeTemplate
from graphbuild.ir import Arg, Edge, Graph, Input, Node, Several, Tensor, Type
from graphbuild.ops.base import DtypeError, Op, ShapeError


class Plan(NamedTuple):
    """An earlier call: its graph, and per node what was given, with defaults filled in."""

    graph: Graph
    given: tuple[tuple[Hashable, rules.Values], ...]


def plan(state: State, template: ScopeTemplate, graph: Graph, names: frozenset[str]) -> Plan | None:
    """What later calls can reuse; `names` are those of params. None where a call is not plain."""
    plain = (
        not template.let
        and graph.form == "single"
        and all(
            node.condition is None
            and node.when is None
            and node.repeat is None
            and node.share is None
            and not node.ties
            and node.own_reads <= names
            for node in template.nodes
        )
    )
    if not plain:
        return None
    given = []
    for node in graph.nodes:
        if not isinstance(node.call, Op):
            return None
        values = {n: a.value for n, a in node.args.items() if a.expr is not None}
        key = (node.call, tuple((n, state.key(v)) for n, v in values.items()))
        given.append((key, {**defaults(node.call), **values}))
    return Plan(graph, tuple(given))


def again(state: State, known: Plan, inputs: tuple[Input, ...]) -> Graph | None:
    """The same call on other inputs; None where a rule refuses them, which is told elsewhere."""
    like = known.graph
    types: dict[str, Type] = {given.name: given.type for given in inputs}
    made: list[Node | None] = [None] * len(like.nodes)
    state.count(len(made))
    for position in like.order:
        node = like.nodes[position]
        key, values = known.given[position]
        operands = [_selected(types[edge.source], edge) for edge in node.operands]
        if not isinstance(node.call, Op) or not all(isinstance(t, Tensor) for t in operands):
            return None
        call = (key, *map(id, operands))
        typed = state.typed.get(call)
        if typed is None:
            try:
                typed = rules.typed(node.call, [values], operands)  # type: ignore[arg-type]
            except (ShapeError, DtypeError, rules.Mismatch, rules.FreeArgument, rules.ArgsError):
                return None
            typed = rules.Typed(typed.args, typed.inferred, state.intern(typed.type))
            state.typed[call] = typed
        args = node.args
        if typed.inferred:
            args = {n: Arg(typed.args[n]) if n in typed.inferred else a for n, a in args.items()}
        types[node.name] = typed.type
        made[position] = Node(
            node.name,
            node.call,
            node.operands,
            typed.type,
            args,
            None,
            None,
            node.synthetic,
            node.span,
        )
    edge = like.outputs[0].edge
    return Graph(
        name=like.name,
        template=like.template,
        kind=like.kind,
        connect=like.connect,
        listed=like.listed,
        inputs=inputs,
        nodes=tuple(node for node in made if node is not None),
        order=like.order,
        outputs=like.outputs,
        form=like.form,
        type=_selected(types[edge.source], edge),
        variables=like.variables,
        outer=like.outer,
        doc=like.doc,
        span=like.span,
    )


def _selected(type_: Type, edge: Edge) -> Type:
    for index in edge.select:
        if isinstance(type_, Several):
            type_ = type_.items[index]
    return type_
