"""A node that is another spec: a call of its graph, with params, cut where the node says so.

Its blocks, defaults, params and lets are its own, so each set of params has a `State` of its own;
findings, limits and what is known of ops and types are shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from glob import escape
from typing import TYPE_CHECKING

from graphbuild.elaborate import calls, cut, faults, init_rules, params, ties
from graphbuild.elaborate.inputs import Size, size_of
from graphbuild.elaborate.state import Poisoned, Site
from graphbuild.elaborate.template import Templates
from graphbuild.elaborate.written import Nested
from graphbuild.errors import Note, did_you_mean
from graphbuild.ir import Edge, Graph, InitRule, Input, Tensor, Type, Variable
from graphbuild.spec import Spec

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope

Operand = tuple[Edge, Type]
Column = tuple[int | None, ...]  # the sizes of one dimension, by probe


def call(scope: Scope, item: Item, target: Nested, operands: Sequence[Operand] | None) -> Type:
    """A call of another spec. Without sound operands only its params are looked at."""
    name = str(target.templates.spec.name)
    args = calls.arguments(scope, item, name, target.args)
    templates: Templates = target.templates
    span = item.span
    own = params.bind_block(name, target.root, args, templates, span, scope.site)
    if not params.check_extension(templates) or own is None or operands is None:
        raise Poisoned
    calls.check_inputs(scope, item, name, target.input_names, operands)
    paths = tuple(_path(scope, item, ref) for _, ref in target.cut)
    path = scope.where(item.name)
    site = Site(path, span, scope.site)
    names = tuple(name for name, _ in target.cut)
    key = (
        *("spec", id(templates.spec), tuple((v.name, scope.state.key(v.value)) for v in own)),
        *(calls.types(operands), target.form, names, paths),
    )

    def make() -> Graph | None:
        inner = _instance(scope, templates, own, site)
        if inner is None:
            return None
        templates_, variables = inner
        inputs = _inputs(scope, item, templates_, operands)
        child = scope.child(
            templates_,
            target.root,
            "block",
            name,
            path=path,
            around={},
            own=variables,
            inputs=inputs,
            site=site,
            depth=scope.depth + 1,
            heads=dict.fromkeys(p[0] for p in paths) if target.cut else None,
        )
        graph = child.run()
        if target.cut and not _heads_are_there(scope, target, child, paths):
            return None
        if graph is not None and target.cut:
            graph = _cut(scope, target, graph, paths)
            graph = graph and replace(graph, type=scope.state.intern(graph.type))
        if graph is None:
            return None
        graph = replace(graph, ties=ties.resolved(templates_.state, graph))
        return replace(graph, init=init_rules.rules(templates_, templates_.state, graph))

    graph = calls.once(scope, key, site, make)
    given = {v.name: args[v.name] for v in own if v.name in args}
    return calls.made(scope, item, graph, operands, given)


def rules(graph: Graph) -> tuple[InitRule, ...]:
    """The rules of initialisation of all specs inside, for their own layers; outer specs first."""
    found: list[tuple[int, tuple[InitRule, ...], list[str]]] = []
    for depth, path, inner in _inner(graph, "", 0):
        same = next((paths for d, rules, paths in found if (d, rules) == (depth, inner)), None)
        if same is None:
            found.append((depth, inner, [path]))
        else:
            same.append(path)
    made: list[InitRule] = []
    for _, inner, paths in sorted(found, key=lambda one: one[0]):
        for rule in inner:
            if not rule.by_path:
                made.append(replace(rule, within=tuple(paths)))
                continue
            made += [replace(rule, match=f"{escape(path)}.{rule.match}") for path in paths]
    return tuple(made)


def _inner(
    graph: Graph, prefix: str, depth: int
) -> Iterator[tuple[int, str, tuple[InitRule, ...]]]:
    """The specs inside that have rules: how deep, where, and the rules."""
    for node in graph.nodes:
        if isinstance(node.call, Graph) and not node.shared:
            path = f"{prefix}{node.name}"
            inner = node.call.init
            if inner:
                yield depth, path, inner
            yield from _inner(node.call, f"{path}.", depth + bool(inner))


def _instance(
    scope: Scope, templates: Templates, own: list[Variable], site: Site
) -> tuple[Templates, list[Variable]] | None:
    """The templates of a spec with the state of these params, and its variables."""
    state = scope.state
    key = (id(templates.spec), tuple((v.name, scope.state.key(v.value)) for v in own))
    if key not in state.within:
        variables = params.bind_lets(templates.root, own, {}, templates, site)
        if variables is None:
            return None
        found = copy(templates)
        found.state = state.inside()
        found.state.visible = {v.name: v for v in variables}
        params.bind_defaults(found, found.state)
        state.within[key] = found, variables
    made: tuple[Templates, list[Variable]] = state.within[key]
    return made


def _inputs(
    scope: Scope, item: Item, templates: Templates, operands: Sequence[Operand]
) -> tuple[Input, ...]:
    """The spec's inputs with the types of the operands, which fit what is declared."""
    env = {name: v.value for name, v in templates.state.visible.items()}
    made: list[Input] = []
    free: dict[str, Column] = {}
    sound = True
    spec = templates.spec
    for (name, given), (edge, type_) in zip(spec.inputs.items(), operands, strict=True):
        place = edge.span or item.span
        if not isinstance(type_, Tensor):
            faults.several(scope, item, edge, type_, place, above=False)
        sizes = [size_of(size, env, templates) for size in given.shape]
        if type_.dtype != given.dtype:
            code, expected, found = "E206", str(given.dtype), type_.dtype
        else:
            code, expected = "E207", _misfit(spec, sizes, type_, free)
            found = scope.state.show(type_)
        if expected:
            sound = False
            kind = "a wrong dtype" if code == "E206" else "a shape that it does not take"
            scope.report(
                code,
                f"{item.name!r} gives the input {str(name)!r} of {spec.name} {kind}",
                place,
                about=str(name),
                expected=expected,
                found=found,
                notes=[Note(f"{str(name)!r} is declared here", name.span)],
            )
        made.append(Input(str(name), type_, tuple(tree for _, _, tree in sizes), name.span))
    if not sound:
        raise Poisoned
    return tuple(made)


