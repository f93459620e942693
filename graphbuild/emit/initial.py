"""The `init_weights` of an emitted model: the spec's rules as `torch.nn.init` calls."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from types import SimpleNamespace

from graphbuild import expr as expressions
from graphbuild import ops
from graphbuild.emit import tying
from graphbuild.emit.items import call
from graphbuild.emit.parts import Statement
from graphbuild.emit.units import distinct
from graphbuild.errors import Span
from graphbuild.ir import Graph, Initializer, Node
from graphbuild.ops.base import Op

Chosen = dict[str, tuple[Initializer, Span | None]]  # by the parameter's name


def statements(graph: Graph) -> list[Statement]:
    """The body of `init_weights`.

    Rules that speak of ops are written as a test of the type. Where a rule speaks of paths, or a
    layer is built of others, which such a test would find as well, layers are named one by one.
    """
    matched = {rule.match for rule in graph.init}
    scopes = distinct(graph)
    called = (node.call for scope in scopes for node in scope.nodes)
    nested = any(isinstance(op, Op) and _holds_layers(op) for op in called)
    if nested or any(ops.get(match) is None for match in matched):
        return _by_path(graph)
    typed: list[Statement] = []
    layers: dict[str, dict[object, Node]] = {match: {} for match in matched}
    for scope in scopes:
        for node in scope.nodes:
            if isinstance(node.call, Op) and node.call.name in layers and not node.shared:
                # sizes that the input determines say nothing about which parameters there are
                given = [(n, a.value) for n, a in node.args.items() if a.expr is not None]
                layers[node.call.name][repr(given)] = node
    for match in dict.fromkeys(rule.match for rule in graph.init):
        owned = {_parameters(node) for node in layers[match].values()}
        chosen = _chosen(graph, match, "", tuple(n for names in owned for n in names))
        op = ops.get(match)
        if chosen and op is not None:
            typed.append(_by_type(op, chosen, owned, _tied(graph, op)))
    return [Statement("for module in self.modules():", None, _merged(typed))] if typed else []


def _chosen(graph: Graph, op: str, path: str, parameters: tuple[str, ...]) -> Chosen:
    """Per parameter of a layer, the initialiser of the first rule that matches."""
    chosen: Chosen = {}
    for rule in graph.init:
        if rule.match == op or (path and fnmatchcase(path, rule.match)):
            for name, initializer in rule.parameters.items():
                if name in parameters:
                    chosen.setdefault(name, (initializer, rule.span))
    return chosen


def _parameters(node: Node) -> tuple[str, ...]:
    """The names of a layer's parameters."""
    op = node.call
    if not isinstance(op, Op) or op.parameters is None:
        return ()
    values = {a.name: a.default for a in op.arguments}
    values.update((name, arg.value) for name, arg in node.args.items())
    return tuple(op.parameters(SimpleNamespace(**values)))


def _holds_layers(op: Op) -> bool:
    return op.name.startswith(("Transformer", "Multihead"))


def _tied(graph: Graph, op: Op) -> dict[str, list[str]]:
    """The layers of an op whose parameters are tied to others, by the parameters' names."""
    found: dict[str, list[str]] = {}
    for tie in graph.ties:
        node, module, name = tying.layer(graph, tie)
        if node.call is op:
            found.setdefault(name, []).append(module)
    return found


def _by_type(
    op: Op, chosen: Chosen, owned: set[tuple[str, ...]], tied: dict[str, list[str]]
) -> Statement:
    body: list[Statement] = []
    for name, (initializer, span) in chosen.items():
        made = _initialize(initializer, f"module.{name}", span)
        tests = []
        if others := tied.get(name):  # which are drawn where they are tied to
            one = f"module is not {others[0]}"
            tests.append(one if len(others) == 1 else f"module not in ({', '.join(others)})")
        if not all(name in parameters for parameters in owned):
            tests.append(f"module.{name} is not None")
        body.append(Statement(f"if {' and '.join(tests)}:", span, [made]) if tests else made)
    return Statement(op.source, body[0].span, body)


def _merged(typed: list[Statement]) -> list[Statement]:
    """Tests of the type, one for the ops that are treated alike."""
    groups: list[tuple[list[str], Statement]] = []
    for statement in typed:
        body = [s.code for s in statement.body or []]
        if groups and [s.code for s in groups[-1][1].body or []] == body:
            groups[-1][0].append(statement.code)
        else:
            groups.append(([statement.code], statement))
    out = []
    for position, (sources, statement) in enumerate(groups):
        types = sources[0] if len(sources) == 1 else f"({', '.join(sources)})"
        word = "elif" if position else "if"
        test = f"{word} isinstance(module, {types}):"
        out.append(Statement(test, statement.span, statement.body))
    return out


def _by_path(graph: Graph) -> list[Statement]:
    groups: dict[str, tuple[Initializer, Span | None, list[str]]] = {}
    tied = {tie.path for tie in graph.ties}
    for path, op, parameters in _layers(graph):
        parameters = tuple(name for name in parameters if f"{path}.{name}" not in tied)
        for name, (initializer, span) in _chosen(graph, op.name, path, parameters).items():
            group = groups.setdefault(f"{name} {initializer}", (initializer, span, []))
            group[2].append(f'"{path}.{name}"')
    out = []
    for initializer, span, paths in groups.values():
        if len(paths) == 1:
            out.append(_initialize(initializer, call("self.get_parameter", paths), span))
        else:
            body = [_initialize(initializer, "self.get_parameter(name)", span)]
            out.append(Statement(f"for name in ({', '.join(paths)}):", span, body))
    return out


def _layers(graph: Graph, prefix: str = "") -> Iterator[tuple[str, Op, tuple[str, ...]]]:
    """All layers in the order of registration: path, op, names of parameters."""
    for node in graph.nodes:
        path = f"{prefix}{node.name}"
        if node.shared:
            continue
        if isinstance(node.call, Graph):
            yield from _layers(node.call, f"{path}.")
        elif node.call is not None and node.call.parameters is not None:
            yield path, node.call, _parameters(node)


def _initialize(initializer: Initializer, target: str, span: Span | None) -> Statement:
    items = [target]
    for name, value in initializer.args.items():
        text = expressions.unparse(expressions.literal(value))
        items.append(text if name == "val" else f"{name}={text}")
    return Statement(call(f"nn.init.{initializer.name}_", items), span)
