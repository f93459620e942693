"""Tied parameters: `tie: {weight: path.from.root}`, read with the nodes, resolved at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from graphbuild.elaborate.expectations import complete
from graphbuild.elaborate.params import show
from graphbuild.elaborate.state import MAX_NOTES, Poisoned, State, circle
from graphbuild.errors import Note, Span, did_you_mean
from graphbuild.ir import Graph, Node, Tensor, Tie
from graphbuild.ops.base import Op, Shape
from graphbuild.ops.tensors import VALUE

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope


class NotFound(Exception):
    """A path that leads to no parameter; with what could be said instead."""

    def __init__(self, message: str, hint: str | None = None, misspelt: bool = False) -> None:
        super().__init__(message)
        self.hint = hint
        self.misspelt = misspelt  # so that the nearest path may be meant


def note(scope: Scope, item: Item) -> None:
    """Remember what the item's parameters are tied to, once it is built."""
    if item.turns is not None or not item.present:
        return  # each turn says so itself
    node = item.made[-1]
    if node.call is None:  # its `when` never holds
        return
    where = scope.where(item.name)
    paths: dict[str, tuple[str, Span]] = {}
    for key, value in item.template.ties.items():
        if not isinstance(node.call, Op) or not node.call.layer or node.shared:
            message = f"{where!r} is no layer: `tie` speaks of a layer's own parameters"
            scope.report("E201", message, item.span)
            raise Poisoned
        known = parameters(node)
        if key not in known:
            hint = f"its parameters are {', '.join(known)}" if known else None
            message = f"{node.call.name} node {where!r} has no parameter {str(key)!r}"
            span = getattr(key, "span", item.span)
            scope.report("E201", message, span, suggestion=did_you_mean(key, known) or hint)
            raise Poisoned
        path = str(scope.fixed(value, item, "a path", nodes=False))
        paths[str(key)] = path, value.span
    scope.state.tied.add(where)
    item.made[-1] = replace(node, ties=paths)


def parameters(node: Node) -> dict[str, Shape]:
    """The parameters of a layer by name."""
    op = node.call
    if not isinstance(op, Op) or op.parameters is None:
        return {}
    found = op.parameters(complete(op, {n: a.value for n, a in node.args.items()}))
    return {"": found[VALUE]} if op.own else found


def resolved(state: State, graph: Graph) -> tuple[Tie, ...]:
    """All ties by path, in file order, each to a parameter that is not tied itself."""
    if not state.tied:
        return ()
    written = dict(_written(graph, ""))
    known: dict[str, None] = {}  # all paths, looked up where one is misspelt
    made = []
    for path, source in _sources(state, written).items():
        _, span, shape = written[path]
        try:
            other, dtype = _parameter(graph, source)
        except NotFound as error:
            hint = error.hint
            if error.misspelt:
                known = known or dict.fromkeys(_all(graph, ""))
                known.pop(path, None)  # it cannot be meant
                hint = state.nearest(source, known)
                known[path] = None
            state.report("E201", str(error), span, suggestion=hint)
            continue
        if dtype != FLOAT:
            message = f"{path!r} cannot be tied to {source!r}: their dtypes differ"
            state.report("E206", message, span, expected=FLOAT, found=dtype)
            continue
        if other != shape:
            state.report(
                "E204",
                f"{path!r} cannot be tied to {source!r}: their shapes differ",
                span,
                expected=show(shape),
                found=show(other),
            )
            continue
        made.append(Tie(path, source, shape, span))
    return tuple(made)


Written = dict[str, tuple[str, Span, Shape]]


def _written(graph: Graph, prefix: str) -> Iterator[tuple[str, tuple[str, Span, Shape]]]:
    """Every tied parameter with the path that it is tied to, its place and its shape."""
    for node in graph.nodes:
        if node.shared:
            continue
        path = f"{prefix}{node.name}"
        if isinstance(node.call, Graph) and node.call.ties:  # a spec inside, which has its own
            for tie in node.call.ties:
                if tie.span is not None:
                    yield f"{path}.{tie.path}", (f"{path}.{tie.source}", tie.span, tie.shape)
        elif isinstance(node.call, Graph):
            yield from _written(node.call, f"{path}.")
        elif node.ties:
            shapes = parameters(node)
            for name, (source, span) in node.ties.items():
                yield f"{path}.{name}", (source, span, shapes[name])


def _sources(state: State, written: Written) -> dict[str, str]:
    """Where each chain of ties ends; not for those that run into a circle (which is reported)."""
    ends: dict[str, str | None] = {}
    for path in written:
        chain: dict[str, None] = {}
        while path in written and path not in ends and path not in chain:
            chain[path] = None
            path = written[path][0]
        if path in chain:
            names = list(chain)
            _report_circle(state, names[names.index(path) :], written)
        end = None if path in chain else ends.get(path, path)
        ends.update(dict.fromkeys(chain, end))
    return {path: end for path in written if (end := ends[path]) is not None}


def _report_circle(state: State, paths: list[str], written: Written) -> None:
    first = paths.index(min(paths))
    paths = [*paths[first:], *paths[:first]]
    alone = f"{paths[0]!r} is tied to itself"
    message = alone if len(paths) == 1 else f"a circle of ties: {circle(paths)}"
    notes = [Note(path, written[path][1]) for path in paths[1 : MAX_NOTES + 1]]
    state.report("E203", message, written[paths[0]][1], notes=notes)


FLOAT = "float32"  # what layers are built in; a raw parameter may say otherwise


def _parameter(graph: Graph, path: str) -> tuple[Shape, str]:
    """The shape and dtype of the parameter at a path."""
    scope, parts = graph, path.split(".")
    for depth, part in enumerate(parts):
        node = scope.by_name.get(part)
        here = ".".join(parts[: depth + 1])
        if node is None:
            raise NotFound(f"there is no parameter {path!r}", misspelt=True)
        if node.shared:
            whole = ".".join([*parts[:depth], node.shared, *parts[depth + 1 :]])
            raise NotFound(f"{here!r} has no parameters of its own", f"say {whole}")
        if node.call is None:
            raise NotFound(f"{here!r} is left out, so there is no parameter {path!r}")
        if isinstance(node.call, Graph):
            scope = node.call
            continue
        known, rest = parameters(node), ".".join(parts[depth + 1 :])
        if rest in known:
            dtype = node.type.dtype if isinstance(node.type, Tensor) and not rest else FLOAT
            return known[rest], dtype
        if not known:
            raise NotFound(f"{here!r} ({node.call.name}) has no parameters")
        hint = did_you_mean(f"{here}.{rest}", [f"{here}.{name}" for name in known])
        hint = hint or f"its parameters are {', '.join(known)}"
        message = f"{node.call.name} node {here!r} has no parameter {rest!r}"
        if not rest:
            message = f"{path!r} is a layer: a path ends in the name of a parameter"
        raise NotFound(message, hint)
    hint = "a path ends in the name of a parameter"
    raise NotFound(f"{path!r} is a group of layers", hint)


def _all(graph: Graph, prefix: str) -> Iterator[str]:
    """The paths of all parameters."""
    for node in graph.nodes:
        if node.shared:
            continue
        if isinstance(node.call, Graph):
            yield from _all(node.call, f"{prefix}{node.name}.")
        else:
            for name in parameters(node):
                yield f"{prefix}{node.name}.{name}" if name else f"{prefix}{node.name}"
