"""What a spec expects of itself, against what it came to."""

from __future__ import annotations

from functools import cache
from math import prod

from graphbuild import expr
from graphbuild.dims import PROBES
from graphbuild.elaborate.state import State
from graphbuild.elaborate.template import Templates
from graphbuild.errors import did_you_mean
from graphbuild.ir import Graph, Several, Tensor, Type
from graphbuild.ops.base import MISSING, Args, Op
from graphbuild.source import Seq, Text


def check(templates: Templates, state: State, graph: Graph) -> None:
    """Report every expectation that is not met (E210)."""
    expect = templates.spec.expect
    if expect is None:
        return
    if expect.parameters is not None:
        found, wanted = parameters(graph, {}), expect.parameters.value
        found -= sum(prod(tie.shape) for tie in graph.ties)
        if found != wanted:
            state.report(
                "E210",
                "the number of parameters is not the expected one",
                expect.parameters.span,
                expected=f"{wanted:,}",
                found=f"{found:,}",
            )
    named = outputs(graph)
    for key, shape in expect.outputs.items():
        type_ = named.get(key)
        if type_ is None:
            known = [name for name in named if name]
            state.report(
                "E210",
                f"there is no output {str(key)!r}",
                key.span,
                suggestion=did_you_mean(key, known) or f"the outputs are {', '.join(known)}",
            )
        elif not _fits(shape, type_, templates, state):
            state.report(
                "E210",
                f"the shape of the output {str(key)!r} is not the expected one",
                shape.span,
                expected="×".join(map(str, shape)),
                found=state.show(type_),
            )


def outputs(graph: Graph) -> dict[str, Type]:
    """The graph's values by the names that people know them by."""
    named: dict[str, Type] = {}
    for output in graph.outputs:
        edge = output.edge
        type_ = graph.value(edge)
        name = output.name or ".".join([edge.source, *map(str, edge.select)])
        named[name] = type_
        if not output.name and edge.source not in named and not edge.select:
            named[edge.source] = type_
    return named


def parameters(graph: Graph, known: dict[int, int]) -> int:
    """How many numbers there are to learn."""
    if id(graph) not in known:
        total = 0
        for node in graph.nodes:
            if node.shared:
                continue
            if isinstance(node.call, Graph):
                total += parameters(node.call, known)
            elif node.call is not None and node.call.parameters is not None:
                args = complete(node.call, {n: a.value for n, a in node.args.items()})
                total += sum(map(prod, node.call.parameters(args).values()))
        known[id(graph)] = total
    return known[id(graph)]


def complete(op: Op, given: dict[str, object]) -> Args:
    """All arguments of a call: those given or inferred, and the op's defaults."""
    return Args(**{**defaults(op), **given})


@cache
def defaults(op: Op) -> dict[str, object]:
    """The arguments that have one; never change what this gives."""
    return {a.name: a.default for a in op.arguments if a.default is not MISSING}


def _fits(shape: Seq, type_: Type, templates: Templates, state: State) -> bool:
    """Whether a type has the expected shape at every probe that it has one at."""
    if isinstance(type_, Several) or len(shape) != len(type_.shape):
        return False
    return all(_size_fits(item, d, type_, templates, state) for d, item in enumerate(shape))


def _size_fits(
    item: object, dimension: int, type_: Tensor, templates: Templates, state: State
) -> bool:
    found = [None if s is None else s[dimension] for s in type_.shapes]
    if not isinstance(item, Text):
        return False
    if item.plain and type(item.value) is int:
        return all(f is None or f == item.value for f in found)
    if item in state.dims.sizes:
        sizes = state.dims.sizes[item]
        return all(f is None or f == s for f, s in zip(found, sizes, strict=True))
    if "$" not in item:
        return state.dims.show(found) == item
    value = templates.value(item)
    if value is None:
        return True  # reported
    for probe in range(PROBES):
        env = {n: v.value for n, v in state.visible.items()}
        env.update((n, sizes[probe]) for n, sizes in state.dims.sizes.items())
        try:
            wanted = state.evaluate(value.expr, env)
        except expr.ExprError as error:
            templates.failed(item, error)
            return True
        if found[probe] is not None and found[probe] != wanted:
            return False
    return True
