"""Blocks that contain themselves, among those that nobody calls: the others tell it when called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphbuild.elaborate.state import State, circle
from graphbuild.elaborate.template import Templates
from graphbuild.elaborate.written import NodeTemplate


def check(templates: Templates, state: State) -> None:
    """Report a way around each knot of such blocks (E211)."""
    blocks = templates.blocks
    done: set[str] = set(state.used)
    for start in blocks:
        if start in done:
            continue
        done.add(start)
        path = [(start, _calls(blocks[start].nodes))]
        while path:
            node = next((n for n in path[-1][1] if n.op in blocks), None)
            names = [name for name, _ in path]
            if node is None or node.op is None:
                path.pop()
            elif node.op in names:
                around = names[names.index(node.op) :]
                _report(state, node.op, around, node)
            elif node.op not in done:
                done.add(node.op)
                path.append((node.op, _calls(blocks[node.op].nodes)))


def _report(state: State, name: str, around: list[str], node: NodeTemplate) -> None:
    state.report(
        "E211",
        f"the block {name!r} contains itself: {circle(around)}",
        node.span,
        suggestion="repeat it instead: `repeat` stacks a block any number of times",
    )


def _calls(nodes: Iterable[NodeTemplate]) -> Iterator[NodeTemplate]:
    """The nodes of a scope that call something by name, those of its groups too."""
    for node in nodes:
        if node.op is not None:
            yield node
        if node.group is not None:
            yield from _calls(node.group.nodes)
