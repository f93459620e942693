"""Calls of scopes: blocks, groups, repetitions. Equal calls share one graph."""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from graphbuild.elaborate import alike, params
from graphbuild.elaborate.arguments import given_args
from graphbuild.elaborate.operands import operand_names
from graphbuild.elaborate.state import (
    MAX_LAYERS,
    MAX_NESTING,
    Poisoned,
    Site,
    State,
    TooLarge,
    circle,
)
from graphbuild.elaborate.written import ScopeTemplate, Value
from graphbuild.ir import INPUT, Arg, Edge, Graph, Input, Node, Type

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope

Operand = tuple[Edge, Type]


def block(scope: Scope, item: Item, name: str, operands: Sequence[Operand] | None) -> Type:
    """A call of a block. Without sound operands only its arguments are looked at."""
    templates, state = scope.templates, scope.state
    template = templates.blocks[name]
    state.used.add(name)
    if name in scope.calling:
        _recursion(scope, item, scope.calling[scope.calling.index(name) :])
    args = arguments(scope, item, name, given_args(scope, item, name))
    own = params.bind_block(name, template, args, templates, item.span, scope.site)
    if operands is not None:
        check_inputs(scope, item, name, template.input_names, operands)
    if own is None or operands is None:
        raise Poisoned
    path = scope.where(item.name)
    site = Site(path, item.span, scope.site)
    call = (name, tuple((v.name, state.key(v.value)) for v in own))
    key = (*call, types(operands))
    passes_on = any(v.kind == "rest" for v in own)

    def make() -> Graph | None:
        inputs = _inputs(template, operands)
        plan = state.plans.get(call)
        found = alike.again(state, plan, inputs) if plan is not None else None
        if found is None:
            found = make_whole(inputs)
            if found is not None and call not in state.plans and not passes_on:
                names = frozenset(v.name for v in own) | state.visible.keys()
                state.plans[call] = alike.plan(state, template, found, names)
        return found

    def make_whole(inputs: tuple[Input, ...]) -> Graph | None:
        env = {n: v.value for n, v in state.visible.items()}
        env |= scope.views(inputs)
        variables = params.bind_lets(template, own, env, templates, site)
        if variables is None:
            return None
        passed = {v.name for v in variables if v.kind == "rest"}
        rest = {
            name: Arg(arg.value, ast.Name(str(name), ast.Load()), arg.span)
            for name, arg in args.items()
            if name in passed
        }
        child = scope.child(
            templates,
            template,
            "block",
            name,
            path=path,
            around=state.visible,
            own=variables,
            inputs=inputs,
            site=site,
            depth=scope.depth + 1,
            calling=(*scope.calling, name),
            rest=rest,
        )
        return child.run()

    graph = once(scope, key, site, make, afresh=passes_on)
    if graph is not None and scope.calling:  # it may have been built elsewhere, outside of these
        inside = _blocks_in(state, graph)
        for start, around in enumerate(scope.calling):
            if around in inside:
                _recursion(scope, item, (*scope.calling[start:], name))
    given = {v.name: args[v.name] for v in own if v.name in args}
    return made(scope, item, graph, operands, given)


def arguments(
    scope: Scope, item: Item, name: str, given: Mapping[str, Value | Arg]
) -> dict[str, Arg]:
    """The values of the arguments of a block, or of another spec."""
    args: dict[str, Arg] = {}
    sound = True
    for arg, value in given.items():
        if isinstance(value, Arg):
            args[arg] = value
            continue
        try:
            found, free = scope.evaluate(value, item.visible, item.loop)
        except Poisoned:
            sound = False
            continue
        if free:
            scope.report(
                "E208",
                f"argument {arg!r} of {name} depends on a free dimension",
                value.span,
                suggestion="only arguments of functions can be computed from the input's size",
            )
            sound = False
        args[arg] = Arg(found, value.expr, value.span)
    if not sound:
        raise Poisoned
    return args


def group(scope: Scope, item: Item, template: ScopeTemplate, operands: Sequence[Operand]) -> Type:
    """An inline group."""
    check_inputs(scope, item, repr(item.name), template.input_names, operands)
    path = scope.where(item.name)

    def make() -> Graph | None:
        return scope.child(
            scope.templates,
            template,
            "group",
            item.template.label,
            path=path,
            around=item.visible,
            inputs=_inputs(template, operands),
            doc=item.template.spec.doc,
            site=scope.site,
            parent=scope,
            depth=scope.depth + 1,
            calling=scope.calling,
        ).run()

    key = (id(template), around(scope.state, item, template.reads), types(operands))
    return made(scope, item, once(scope, key, scope.site, make), operands, {})


