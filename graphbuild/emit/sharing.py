"""What a module gives that another node has built, and how often one is applied in turn."""

from __future__ import annotations

import ast
from dataclasses import replace

from graphbuild.emit.build import Builder
from graphbuild.emit.context import Context
from graphbuild.emit.parts import Scope
from graphbuild.emit.rows import Slot
from graphbuild.emit.symbols import SymType
from graphbuild.names import identifier


def result(
    builder: Builder, found: Slot, operands: list[SymType], scope: Scope, hint: str
) -> SymType:
    """What the call of a shared module gives: worked out as if it were built here."""
    calls = [
        made._replace(node=replace(made.node, call=made.graph.by_name[made.node.shared].call))
        for made in found.present
    ]
    context = builder.context
    outer, context.rehearsing = context.rehearsing, True
    _, symbolic = builder.call(calls, operands, scope, hint)
    context.rehearsing = outer
    owner = scope.shapes[found.present[0].node.shared]
    return builder.results.settle([symbolic, owner], found.present)


def count(context: Context, found: Slot, scope: Scope) -> ast.expr:
    """How often a module is applied."""
    node = found.present[0].node
    counts: list[object] = [c.node.times.value for c in found.present if c.node.times]
    tree = context.translate(node.times.expr if node.times else None, scope)
    return context.choose([tree], counts, found.present, f"{identifier(node.name)}_count")
