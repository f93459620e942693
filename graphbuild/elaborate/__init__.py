"""Spec and params to Graph: blocks, repetitions, expressions, shapes.

Findings of the whole stage are collected and raised together. A node with something wrong has no
type, and what takes it is not reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from graphbuild import advice, inplace
from graphbuild.elaborate import calls, expectations, includes, init_rules, recursion, ties, unused
from graphbuild.elaborate.inputs import bind_inputs
from graphbuild.elaborate.params import bind_defaults, bind_spec
from graphbuild.elaborate.scope import Scope
from graphbuild.elaborate.state import State, TooLarge, TooMany, tuples
from graphbuild.elaborate.template import Templates
from graphbuild.errors import Finding, Span, SpecError, sort
from graphbuild.ir import NOTHING, Graph
from graphbuild.pause import collection_paused
from graphbuild.read import with_way
from graphbuild.spec import Spec

Sizes = Mapping[str, int]
NO_SIZES: Sizes = MappingProxyType({})

__all__ = ["elaborate", "elaborate_with_findings"]


def elaborate(spec: Spec, params: Mapping[str, object] = NOTHING, sizes: Sizes = NO_SIZES) -> Graph:
    """The graph of a spec for given params; `sizes` replaces example sizes of free dimensions.

    What the spec expects of itself is checked where all params have their defaults. Raises
    SpecError with every finding.
    """
    graph, findings = elaborate_with_findings(spec, params, sizes)
    if graph is None:
        raise SpecError(f for f in findings if f.is_error)
    return graph


def elaborate_with_findings(
    spec: Spec, params: Mapping[str, object] = NOTHING, sizes: Sizes = NO_SIZES
) -> tuple[Graph | None, list[Finding]]:
    """The graph, or None where there is an error, and all findings, warnings too, by place."""
    state = State()
    graph = None
    try:
        with collection_paused():
            graph = _elaborate(Templates(spec, state), state, params, sizes)
    except TooLarge as error:
        state.report(
            "E004",
            "the spec is too large",
            _head(spec),
            expected=error.limit,
            suggestion=error.hint,
        )
    except TooMany:
        pass
    found = state.findings.values()
    findings = sort(with_way(finding, spec.source, spec.ways) for finding in found)
    if any(f.is_error for f in findings):
        # What is unused may be so only because of an error.
        return None, [f for f in findings if f.code not in ("W301", "W302")]
    return graph, list(findings)


def _elaborate(
    templates: Templates,
    state: State,
    params: Mapping[str, object],
    sizes: Mapping[str, int],
) -> Graph | None:
    spec = templates.spec
    variables = bind_spec(templates, state, params)
    if variables is None:
        return None
    state.visible = {v.name: v for v in variables}
    bind_defaults(templates, state)
    inputs = bind_inputs(templates, state, sizes)
    if inputs is None:
        return None
    scope = Scope(
        templates, templates.root, "spec", spec.name, around={}, own=variables, inputs=inputs
    )
    graph = scope.run()
    recursion.check(templates, state)
    unused.warn(templates, state, scope)
    if graph is None:
        return None
    calls.check_layers(state, graph)
    graph = replace(graph, dims=state.dims, ties=ties.resolved(state, graph))
    rules = init_rules.rules(templates, state, graph)
    if state.within:  # there are specs inside
        rules += includes.rules(graph)
    graph = replace(graph, init=rules)
    if all(
        tuples(params.get(v.name, v.value)) == v.default for v in variables if v.kind == "param"
    ):
        expectations.check(templates, state, graph)
    for finding in (*inplace.findings(graph), *advice.findings(graph)):
        state.take(finding)
    return graph


def _head(spec: Spec) -> Span:
    """The first line of a spec."""
    span = spec.span
    return Span(span.source, span.line, span.column, span.line, span.column + 1)
