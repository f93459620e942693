"""Rules of initialisation: what they match, and whether what they call can fill it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property

from graphbuild import expr, ops
from graphbuild.elaborate.expectations import complete
from graphbuild.elaborate.initialisers import initialiser
from graphbuild.elaborate.needs import unmet
from graphbuild.elaborate.params import show
from graphbuild.elaborate.state import State
from graphbuild.elaborate.template import Templates
from graphbuild.elaborate.written import Raw, Value
from graphbuild.errors import did_you_mean
from graphbuild.ir import Graph, Initializer, InitRule, Node
from graphbuild.ops.base import Op
from graphbuild.source import Map, Text
from graphbuild.spec import InitSpec


def rules(templates: Templates, state: State, graph: Graph) -> tuple[InitRule, ...]:
    """The rules of the spec, checked against the graph that they are for (E212)."""
    specs = templates.spec.init
    if not specs:
        return ()
    layers = _Layers(graph)
    made: list[InitRule] = []
    for rule in specs:
        made.append(_rule(rule, templates, state, layers))
        _check_shapes(rule, made, state, layers)
    return tuple(made)


class _Layers:
    """The layers of a graph with parameters, by op; by path only where a rule asks for it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.by_op: dict[str, list[Node]] = {}
        self.shapes: dict[int, dict[str, tuple[int, ...]]] = {}
        seen: set[int] = set()
        stack = [graph]
        while stack:
            scope = stack.pop()
            if id(scope) in seen:
                continue
            seen.add(id(scope))
            for node in scope.nodes:
                if node.shared:
                    continue
                if isinstance(node.call, Graph):
                    stack.append(node.call)
                elif node.call is not None and node.call.parameters is not None:
                    self.by_op.setdefault(node.call.name, []).append(node)

    @cached_property
    def paths(self) -> dict[str, Node]:
        return dict(_paths(self.graph, ""))

    @cached_property
    def paths_of(self) -> dict[int, list[str]]:
        """The paths of a layer, by its id: many where it stands in a block."""
        found: dict[int, list[str]] = {}
        for path, node in self.paths.items():
            found.setdefault(id(node), []).append(path)
        return found

    def parameters(self, node: Node) -> dict[str, tuple[int, ...]]:
        """The shapes of a layer's parameters, by name."""
        known = self.shapes.get(id(node))
        if known is None:
            op, known = node.call, {}
            if isinstance(op, Op) and op.parameters is not None:
                known = op.parameters(complete(op, _values(node)))
            self.shapes[id(node)] = known
        return known

    def of(self, rule: InitRule) -> list[Node]:
        """What a rule speaks of."""
        if not rule.by_path:
            return self.by_op.get(rule.match, [])
        return [node for path, node in self.paths.items() if fnmatchcase(path, rule.match)]


def _paths(graph: Graph, prefix: str) -> Iterator[tuple[str, Node]]:
    """Every layer that has parameters, and every raw parameter, with its path."""
    for node in graph.nodes:
        path = f"{prefix}{node.name}"
        if node.shared:
            continue
        if isinstance(node.call, Graph):
            yield from _paths(node.call, f"{path}.")
        elif node.call is not None and node.call.parameters is not None:
            yield path, node


