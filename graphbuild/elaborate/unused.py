"""Warnings: nodes, blocks and params that nobody uses, and names that hide others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from graphbuild.elaborate.state import State
from graphbuild.elaborate.template import Templates
from graphbuild.elaborate.written import NodeTemplate, ScopeTemplate, Value
from graphbuild.errors import Note
from graphbuild.source import Text, walk

if TYPE_CHECKING:
    from graphbuild.elaborate.scope import Scope


def nodes(scope: Scope) -> None:
    """W301 for the nodes of a scope whose value nobody takes."""
    for item in scope.items:
        if item.name and item.present and not item.broken and item.name not in scope.used:
            scope.state.report(
                "W301",
                f"nobody uses the node {scope.where(item.name)!r}",
                item.template.span,
                site=scope.site,
                suggestion="take it with `from`, name it under outputs, or remove it",
            )


def warn(templates: Templates, state: State, root: Scope) -> None:
    """W302 and W303 for the whole spec."""
    spec = templates.spec
    named = set(templates.root.uses).union(*(b.uses for b in templates.blocks.values()))
    mentioned = named | state.used | _texts(templates)
    choices = [v.constant for v in templates.root.params.values() if isinstance(v, Value)]
    chosen = any(isinstance(one, str) and one in templates.blocks for one in choices)
    for name in spec.blocks if not chosen else ():  # another could be named by that param
        if name not in mentioned:
            state.report("W302", f"nobody calls the block {str(name)!r}", name.span)
    read = set(_spec_reads(templates))
    _params(templates.root, read, state, "")
    around = {name: name for name in (*spec.params, *spec.let)}
    _hidden(templates.root, around, state)
    for block_name, block in templates.blocks.items():
        own = {*map(str, block.spec.params), *map(str, block.spec.let)}
        inner: set[str] = set().union(*(n.reads for n in block.nodes))
        inner |= set().union(*(v.names for v in block.let.values()))
        if not chosen or block_name in named:  # those to choose from are called alike
            _params(block, inner, state, f" of {block_name}")
        _hidden(block, around, state)
        for key in block.spec.let:  # params are declared on purpose, to stand on their own
            _hides(key, spec.params, spec.let, state)
        for node in _nodes(block.nodes):
            _loops(node, own, state)
    for node in _nodes(templates.root.nodes):
        _loops(node, {*map(str, spec.params), *map(str, spec.let)}, state)


def _texts(templates: Templates) -> set[str]:
    """Every text that is an argument or a default, since it may be the name of a block."""
    found: set[str] = set()
    for scope in (templates.root, *templates.blocks.values()):
        values = [v for v in scope.params.values() if isinstance(v, Value)]
        values += [v for node in _nodes(scope.nodes) for v in node.args.values()]
        found |= {v.constant for v in values if isinstance(v.constant, str)}
    return found


def _params(scope: ScopeTemplate, read: set[str], state: State, whose: str) -> None:
    for what, names in (("param", scope.spec.params), ("let", scope.spec.let)):
        for key in names:
            if key not in read:
                state.report("W302", f"nobody reads the {what} {str(key)!r}{whose}", key.span)


def _spec_reads(templates: Templates) -> Iterator[str]:
    """Every name that is read from the spec's params and lets, wherever that is."""
    root = templates.root
    for node in root.nodes:
        yield from node.reads
    for scope in templates.blocks.values():
        yield from scope.reads
        for given in scope.params.values():
            if isinstance(given, Value):
                yield from given.names
    for let in root.let.values():
        yield from let.names
    for args in templates.defaults.values():
        for value in args.values():
            yield from value.names
    spec = templates.spec
    raw: list[object] = [one.shape for one in spec.inputs.values()]
    raw += [item for rule in spec.init for item in rule.parameters.values()]
    raw += list(spec.expect.outputs.values()) if spec.expect else []
    for item in raw:
        for text in walk(item):  # type: ignore[arg-type]
            if "$" in text:
                read = templates.value(text if text[0] == "$" else _after(text))
                yield from read.names if read else ()


def _after(text: Text) -> Text:
    from graphbuild.source import text as made

    return made(text[text.index("$") :], text)


def _nodes(nodes: Iterable[NodeTemplate]) -> Iterator[NodeTemplate]:
    for node in nodes:
        yield node
        if node.group is not None:
            yield from _nodes(node.group.nodes)


def _hides(key: Text, params: Iterable[Text], lets: Iterable[Text], state: State) -> None:
    for what, names in (("param", params), ("let", lets)):
        other = next((k for k in names if k == key), None)
        if other is None:
            continue
        state.report(
            "W303",
            f"the let {str(key)!r} hides the spec's {what} of this name",
            key.span,
            notes=[Note("it hides this one", other.span)],
        )


def _hidden(scope: ScopeTemplate, around: dict[Text, Text], state: State) -> None:
    """W303 for nodes whose name other nodes read, but as that of a param or let."""
    names = around | {name: name for name in (*scope.spec.params, *scope.spec.let)}
    for node in scope.nodes:
        if node.group is not None:
            _hidden(node.group, names, state)
        if node.key not in names:
            continue
        if any(node.key in other.own_reads for other in scope.nodes if other is not node):
            state.report(
                "W303",
                f"expressions read another {str(node.key)!r} than this node",
                node.span,
                about=str(node.key),
                notes=[Note("they read this one", names[node.key].span)],
                suggestion="give one of them another name",
            )


def _loops(node: NodeTemplate, own: set[str], state: State) -> None:
    for name in node.repeat.over if node.repeat is not None else ():
        if name in own:
            state.report(
                "W303",
                f"the variable {name!r} of `repeat` hides a param or let",
                node.repeat.span if node.repeat else node.span,
                about=name,
            )
