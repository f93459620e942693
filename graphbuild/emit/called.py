"""Names of classes and functions: each once, of two alike that of another file with its name."""

from __future__ import annotations

from graphbuild.ir import Graph
from graphbuild.names import class_name, identifier


def file_of(template: str) -> str:
    """Of a piece of a spec inside this one: the file that it is in."""
    head, colon, _ = template.partition(":")
    return head if colon and not head.isdecimal() else ""


def named(graph: Graph) -> tuple[str, str]:
    return identifier(graph.name), class_name(graph.name)


def unused(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"
