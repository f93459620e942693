"""Rules of initialisation: what they match, and what they call."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cached_property

from graphbuild import expr, ops
from graphbuild.elaborate.expectations import complete
from graphbuild.elaborate.needs import out_of_range, unmet
from graphbuild.elaborate.params import show
from graphbuild.elaborate.state import State, tuples
from graphbuild.elaborate.template import Templates
from graphbuild.errors import did_you_mean
from graphbuild.ir import Graph, Initializer, InitRule, Node
from graphbuild.ops.base import Op
from graphbuild.source import Map, Text
from graphbuild.spec import InitSpec

# The functions of torch.nn.init without their underscore, and the arguments they take.
KNOWN: dict[str, tuple[str, ...]] = {
    "uniform": ("a", "b"),
    "normal": ("mean", "std"),
    "trunc_normal": ("mean", "std", "a", "b"),
    "constant": ("val",),
    "ones": (),
    "zeros": (),
    "eye": (),
    "dirac": ("groups",),
    "xavier_uniform": ("gain",),
    "xavier_normal": ("gain",),
    "kaiming_uniform": ("a", "mode", "nonlinearity"),
    "kaiming_normal": ("a", "mode", "nonlinearity"),
    "orthogonal": ("gain",),
    "sparse": ("sparsity", "std"),
}
_REQUIRED = {"constant": "val", "sparse": "sparsity"}
_NUMBERS = frozenset("a b mean std val gain sparsity".split())
_NONLINEARITIES = (
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu",
)  # fmt: skip
_CHOICES = {"mode": ("fan_in", "fan_out"), "nonlinearity": _NONLINEARITIES}


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

    def of(self, match: str) -> list[Node]:
        """What a rule speaks of."""
        if not _is_pattern(match):
            return self.by_op.get(match, [])
        return [node for path, node in self.paths.items() if fnmatchcase(path, match)]


def _is_pattern(match: str) -> bool:
    """Whether a rule speaks of paths: else of an op."""
    return "." in match or "*" in match or not match[:1].isupper()


def _paths(graph: Graph, prefix: str) -> Iterator[tuple[str, Node]]:
    """Every layer that has parameters, with its path."""
    for node in graph.nodes:
        path = f"{prefix}{node.name}"
        if node.shared:
            continue
        if isinstance(node.call, Graph):
            yield from _paths(node.call, f"{path}.")
        elif node.call is not None and node.call.parameters is not None:
            yield path, node


def _rule(rule: InitSpec, templates: Templates, state: State, layers: _Layers) -> InitRule:
    match = str(rule.match)
    found = layers.of(match)
    if _is_pattern(match):
        state.match(len(layers.paths))
        if not found:
            state.report(
                "E212",
                f"no layer with parameters has a path like {match!r}",
                rule.match.span,
                suggestion=f"a pattern matches whole paths: {match}.*"
                if match in layers.graph.by_name
                else state.nearest(match, layers.paths),
            )
    else:
        op = ops.get(match)
        if op is None:
            layer_names = [name for name in ops.names() if name[:1].isupper()]
            hint = did_you_mean(match, layer_names)
            state.report("E212", f"unknown op {match!r}", rule.match.span, suggestion=hint)
        elif op.parameters is None:
            state.report("E212", f"{match} has no parameters", rule.match.span)
    made: dict[str, Initializer] = {}
    for name, raw in rule.parameters.items():
        if found and not any(name in _parameters(node) for node in found):
            known = dict.fromkeys(p for node in found for p in _parameters(node))
            state.report(
                "E212",
                f"no layer that matches {match!r} has a parameter {str(name)!r}",
                name.span,
                suggestion=did_you_mean(name, known) or f"they have {', '.join(known)}",
            )
        initialiser = _initialiser(raw, templates, state)
        if initialiser is not None:
            made[str(name)] = initialiser
    return InitRule(match, made, rule.span)


def _check_shapes(rule: InitSpec, rules: list[InitRule], state: State, layers: _Layers) -> None:
    """That the last rule's initialisers can take the parameters that no earlier rule takes."""
    last = rules[-1]
    for name, initialiser in last.parameters.items():
        earlier = [r.match for r in rules[:-1] if name in r.parameters]
        for node in {id(node): node for node in layers.of(last.match)}.values():
            shape = _parameters(node).get(name)
            wanted = unmet(initialiser, shape) if shape is not None else None
            path = _first_path(node, last.match, earlier, state, layers) if wanted else None
            if path is not None:
                state.report(
                    "E212",
                    f"{initialiser.name} cannot fill {name!r} of {path!r}",
                    next(raw.span for key, raw in rule.parameters.items() if key == name),
                    expected=wanted,
                    found=f"the shape {show(shape)}",
                )
                break


