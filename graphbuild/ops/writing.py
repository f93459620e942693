"""How calls are written that are no plain `f(operands, name=value)`: each of these is an `Op.write`.

All take and give text: of the operands in a row, and of the arguments by name.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from graphbuild.expr.write import unparse
from graphbuild.ops.base import Shapes

Write = Callable[[Sequence[str], Mapping[str, str], Shapes], str]


def spread(text: str) -> list[str]:
    """A tuple's items, to stand between the brackets of a call.

    >>> spread("(2, n)"), spread("self.size"), spread("()")
    (['2', 'n'], ['*self.size'], ['()'])
    """
    tree = ast.parse(text, mode="eval").body
    if not isinstance(tree, ast.Tuple):
        return [f"*{text}"]
    return [unparse(item) for item in tree.elts] or ["()"]


def named(arguments: Mapping[str, str], *besides: str) -> list[str]:
    return [f"{name}={text}" for name, text in arguments.items() if name not in besides]


def method(name: str, *leading: str, spreads: bool = False) -> Write:
    """`x.expand(2, n)`: the first operand's method; `leading` arguments stand without names."""

    def write(operands: Sequence[str], arguments: Mapping[str, str], shapes: Shapes) -> str:
        items = list(operands[1:])
        for argument in leading:
            if argument in arguments:
                text = arguments[argument]
                items += spread(text) if spreads else [text]
        return f"{operands[0]}.{name}({', '.join([*items, *named(arguments, *leading)])})"

    return write


def between(source: str, *leading: str) -> Write:
    """`torch.gather(x, 1, index)`: arguments behind the first operand."""

    def write(operands: Sequence[str], arguments: Mapping[str, str], shapes: Shapes) -> str:
        items = [operands[0], *(arguments[name] for name in leading), *operands[1:]]
        return f"{source}({', '.join([*items, *named(arguments, *leading)])})"

    return write


def before(source: str, leading: str) -> Write:
    """`torch.einsum("ij,jk->ik", a, b)`: an argument in front of the operands."""

    def write(operands: Sequence[str], arguments: Mapping[str, str], shapes: Shapes) -> str:
        items = [arguments[leading], *operands, *named(arguments, leading)]
        return f"{source}({', '.join(items)})"

    return write


def made(source: str, *leading: str, spreads: bool = False) -> Write:
    """`torch.zeros(2, n, device=x.device)`: a tensor made of nothing, on an operand's device."""

    def write(operands: Sequence[str], arguments: Mapping[str, str], shapes: Shapes) -> str:
        items: list[str] = []
        for name in leading:
            if name in arguments:
                text = arguments[name]
                items += spread(text) if spreads else [text]
        items += named(arguments, *leading)
        items += [f"device={operand}.device" for operand in operands]
        return f"{source}({', '.join(items)})"

    return write


def keywords(*names: str) -> Callable[[Mapping[str, str]], list[str]]:
    """Operands of these names are written with them: `self.attn(q, k, v, attn_mask=mask)`."""
    return lambda given: [f"{n}={text}" if n in names else text for n, text in given.items()]