def repeat(scope: Scope, item: Item, operands: Sequence[Operand]) -> Type:
    """A repetition under a plain name: a chain of turns, named by their numbers."""
    template, all_turns = item.template, item.turns or []
    names = operand_names(scope, item)[: len(operands)]
    if template.spec.routing is not None:
        names = input_names(template.spec.routing.kind, len(operands) - 1)
    elif len(operands) == 1:
        names = (INPUT,)
    elif len(names) < len(operands):
        names = tuple(f"{INPUT}{k}" for k in range(len(operands)))
    inputs = tuple(
        Input(n, t, span=template.span) for n, (_, t) in zip(names, operands, strict=True)
    )
    path = scope.where(item.name)

    def make() -> Graph | None:
        scope.state.count(len(all_turns))
        return scope.child(
            scope.templates,
            scope.template,
            "repeat",
            template.label,
            path=path,
            around=item.visible,
            inputs=inputs,
            site=scope.site,
            parent=scope,
            depth=scope.depth + 1,
            calling=scope.calling,
            repeated=(template, all_turns),
            rest=scope.rest if scope.rest_child == template.key else None,
        ).run()

    state = scope.state
    turns = tuple(tuple(state.key(v) for v in t.variables.values()) for t in all_turns)
    rest = tuple((n, state.key(a.value)) for n, a in scope.rest.items()) if scope.rest else ()
    key = (id(template), turns, rest, around(scope.state, item, template.reads), types(operands))
    return made(scope, item, once(scope, key, scope.site, make), operands, {})


def once(
    scope: Scope,
    key: Hashable,
    site: Site | None,
    make: Callable[[], Graph | None],
    afresh: bool = False,
) -> Graph:
    """The graph of a call, made by the first of all equal calls.

    `afresh`: one that failed is made again, since what is wrong may stand at the call.
    """
    state = scope.state
    known = state.known.get(key)
    if isinstance(known, Graph):
        return known
    if known is not None:
        for finding in known:
            state.reached(finding, site)
        raise Poisoned
    if scope.depth >= MAX_NESTING:
        raise TooLarge(f"at most {MAX_NESTING} scopes inside of each other")
    before = len(state.log)
    graph = make()
    if graph is None:
        if not afresh:
            state.known[key] = tuple(dict.fromkeys(state.log[before:]))
        raise Poisoned
    state.known[key] = graph
    check_layers(state, graph)
    return graph


def check_layers(state: State, graph: Graph) -> None:
    """That a graph is not too large when every call is counted."""
    if _layers(state, graph) > MAX_LAYERS:
        limit = f"at most {MAX_LAYERS:,} nodes, with those of shared blocks counted each time"
        raise TooLarge(limit)


def _layers(state: State, graph: Graph) -> int:
    """The nodes in all of a graph."""
    found = state.layers.get(id(graph))
    if found is None:
        inner = [_layers(state, n.call) for n in graph.nodes if isinstance(n.call, Graph)]
        found = state.layers[id(graph)] = len(graph.nodes) + sum(inner)
    return found


def made(
    scope: Scope, item: Item, graph: Graph, operands: Sequence[Operand], args: dict[str, Arg]
) -> Type:
    for variable in graph.outer:
        known = item.visible.get(variable.name)
        if known is not variable:
            scope.lent.add(variable.name)
        elif item.loop is None or variable.name not in item.loop.variables:
            scope.reads.add(variable.name)
    if graph.modes != "always":
        scope.modes[item.name] = graph.modes
    scope.state.wire(scope.state.tensors[id(graph.type)] - 1)
    item.made.append(
        Node(
            item.name,
            graph,
            tuple(edge for edge, _ in operands),
            graph.type,
            args,
            item.condition,
            item.loop,
            False,
            item.span,
        )
    )
    return graph.type


def input_names(kind: str, data: int) -> tuple[str, ...]:
    """What the inputs of a scope of cases are called: first what chooses; no key has a dot."""
    names = (INPUT,) if data == 1 else tuple(f"{INPUT}{k}" for k in range(data))
    return (f"{kind}.by", *names)


def _inputs(template: ScopeTemplate, operands: Sequence[Operand]) -> tuple[Input, ...]:
    spans = [n.span for n in template.inputs] or [template.spec.span]
    return tuple(
        Input(str(name), type_, span=span)
        for name, (_, type_), span in zip(template.input_names, operands, spans, strict=True)
    )


def check_inputs(
    scope: Scope, item: Item, what: str, names: Sequence[str], operands: Sequence[Operand]
) -> None:
    if len(operands) == len(names):
        return
    single = len(names) == 1
    scope.report(
        "E205",
        f"{what} takes {len(names) or 'no'} input{'' if single else 's'}",
        item.span,
        expected=", ".join(names) or None,
        found=f"{len(operands)}: {', '.join(e.source for e, _ in operands)}",
    )
    raise Poisoned


def _blocks_in(state: State, graph: Graph) -> frozenset[str]:
    """The names of a block and of all that it calls; other specs have names of their own."""
    if graph not in state.blocks_in:
        called = [node.call for node in graph.nodes if isinstance(node.call, Graph)]
        inside = [_blocks_in(state, each) for each in called if each.kind != "spec"]
        own = {graph.name} if graph.kind == "block" else set()
        state.blocks_in[graph] = frozenset(own).union(*inside)
    return state.blocks_in[graph]


def _recursion(scope: Scope, item: Item, path: Sequence[str]) -> None:
    scope.report(
        "E211",
        f"the block {path[0]!r} contains itself: {circle(path)}",
        item.span,
        suggestion="repeat it instead: `repeat` stacks a block any number of times",
    )
    raise Poisoned


def types(operands: Sequence[Operand]) -> tuple[int, ...]:
    """What the operands are, as part of what makes two calls equal."""
    return tuple([id(type_) for _, type_ in operands])


def around(state: State, item: Item, reads: frozenset[str]) -> Hashable:
    """The values around that a group reads, as part of what makes two of them equal."""
    visible = item.visible
    return tuple((n, state.key(visible[n].value)) for n in sorted(reads) if n in visible)