def _first_path(
    node: Node, match: str, earlier: list[str], state: State, layers: _Layers
) -> str | None:
    """The first path of a layer that a rule is the first to match."""
    own = layers.paths_of[id(node)]
    state.match(len(own) * len(earlier))
    op = node.call.name if node.call is not None else ""

    def matches(path: str, rule: str) -> bool:
        return rule == op or fnmatchcase(path, rule)

    paths = (path for path in own if matches(path, match))
    return next((p for p in paths if not any(matches(p, e) for e in earlier)), None)


def _parameters(node: Node) -> dict[str, tuple[int, ...]]:
    op = node.call
    if not isinstance(op, Op) or op.parameters is None:
        return {}
    return op.parameters(complete(op, {n: a.value for n, a in node.args.items()}))


def _initialiser(raw: object, templates: Templates, state: State) -> Initializer | None:
    args: dict[Text, object] = {}
    name = raw
    if isinstance(raw, Map):
        name = next(item for key, item in raw.items() if key == "op")
        args = {key: item for key, item in raw.items() if key != "op"}
    if not isinstance(name, Text):
        return None
    if name not in KNOWN:
        known = f"known are {', '.join(KNOWN)}"
        hint = did_you_mean(name.removesuffix("_"), KNOWN) or known
        if isinstance(name.value, int | float):
            hint = f"write {{op: constant, val: {name}}}"
        state.report("E212", f"unknown initialiser {str(name)!r}", name.span, suggestion=hint)
        return None
    values: dict[str, object] = {}
    for key, item in args.items():
        takes = KNOWN[name]
        if key not in takes:
            known = f"it takes {', '.join(takes)}" if takes else "it takes no arguments"
            state.report(
                "E212",
                f"{name} has no argument {str(key)!r}",
                key.span,
                suggestion=did_you_mean(key, takes) or known,
            )
            continue
        value = templates.value(item)  # type: ignore[arg-type]
        if value is None:
            continue
        try:
            found = tuples(
                expr.evaluate(value.expr, {n: v.value for n, v in state.visible.items()})
            )
        except expr.ExprError as error:
            templates.failed(value.raw, error)
            continue
        wanted = _wanted(key, found)
        if wanted is not None:
            state.report(
                "E212",
                f"argument {str(key)!r} of {name} is wrong",
                value.span,
                expected=wanted,
                found=show(found),
                suggestion=did_you_mean(str(found), _CHOICES.get(key, ())),
            )
            continue
        values[str(key)] = found
    wrong = out_of_range(name, values)
    if wrong is not None:
        which, expected = wrong
        state.report(
            "E212",
            f"argument {which!r} of {name} is out of range",
            next(item.span for key, item in args.items() if key == which),  # type: ignore[attr-defined]
            expected=expected,
            found=show(values.pop(which)),
        )
    required = _REQUIRED.get(name)
    if required is not None and required not in args:
        state.report("E212", f"{name} needs the argument {required!r}", name.span)
    return Initializer(str(name), values)


def _wanted(name: str, value: object) -> str | None:
    """What an argument should be, where it is not."""
    if name in _CHOICES:
        choices = _CHOICES[name]
        return None if value in choices else f"one of {', '.join(choices)}"
    if name in _NUMBERS:
        return None if type(value) in (int, float) else "a number"
    return None if type(value) is int and value > 0 else "an int >= 1"
