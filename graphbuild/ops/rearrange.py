"""`rearrange`: another order and grouping of dimensions, by a pattern such as `b n (h d) -> b h n d`.

The pattern is that of the library einops. The source that is written does without it: a grouped
dimension is unflattened, all are permuted, and what is grouped on the right is flattened.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from graphbuild.expr.write import unparse
from graphbuild.ops.base import Args, Argument, Op, Shape, ShapeError, Shapes
from graphbuild.ops.rules import product

_TOKEN = re.compile(r"\s*(?:(\.\.\.)|([A-Za-z]\w*)|(1\b)|([()])|(\S))")
_ELLIPSIS, _BARE = "...", "...."  # in brackets, and as dimensions of their own
Side = list[list[str]]  # per dimension the names that are grouped in it; none: a size of 1


class _Pattern(NamedTuple):
    """A pattern with `...` written out for an input of a certain rank."""

    left: Side
    right: Side

    @property
    def order(self) -> list[int]:
        """For each name on the right, where it stands on the left."""
        names = [name for group in self.left for name in group]
        return [names.index(name) for group in self.right for name in group]


def _side(text: str) -> Side:
    side: Side = []
    group: list[str] | None = None
    for match in _TOKEN.finditer(text):
        dots, name, _, bracket, wrong = match.groups()
        if wrong:
            raise ShapeError(f"the pattern holds {wrong!r}, which stands for nothing")
        if bracket == "(":
            if group is not None:
                raise ShapeError("the pattern has brackets inside of brackets")
            group = []
        elif bracket == ")":
            if group is None:
                raise ShapeError("the pattern closes a bracket that is not open")
            side.append(group)
            group = None
        elif group is not None:
            group += [dots or name] if dots or name else []
        else:
            side.append([_BARE if dots else name] if dots or name else [])
    if group is not None:
        raise ShapeError("the pattern leaves a bracket open")
    return side


def _read(pattern: str, rank: int) -> _Pattern:
    """The pattern for an input of so many dimensions."""
    sides = [_side(text) for text in pattern.split("->")]
    if len(sides) != 2:
        raise ShapeError("a pattern has two sides with '->' between them")
    left, right = sides
    names = [[_ELLIPSIS if n == _BARE else n for group in side for n in group] for side in sides]
    for own in names:
        for name, count in Counter(own).items():
            if count > 1:
                raise ShapeError(f"the pattern names {name!r} twice on one side")
    both = set(names[0]) & set(names[1])
    for name in [*names[0], *names[1]]:
        if name not in both:
            raise ShapeError(f"the pattern names {name!r} on one side only")
    if any(_ELLIPSIS in group for group in left):
        raise ShapeError("the pattern groups '...' on the left, so that its sizes are not known")
    more = rank - sum(group != [_BARE] for group in left)
    if more < 0 or (more and [_BARE] not in left):
        raise ShapeError(f"the pattern takes an input of {rank - more} dimensions, found {rank}")
    stands = [f"{_ELLIPSIS}{number}" for number in range(more)]
    return _Pattern(_expanded(left, stands), _expanded(right, stands))


def _expanded(side: Side, stands: list[str]) -> Side:
    """A side in which `...` is written out."""
    out: Side = []
    for group in side:
        if group == [_BARE]:
            out += [[name] for name in stands]
        else:
            out.append([n for name in group for n in (stands if name == _ELLIPSIS else [name])])
    return out


def _unknown(group: list[str], sizes: Mapping[str, object]) -> str | None:
    """The one name of a group whose size follows from the others."""
    unknown = [name for name in group if name not in sizes]
    if len(unknown) > 1:
        raise ShapeError(f"of {' and '.join(unknown)} only one size can be left out of `sizes`")
    return unknown[0] if unknown else None


def _shape(args: Args, x: Shape) -> Shape:
    pattern, sizes = _read(args.pattern, len(x)), dict(args.sizes or {})
    known = {name for group in pattern.left for name in group}
    for name in sizes:
        if name not in known:
            raise ShapeError(f"`sizes` names {name!r}, which the pattern does not")
    for group, size in zip(pattern.left, x, strict=True):
        unknown = _unknown(group, sizes)
        whole = product([sizes[name] for name in group if name != unknown])
        if unknown is None and whole != size:
            raise ShapeError(f"({' '.join(group)}) holds {whole}, but the dimension is {size}")
        if unknown is not None and len(group) > 1:
            sizes[unknown], rest = divmod(size, whole)
            if rest:
                raise ShapeError(f"({' '.join(group)}): {size} is not divisible by {whole}")
        elif unknown is not None:
            sizes[unknown] = size
    return tuple(product([sizes[name] for name in group]) for group in pattern.right)


def _sizes(text: str | None) -> dict[str, str]:
    """The texts of the sizes, by name."""
    if text is None or text == "None":
        return {}
    tree = ast.parse(text, mode="eval").body
    if not isinstance(tree, ast.Dict):
        raise TypeError("sizes are written as a display")
    pairs = zip(tree.keys, tree.values, strict=True)
    return {ast.literal_eval(key): unparse(value) for key, value in pairs if key is not None}


def _write(operands: Sequence[str], arguments: Mapping[str, str], shapes: Shapes) -> str:
    pattern = _read(ast.literal_eval(arguments["pattern"]), len(shapes[0]))
    sizes = _sizes(arguments.get("sizes"))
    steps: list[str] = []
    for dim, group in reversed([*enumerate(pattern.left)]):
        if not group:
            steps.append(f"squeeze({dim})")
        elif len(group) > 1:
            unknown = _unknown(group, sizes)
            parts = ("-1" if name == unknown else sizes[name] for name in group)
            steps.append(f"unflatten({dim}, ({', '.join(parts)}))")
    steps += _permuted(pattern.order)
    dim = sum(map(len, pattern.right))
    for group in reversed(pattern.right):
        dim -= len(group)
        if len(group) > 1:
            steps.append(f"flatten({dim}, {dim + len(group) - 1})")
    steps += [f"unsqueeze({dim})" for dim, group in enumerate(pattern.right) if not group]
    return ".".join([operands[0], *steps])


def _permuted(order: list[int]) -> list[str]:
    moved = [dim for dim, source in enumerate(order) if dim != source]
    if len(moved) == 2:
        return [f"transpose({moved[0]}, {moved[1]})"]
    return [f"permute({', '.join(map(str, order))})"] if moved else []


OPS = [
    Op(
        "rearrange",
        "rearrange",
        (Argument("pattern", "Pattern"), Argument("sizes", "Sizes | None", None)),
        _shape,
        "Another order and grouping of dimensions, by a pattern such as 'b (h d) n -> b h n d'.",
        style="pattern",
        write=_write,
        accepts=("any",),
        aliases=True,
    )
]