def _rule(spec: InitSpec, templates: Templates, state: State, layers: _Layers) -> InitRule:
    match = str(spec.match)
    rule = InitRule(match, {}, spec.span)
    found = layers.of(rule)
    if rule.by_path:
        state.match((len(layers.paths) + 50) * (1 + len(match) // 20))
        if not found and not state.quiet:  # of a spec inside another, a part may be cut off
            state.report(
                "E212",
                f"no layer with parameters has a path like {match!r}",
                spec.match.span,
                suggestion=f"a pattern matches whole paths: {match}.*"
                if match in layers.graph.by_name
                else state.nearest(match, layers.paths),
            )
    else:
        op = ops.get(match)
        if op is None:
            layer_names = [name for name in ops.names() if name[:1].isupper()]
            hint = did_you_mean(match, layer_names)
            state.report("E212", f"unknown op {match!r}", spec.match.span, suggestion=hint)
        elif op.parameters is None:
            state.report("E212", f"{match} has no parameters", spec.match.span)
    made: dict[str, Initializer] = {}
    state.match(len(found) * (1 + len(spec.parameters)))
    for name, raw in spec.parameters.items():
        owners = [node for node in found if name in layers.parameters(node)]
        if found and not owners:
            known = dict.fromkeys(p for node in found for p in layers.parameters(node))
            state.report(
                "E212",
                f"no layer that matches {match!r} has a parameter {str(name)!r}",
                name.span,
                suggestion=did_you_mean(name, known) or f"they have {', '.join(known)}",
            )
        if rule.by_path and owners and layers.graph.ties:
            _check_ties(rule, name, state, layers)
        initializer = _read(raw, owners, templates, state)
        if initializer is not None:
            made[str(name)] = initializer
    return InitRule(match, made, spec.span)


def _check_ties(rule: InitRule, name: Text, state: State, layers: _Layers) -> None:
    """That not all of what a rule speaks of is tied, and so drawn elsewhere."""
    keys = [
        f"{path}.{name}"
        for path, node in layers.paths.items()
        if fnmatchcase(path, rule.match) and name in layers.parameters(node)
    ]
    sources = {tie.path: tie.source for tie in layers.graph.ties}
    if all(key in sources for key in keys):
        message = f"{keys[0]!r} is tied to {sources[keys[0]]!r}, and drawn there"
        hint = f"match {sources[keys[0]].rpartition('.')[0]!r} instead"
        state.report("E212", message, name.span, suggestion=hint)


def _read(raw: Raw, owners: list[Node], templates: Templates, state: State) -> Initializer | None:
    """An initialiser, looked at for every layer whose own arguments its expressions read."""
    read = {
        name
        for item in (raw.values() if isinstance(raw, Map) else ())
        if isinstance(item, Text) and "$" in item and (value := templates.value(item))
        for name in value.names
    }
    if not owners and read - state.visible.keys():
        return None  # there is no layer whose attributes it could read
    cases: dict[object, tuple[Node | None, dict[str, object]]] = {}
    for node in owners if read else ():
        kept = _attributes(node)
        own = {name: kept[name] for name in sorted(read & kept.keys())}
        cases.setdefault(tuple((n, state.key(v)) for n, v in own.items()), (node, own))
    found: list[Initializer | None] = []
    for owner, own in cases.values() or [(None, {})]:
        evaluate = _evaluator(owner, own, templates, state)
        found.append(initialiser(raw, templates.value, evaluate, state))
    if None in found:
        return None
    if state.quiet:  # what the spec inside calls so means nothing to the one outside
        theirs = {name for _, own in cases.values() for name in own}
        return _settled(found[0], {n: v.value for n, v in state.visible.items() if n not in theirs})
    return found[0]


def _settled(initializer: Initializer | None, env: Mapping[str, object]) -> Initializer | None:
    """An initialiser with the values of some names in place of the names."""
    if initializer is None:
        return None
    trees = {name: expr.literal(value) for name, value in env.items()}
    args = {
        name: replace(arg, expr=expr.substitute(arg.expr, trees)) if arg.expr is not None else arg
        for name, arg in initializer.args.items()
    }
    return Initializer(initializer.name, args)


def _evaluator(
    node: Node | None, own: dict[str, object], templates: Templates, state: State
) -> Callable[[Value], object]:
    """Computes an argument with the names of the spec and the attributes of a layer."""
    env = {name: v.value for name, v in state.visible.items()} | own

    def evaluate(value: Value) -> object:
        call = node.call if node is not None else None
        for name in sorted(value.names - env.keys()) if isinstance(call, Op) else ():
            known = list(_attributes(node)) if node is not None else []
            state.report(
                "E212",
                f"{call.name} keeps no {name!r} that an initialiser could read",  # type: ignore[union-attr]
                value.span,
                about=name,
                suggestion=did_you_mean(name, [*known, *env])
                or (f"it keeps {', '.join(known)}" if known else None),
            )
            raise LookupError
        try:
            return state.evaluate(value.expr, env)
        except expr.ExprError as error:
            templates.failed(value.raw, error)
            raise LookupError from None

    return evaluate


def _attributes(node: Node) -> dict[str, object]:
    """What a layer keeps of its arguments."""
    if not isinstance(node.call, Op):
        return {}
    return ops.attributes(node.call, complete(node.call, _values(node)))


def _check_shapes(spec: InitSpec, rules: list[InitRule], state: State, layers: _Layers) -> None:
    """That the last rule's initialisers can take the parameters that no earlier rule takes."""
    last = rules[-1]
    for name, initializer in last.parameters.items():
        earlier = [r for r in rules[:-1] if name in r.parameters]
        reads = any(
            arg.expr is not None and expr.names(arg.expr) for arg in initializer.args.values()
        )
        for node in {id(node): node for node in layers.of(last)}.values():
            shape = layers.parameters(node).get(name)
            if shape is None:
                continue
            wanted = unmet(_of(node, initializer, state) if reads else initializer, shape)
            path = _first_path(node, last, earlier, state, layers) if wanted else None
            if path is not None:
                state.report(
                    "E212",
                    f"{initializer.name} cannot fill {name!r} of {path!r}",
                    next(raw.span for key, raw in spec.parameters.items() if key == name),
                    expected=wanted,
                    found=f"the shape {show(shape)}",
                )
                break


def _of(node: Node, initializer: Initializer, state: State) -> Initializer:
    """An initialiser with its arguments as they are for one layer."""
    args = dict(initializer.args)
    for name, arg in args.items():
        read = expr.names(arg.expr) if arg.expr is not None else frozenset()
        if arg.expr is not None and read:
            env = {n: v.value for n, v in state.visible.items()} | _attributes(node)
            args[name] = replace(arg, value=state.evaluate(arg.expr, env))
    return Initializer(initializer.name, args)


def _first_path(
    node: Node, rule: InitRule, earlier: list[InitRule], state: State, layers: _Layers
) -> str | None:
    """The first path of a layer that a rule is the first to match."""
    own = layers.paths_of[id(node)]
    state.match(len(own) * len(earlier))
    op = node.call.name if node.call is not None else ""
    paths = (path for path in own if rule.matches(op, path))
    return next((p for p in paths if not any(e.matches(op, p) for e in earlier)), None)


def _values(node: Node) -> dict[str, object]:
    return {name: arg.value for name, arg in node.args.items()}
