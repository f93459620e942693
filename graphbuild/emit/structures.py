"""What scopes are built of, so far that one text can stand for several of them."""

from __future__ import annotations

from typing import Any

from graphbuild.ir import Node, Several, Type

Slot = tuple[int, int]
Structure = dict[object, object]


class Unlike(Exception):
    """Two structures do not agree."""


def joined(known: Any, other: Any) -> Any:
    """Two structures as one that stands for both: where one has nothing, what the other has."""
    if known is None or other is None:
        return other if known is None else known
    if isinstance(known, dict) and isinstance(other, dict):
        return {key: joined(known.get(key), other.get(key)) for key in {**known, **other}}
    if known != other:
        raise Unlike
    return known


def rank(type_: Type) -> object:
    if isinstance(type_, Several):
        return tuple(map(rank, type_.items))
    return len(type_.shape)


def slot(node: Node) -> Slot:
    """What one written node is known by in all instances of its template."""
    if node.span is None:
        raise ValueError(f"{node.name} has no place in the spec")
    return (node.span.line, node.span.column)


def is_cut(nodes: list[Node]) -> bool:
    """Whether some are turns of a repetition that a cut has left in part: written once, and each
    with a text of its own."""
    alone = [slot(node) for node in nodes if node.loop is None]
    return len(set(alone)) < len(alone)