def _misfit(spec: Spec, sizes: Sequence[Size], type_: Tensor, free: dict[str, Column]) -> str:
    """What is expected of the shape of an operand, where it does not fit; `free` gathers sizes."""
    shape = "×".join(name or str(size) for name, size, _ in sizes)
    if len(type_.shape) != len(sizes):
        return shape
    for d, (name, size, _) in enumerate(sizes):
        column = tuple(None if s is None else s[d] for s in type_.shapes)
        if name is None:
            if any(found is not None and found != size for found in column):
                return shape
            continue
        before = free.setdefault(name, column)
        if any(None not in (a, b) and a != b for a, b in zip(before, column, strict=True)):
            return f"{shape}, with the {name} of the input before"
        bounds = spec.dims.get(name)  # type: ignore[call-overload]
        if bounds is not None and not bounds.holds(type_.shape[d]):
            return f"{shape}, with {name} {bounds}"
    return ""


def _path(scope: Scope, item: Item, ref: object) -> tuple[str, ...]:
    """A path into the spec, its names apart."""
    written: object = str(ref.text)  # type: ignore[attr-defined]
    if ref.value is not None:  # type: ignore[attr-defined]
        written = scope.fixed(ref.value, item, "a path", nodes=False)  # type: ignore[attr-defined]
    return tuple(str(written).split("."))


def _heads_are_there(
    scope: Scope, target: Nested, child: Scope, paths: tuple[tuple[str, ...], ...]
) -> bool:
    """That the spec has the nodes that the paths begin with."""
    known = [*child.index, *child.input_names]
    for (head, *_), (_, ref) in zip(paths, target.cut, strict=True):
        if head not in known:
            hint = scope.state.nearest(head, known) or f"known there: {', '.join(known[:12])}"
            message = f"there is no node {head!r} in {child.name!r}"
            scope.report("E201", message, ref.span, about=head, suggestion=hint)
    return all(path[0] in known for path in paths)


def _cut(
    scope: Scope, target: Nested, graph: Graph, paths: tuple[tuple[str, ...], ...]
) -> Graph | None:
    try:
        return cut.cut(graph, [name for name, _ in target.cut], paths, target.form)
    except cut.NotThere as error:
        _, ref = target.cut[paths.index(error.path)]
        scope.report(
            "E201",
            str(error),
            ref.span,
            about=".".join(error.path),
            suggestion=did_you_mean(error.part, error.known)
            or (f"known there: {', '.join(error.known[:12])}" if error.known else None),
        )
        return None
