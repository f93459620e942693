"""Calls of functions as source, each in its own style."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from graphbuild import expr as expressions
from graphbuild import ops
from graphbuild.emit.items import call
from graphbuild.ir import Edge, Graph, Node
from graphbuild.ops.base import Op, Shape

MAX_PIECES = 50  # with operators between them
_FOLDS = {"+": "sum", "*": "math.prod"}  # from the left as well


def wired(target: object, operands: list[str]) -> list[str]:
    """The operands of a call as they stand between its brackets."""
    if not isinstance(target, Op) or target.wired is None:
        return operands
    return target.wired(dict(zip(target.operands, operands, strict=False)))


def spare(graph: Graph, node: Node, source: Callable[[Edge], Edge]) -> list[str]:
    """What a call of a layer says where nobody takes more than its first output."""
    if not isinstance(node.call, Op) or not node.call.alone:
        return []
    edges = [edge for other in graph.nodes for edge in other.operands]
    edges += [output.edge for output in graph.outputs]
    first = all(e.select[:1] == (0,) for e in map(source, edges) if e.source == node.name)
    return [node.call.alone] if first else []


def function(
    op: Op, operands: list[str] | str, arguments: dict[str, str], shapes: Sequence[Shape] = ()
) -> str:
    """A call of a function in its own style."""
    given = [a for a in op.arguments if a.name in arguments]
    if op.write is not None and not isinstance(operands, str):
        return op.write(wired(op, operands), arguments, shapes)
    if op.style == "operator" and not isinstance(operands, str):
        return _operation(op.source, [*operands, *(arguments[a.name] for a in given)])
    if op.style == "index" and not isinstance(operands, str):
        return f"{operands[0]}[{', '.join(ops.index_source(arguments[a.name]) for a in given)}]"
    items: list[str] = []
    if isinstance(operands, str):
        items.append(operands)
    elif op.style == "list":
        items.append(f"[{', '.join(operands)}]")
    elif not op.makes:
        items += wired(op, operands)
    for position, argument in enumerate(op.arguments):
        if argument.name in arguments:
            text = arguments[argument.name]
            leading = position < op.positional and all(
                a.name in arguments for a in op.arguments[:position]
            )
            items.append(text if leading else f"{argument.name}={text}")
    if op.training:
        items.append("training=self.training")
    if op.makes:
        items += [f"device={operand}.device" for operand in operands]
    return call(op.source, items)


def spelled(op: Op, argument: str, text: str) -> str:
    """The value of an argument as the source says it: `torch.float32` for float32."""
    known = op.argument(argument)
    if known is None or not known.type.startswith("Dtype") or text == "None":
        return text
    return f"torch.{ast.literal_eval(text)}"


def _operation(sign: str, pieces: list[str]) -> str:
    """Pieces with an operator between them; of very many, Python could not read the line."""
    text = pieces[0]
    if len(pieces) > MAX_PIECES:
        return f"{_FOLDS[sign]}([{', '.join(pieces[1:])}], start={text})"
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
