"""The keys of `state_dict` with their shapes, from the graph alone, and how two of them fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graphbuild.diff.facts import Facts
from graphbuild.diff.matching import Pairing
from graphbuild.elaborate.expectations import complete
from graphbuild.ir import Graph, Node, Tensor
from graphbuild.ops.base import Op, Shape


def keys(graph: Graph) -> dict[str, Shape]:
    """What `state_dict` of the module has, in its order."""
    return dict(_keys(graph, ""))


def _keys(graph: Graph, prefix: str) -> Iterator[tuple[str, Shape]]:
    own = [n for n in graph.nodes if isinstance(n.call, Op) and n.call.own and n.mode != "never"]
    for word in ("parameter", "buffer"):  # a module's own come in front of those of its children
        for node in own:
            if isinstance(node.call, Op) and node.call.name == word and _kept(node):
                yield prefix + node.name, _size(node)
    for node in graph.nodes:
        if node.call is None or node.shared or node.mode == "never":
            continue
        if isinstance(node.call, Graph):
            yield from _keys(node.call, f"{prefix}{node.name}.")
        elif not node.call.own:
            args = complete(node.call, {name: arg.value for name, arg in node.args.items()})
            for rule in (node.call.parameters, node.call.buffers):
                for name, shape in (rule(args) if rule is not None else {}).items():
                    yield f"{prefix}{node.name}.{name}", tuple(map(int, shape))


def _kept(node: Node) -> bool:
    arg = node.args.get("persistent")
    return arg is None or bool(arg.value)


def _size(node: Node) -> Shape:
    return tuple(map(int, node.type.shape)) if isinstance(node.type, Tensor) else ()


def moves(pairing: Pairing, facts: Facts) -> Iterator[tuple[str, str]]:
    """The paths of nodes that are called otherwise in the second, the outer ones first."""
    stack = [(pairing, "", "")]
    while stack:
        here, before, after = stack.pop()
        for a, b in here.matched:
            if a.name != b.name:
                yield f"{before}{a.name}", f"{after}{b.name}"
            inner = facts.opened(a, b)
            if inner is not None:
                stack.append((inner, f"{before}{a.name}.", f"{after}{b.name}."))


@dataclass(frozen=True, slots=True)
class Fit:
    """How the weights of one model fit another: numbers of keys."""

    before: int
    after: int
    same: int  # in both, of the same shape
    reshaped: int
    order: bool = True  # whether those in both have the same order
    moved: int = 0  # as many fit if the nodes that were renamed are called alike

    @property
    def only(self) -> tuple[int, int]:
        both = self.same + self.reshaped
        return self.before - both, self.after - both

    def __str__(self) -> str:
        if self.same == self.before == self.after:
            order = "" if self.order else ", in another order"
            return f"weights: all {self.after:,} keys fit{order}"
        told = [f"{self.reshaped:,} changed shape"] if self.reshaped else []
        for count, name in zip(self.only, "AB", strict=True):
            told += [f"{count:,} only in {name}"] if count else []
        told += ["those in both stand in another order"] if not self.order else []
        moved = f", {self.moved:,} once renamed" if self.moved > self.same else ""
        text = f"weights: {self.same:,} of B's {self.after:,} keys fit{moved}"
        if self.same == self.after:
            text = f"weights: all of B's {self.after:,} keys fit"
        return f"{text}; {', '.join(told)}"


def fit(before: Graph, after: Graph, moved: Iterable[tuple[str, str]]) -> Fit:
    """How a state_dict of the first fits the second."""
    one, other = keys(before), keys(after)
    both = [key for key in one if key in other]
    same = sum(one[key] == other[key] for key in both)
    order = both == [key for key in other if key in one]
    names = dict(moved)
    renamed = {_called(key, names): shape for key, shape in one.items()} if names else {}
    found = sum(other.get(key) == shape for key, shape in renamed.items())
    return Fit(len(one), len(other), same, len(both) - same, order, found)


def _called(key: str, names: dict[str, str]) -> str:
    """A key with the longest path in front that has another name."""
    parts = key.split(".")
    for end in range(len(parts), 0, -1):
        name = names.get(".".join(parts[:end]))
        if name is not None:
            return ".".join([name, *parts[end:]])
    return key
