"""Ties: the methods that make two parameters one, and keep them so."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from graphbuild import expr as expressions
from graphbuild.emit.forms import form
from graphbuild.emit.parts import Statement
from graphbuild.emit.units import Unit, Units
from graphbuild.ir import Graph, InitRule, Node, Tie
from graphbuild.names import is_attribute
from graphbuild.ops.base import Op


def assignments(graph: Graph) -> list[Statement]:
    """The body of `tie_weights`."""
    return [
        Statement(f"{parameter(graph, tie.path)} = {parameter(graph, tie.source)}", tie.span)
        for tie in graph.ties
    ]


def loading(graph: Graph) -> list[Statement]:
    """The body of `_load_from_state_dict`."""
    pairs = tuple((tie.path, tie.source) for tie in graph.ties)
    text = expressions.unparse(expressions.literal(pairs))
    lacks = "if tied in state_dict and source not in state_dict:"
    one = "state_dict[tied] = state_dict.setdefault(source, state_dict[tied])"
    return [
        Statement(
            f"for tied, source in {text}:",
            None,
            [
                Statement("tied, source = prefix + tied, prefix + source"),
                Statement(lacks, None, [Statement("missing.append(source)")]),
                Statement("if tied in state_dict:", None, [Statement(one)]),
            ],
        ),
        Statement(
            "super()._load_from_state_dict(state_dict, prefix, metadata, strict, missing, *args)"
        ),
    ]


def parameter(graph: Graph, path: str) -> str:
    """A parameter as the spec's class reads it: `self.transformer.wte.weight`."""
    _, names, last = walk(graph, path)
    text = module(graph, names)
    if not last:  # a parameter of the module itself
        return text or f'self.get_parameter("{path}")'
    if text is None or not all(map(is_attribute, last.split("."))):
        head, _, name = path.rpartition(".")
        return f'self.get_submodule("{head}").{name}'
    return f"{text}.{last}"


def conditions(graph: Graph, rule: InitRule, sources: Collection[str], name: str) -> list[str]:
    """What tells a rule, as a test of types, which layers have a parameter that is another's."""
    others: list[str] = []
    for tie in graph.ties:
        node, text, last = layer(graph, tie)
        path = tie.path.removesuffix(f".{last}")
        op = node.call
        if isinstance(op, Op) and op.source in sources and last == name:
            others += [text] * rule.matches(op.name, path)
    if len(others) < 2:
        return [f"module is not {other}" for other in others]
    return [f"module not in ({', '.join(others)})"]


def layer(graph: Graph, tie: Tie) -> tuple[Node, str, str]:
    """The layer that has a tied parameter, how it is read, and the parameter's name."""
    node, names, last = walk(graph, tie.path)
    return node, module(graph, names) or f'self.get_submodule("{".".join(names)}")', last


def structure(units: Units, unit: Unit) -> Iterator[ast.expr]:
    """What decides, in a unit, whether there is what is tied: other values would need other ties."""
    for tie in units.root.ties:
        for path in (tie.path, tie.source):
            graph, around = units.root, units.of(units.root)
            for name in walk(graph, path)[1]:
                node = graph.by_name[name]
                if around is unit and node.condition is not None and node.condition.expr:
                    yield node.condition.expr
                if around is unit and node.when is not None and node.when.expr is not None:
                    yield from (expressions.reduced(node.when.expr, m) for m in (True, False))
                if around is unit and node.loop is not None:
                    yield node.loop.over["i"]
                if isinstance(node.call, Graph):
                    graph = node.call
                    around = units.of(graph) or around


def walk(graph: Graph, path: str) -> tuple[Node, list[str], str]:
    """The layer that a path leads to, the names on the way to it, and the parameter's name."""
    names: list[str] = []
    parts = path.split(".")
    while True:
        names.append(parts.pop(0))
        node = graph.by_name[names[-1]]
        if not isinstance(node.call, Graph):
            return node, names, ".".join(parts)
        graph = node.call


def module(graph: Graph, names: list[str]) -> str | None:
    """A module by its attributes, and by its index in what is a list; None where neither will do."""
    text, scope = "self", graph
    for name in names:
        if is_attribute(name):
            text += f".{name}"
        elif name.isdecimal() and form(scope) != "class":
            text += f"[{name}]"
        else:
            return None
        called = scope.by_name[name].call
        scope = called if isinstance(called, Graph) else scope
    return text
