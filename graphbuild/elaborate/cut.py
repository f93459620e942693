"""A graph that gives values from inside of it, without the nodes that these do not need.

Names, and so keys, stay what they are. A scope on the way to a value hands it out behind what it
gives itself, where that is still needed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from graphbuild import expr
from graphbuild.ir import Arg, Edge, Graph, Input, Node, Output, Several, Type

Path = tuple[str, ...]


class NotThere(Exception):
    """A path that leads nowhere; `part` is the name that is not `known` where it stands."""

    def __init__(self, message: str, part: str = "", known: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.path: Path = ()
        self.part = part
        self.known = tuple(known)


def cut(
    graph: Graph,
    names: Sequence[str],
    paths: Sequence[Path],
    form: Literal["single", "list", "mapping"],
) -> Graph:
    """The graph with the values at `paths` as its outputs, by `names` in a mapping."""
    each = tuple(dict.fromkeys(paths))
    for path in each:  # all of them first, so that a finding is about the right one
        try:
            _follow(graph, path)
        except NotThere as error:
            error.path = path
            raise
    try:
        made = _Cutter().graph(graph, each, own=False, whole=True)
    except NotThere as error:  # a value that is taken as a whole, and opened by one of the paths
        error.path = next((p for p in each if error.part in p[:-1]), each[0])
        raise
    edges = [made.outputs[each.index(path)].edge for path in paths]
    outputs = tuple(Output(n, e) for n, e in zip(names, edges, strict=True))
    types = tuple(made.value(edge) for edge in edges)
    labels = tuple(names) if form == "mapping" else ()
    type_: Type = types[0] if form == "single" else Several(types, labels)
    return replace(made, outputs=outputs, form=form, type=type_)


def _follow(graph: Graph, path: Path) -> None:
    """That a path leads somewhere."""
    edge, inside = _step(graph, path)
    if inside:
        _follow(_called(graph.by_name[edge.source]), inside)


def _step(graph: Graph, path: Path) -> tuple[Edge, Path]:
    """The value in this scope that a path names, and how the path goes on inside of it."""
    head, *rest = path
    known = [n.name for n in graph.nodes if not n.synthetic and not n.name.endswith("?")]
    if head not in known and head not in graph.input_names:
        raise NotThere(f"there is no node {head!r} in {graph.name!r}", head, known)
    node = graph.by_name.get(head)
    if not rest or node is None:
        inside = False
    elif node.call is None:
        raise NotThere(f"{head!r} of {graph.name!r} is not built, so nothing is inside of it")
    else:
        inside = isinstance(node.call, Graph) and rest[0] in node.call.by_name
    if inside:
        _check_open(graph, head)
        return Edge(head), tuple(rest)
    select: list[int] = []
    type_ = graph.value(Edge(head))
    for part in rest:
        select.append(_part(graph, head, type_, part))
        type_ = type_.items[select[-1]]  # type: ignore[union-attr]
    return Edge(head, tuple(select)), ()


def _check_open(graph: Graph, head: str) -> None:
    node = graph.by_name[head]
    shares = node.shared or node.times or any(n.shared == head for n in graph.nodes)
    if shares:
        raise NotThere(f"{head!r} of {graph.name!r} is called several times, and each has a value")
    if isinstance(node.call, Graph) and node.call.routing is not None:
        raise NotThere(f"of the cases of {head!r} not every one runs, so none has a value to give")


def _part(graph: Graph, head: str, type_: Type, part: str) -> int:
    names = type_.names if isinstance(type_, Several) else ()
    count = len(type_.items) if isinstance(type_, Several) else 0
    if part in names:
        return names.index(part)
    if part.isdecimal() and int(part) < count:
        return int(part)
    node = graph.by_name.get(head)
    inner = node.call.by_name if node is not None and isinstance(node.call, Graph) else {}
    known = [*(n for n in inner if "." not in n), *(names or map(str, range(count)))]
    raise NotThere(f"{head!r} of {graph.name!r} has no part {part!r}", part, known)


def _called(node: Node) -> Graph:
    if not isinstance(node.call, Graph):
        raise TypeError(f"{node.name} does not call a scope")
    return node.call


class _Cutter:
    """Cuts graphs; equal ones that are cut alike stay one."""

    def __init__(self) -> None:
        self.known: dict[object, Graph] = {}

    def graph(self, graph: Graph, paths: tuple[Path, ...], own: bool, whole: bool = False) -> Graph:
        """A graph that gives its own values (if `own`) and those at some paths.

        It gives a single one as it is and several as a list. `whole`: with all of its inputs.
        """
        key = (id(graph), paths, own)
        if key not in self.known:
            self.known[key] = _Scope(self, graph, paths, own).made(whole)
        return self.known[key]


class _Scope:
    """One graph that is cut."""

    def __init__(self, cutter: _Cutter, graph: Graph, paths: tuple[Path, ...], own: bool) -> None:
        self.graph = graph
        self.paths = paths
        self.own = own
        steps = [_step(graph, path) for path in paths]
        self.inside: dict[str, list[Path]] = {}  # by node: the paths that go on inside of it
        for edge, path in steps:
            if path:
                self.inside.setdefault(edge.source, []).append(path)
        # From the last node to the first, so that all that take a value are known before its node.
        edges = [edge for edge, path in steps if not path]
        edges += [output.edge for output in graph.outputs] if own else []
        self.needed = {edge.source for edge in edges}
        self.opened: dict[str, Graph] = {}
        self.kept: dict[str, tuple[Edge, ...]] = {}  # the nodes that stay, with their operands
        for position in reversed(graph.order):
            self.visit(cutter, graph.nodes[position])
        self.outputs = [self.edge(o.edge) for o in graph.outputs] if own else []
        self.outputs += [self.inner(e.source, p) if p else self.edge(e) for e, p in steps]

    def visit(self, cutter: _Cutter, node: Node) -> None:
        """Keep a node where it is needed, and note what it needs itself."""
        operands = node.operands
        if node.name in self.inside:
            called = _called(node)
            paths = tuple(dict.fromkeys(self.inside[node.name]))
            made = cutter.graph(called, paths, node.name in self.needed)
            self.opened[node.name] = made
            pairs = zip(called.input_names, operands, strict=True)
            operands = tuple(edge for name, edge in pairs if name in made.input_names)
        elif node.name not in self.needed:
            return
        self.kept[node.name] = operands
        self.needed.update(edge.source for edge in operands)
        for arg in node.args.values():
            if arg.free and arg.expr is not None:
                self.needed |= expr.names(arg.expr)
        if node.shared:
            self.needed.add(node.shared)

    # -- edges to nodes that hand out more than before ------------------------------------------

    def edge(self, edge: Edge) -> Edge:
        made = self.opened.get(edge.source)
        if made is None:
            return edge
        if _called(self.graph.by_name[edge.source]).form == "single":
            return replace(edge, select=(0, *edge.select))
        if not edge.select:
            message = (
                f"the values of {edge.source!r} are taken all together, so none inside is given"
            )
            raise NotThere(message, edge.source)
        return edge

    def inner(self, name: str, path: Path) -> Edge:
        """Where an opened node has the value at a path."""
        made = self.opened[name]
        if made.form == "single":
            return Edge(name)
        paths = list(dict.fromkeys(self.inside[name]))
        return Edge(name, (len(made.outputs) - len(paths) + paths.index(path),))

    # -- what stays -----------------------------------------------------------------------------

    def made(self, whole: bool) -> Graph:
        graph = self.graph
        inputs = tuple(i for i in graph.inputs if whole or i.name in self.needed) or graph.inputs
        nodes = [node for node in graph.nodes if node.name in self.kept]
        nodes = self.without_names(self.unrolled(nodes), inputs)
        nodes = [self.node(node) for node in nodes]
        order = _order(graph, nodes, inputs)
        children = [n.name for n in nodes if n.call is not None and not n.synthetic]
        single = len(self.outputs) == 1 and (not self.own or graph.form == "single")
        made = replace(
            graph,
            template=f"{graph.template} {' '.join('.'.join(p) for p in self.paths)}",
            kind="group" if graph.kind == "repeat" else graph.kind,
            connect="chain",
            listed=graph.listed and children == [str(k) for k in range(len(children))],
            inputs=inputs,
            nodes=tuple(nodes),
            order=order,
            outputs=tuple(Output("", edge) for edge in self.outputs),
            form="single" if single else "list",
        )
        types = tuple(made.value(edge) for edge in self.outputs)
        return replace(made, type=types[0] if single else Several(types))

    def node(self, node: Node) -> Node:
        operands = tuple(map(self.edge, self.kept[node.name]))
        made = self.opened.get(node.name)
        if made is None:
            return replace(node, operands=operands)
        return replace(node, operands=operands, call=made, type=made.type)

    def unrolled(self, nodes: list[Node]) -> list[Node]:
        """The nodes, without loops of which not all turns are there and alike."""
        turns: dict[str, set[int]] = {}
        broken = {n.loop.key for n in nodes if n.loop is not None and n.name in self.opened}
        for node in nodes:
            if node.loop is not None:
                turns.setdefault(node.loop.key, set()).add(node.loop.index)
        broken |= {n.loop.key for n in nodes if n.loop and len(turns[n.loop.key]) < n.loop.count}
        return [
            replace(_settled(node, node.loop.variables), loop=None)
            if node.loop is not None and node.loop.key in broken
            else node
            for node in nodes
        ]

    def without_names(self, nodes: list[Node], inputs: tuple[Input, ...]) -> list[Node]:
        """The nodes, with a value in place of each expression that reads a size which is gone."""
        graph = self.graph
        gone = {n.name for n in graph.nodes if n.name not in self.kept}
        gone |= set(graph.input_names) - {given.name for given in inputs}
        gone -= {v.name for v in (*graph.variables, *graph.outer)}
        return [_settled(node, dict.fromkeys(gone)) for node in nodes] if gone else nodes


def _settled(node: Node, names: Mapping[str, object]) -> Node:
    """A node whose expressions do not read some names, but are the values that these gave."""
    args = {name: _literal(arg, names) for name, arg in node.args.items()}
    others = {name: getattr(node, name) for name in ("condition", "when", "times")}
    settled: dict[str, Any] = {name: arg and _literal(arg, names) for name, arg in others.items()}
    same = all(arg is node.args[name] for name, arg in args.items())
    if same and all(arg is others[name] for name, arg in settled.items()):
        return node
    return replace(node, args=args, **settled)


def _literal(arg: Arg, names: Mapping[str, object]) -> Arg:
    if arg.expr is None or isinstance(arg.expr, ast.Constant):
        return arg
    read = expr.names(arg.expr) & names.keys()
    if not read:
        return arg
    if not arg.free:
        return replace(arg, expr=expr.literal(arg.value))
    values: dict[str, Any] = {name: expr.literal(names[name]) for name in read}
    return replace(arg, expr=expr.substitute(arg.expr, values))


def _order(graph: Graph, nodes: list[Node], inputs: tuple[Input, ...]) -> tuple[int, ...]:
    """The order of execution: that of the file where it does, as ever."""
    at = {node.name: position for position, node in enumerate(nodes)}
    before = [at[graph.nodes[p].name] for p in graph.order if graph.nodes[p].name in at]
    done = {given.name for given in inputs}
    for node in nodes:
        read = {edge.source for edge in node.operands}
        for arg in node.args.values():
            read |= expr.names(arg.expr) & at.keys() if arg.expr is not None else set()
        if not read <= done:
            return tuple(before)
        done.add(node.name)
    return tuple(range(len(nodes)))
