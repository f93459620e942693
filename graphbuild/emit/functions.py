"""Calls of functions as source, each in its own style."""

from __future__ import annotations

import ast

from graphbuild import expr as expressions
from graphbuild import ops
from graphbuild.emit.items import call
from graphbuild.ir import Node
from graphbuild.ops.base import Op


def function(op: Op, operands: list[str] | str, arguments: dict[str, str]) -> str:
    """A call of a function in its own style."""
    given = [a for a in op.arguments if a.name in arguments]
    if op.style == "operator" and not isinstance(operands, str):
        return _operation(op.source, [*operands, *(arguments[a.name] for a in given)])
    if op.style == "index" and not isinstance(operands, str):
        return f"{operands[0]}[{', '.join(ops.index_source(arguments[a.name]) for a in given)}]"
    items: list[str] = []
    if isinstance(operands, str):
        items.append(operands)
    elif op.style == "list":
        items.append(f"[{', '.join(operands)}]")
    else:
        items += operands
    for position, argument in enumerate(op.arguments):
        if argument.name in arguments:
            text = arguments[argument.name]
            leading = position < op.positional and all(
                a.name in arguments for a in op.arguments[:position]
            )
            items.append(text if leading else f"{argument.name}={text}")
    if op.training:
        items.append("training=self.training")
    return call(op.source, items)


def _operation(sign: str, pieces: list[str]) -> str:
    """Pieces with an operator between them."""
    text = pieces[0]
    for piece in pieces[1:]:
        whole = ast.parse(f"({text}) {sign} ({piece})", mode="eval").body
        text = expressions.unparse(whole)
    return text


def allocates(node: Node) -> bool:
    """Whether a step takes memory for what it gives."""
    if not isinstance(node.call, Op):
        return True
    over = node.call.overwrites
    if isinstance(over, str):
        argument = node.args.get(over)
        return not (argument is not None and argument.value)
    return not (over or node.call.aliases)
