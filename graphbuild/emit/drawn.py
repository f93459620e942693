"""The layers, and raw parameters, that rules of initialisation can speak of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

from graphbuild.ir import Graph, Node
from graphbuild.ops.base import Op

# What layers are built of, by how it is called there; others may be of any type.
_INNER = {"linear": "nn.Linear", "norm": "nn.LayerNorm", "out_proj": ""}


@dataclass(frozen=True)
class Layer:
    """A layer with parameters, or a raw parameter."""

    path: str
    node: Node
    parameters: tuple[str, ...]

    @property
    def op(self) -> Op:
        if not isinstance(self.node.call, Op):
            raise TypeError(f"{self.path} is no layer")
        return self.node.call

    @property
    def inner(self) -> Iterator[tuple[str, str | None]]:
        """The modules that a layer is built of: paths and types, "" where no test finds it."""
        for path in dict.fromkeys(name.rpartition(".")[0] for name in self.parameters):
            if path:
                last = path.rpartition(".")[2].rstrip("0123456789")
                yield f"{self.path}.{path}", _INNER.get(last)

    def key(self, parameter: str) -> str:
        return self.path if self.op.own else f"{self.path}.{parameter}"


def parameters(node: Node) -> tuple[str, ...]:
    """The names of a layer's parameters."""
    op = node.call
    if not isinstance(op, Op) or op.parameters is None:
        return ()
    return tuple(op.parameters(arguments(node)))


def arguments(node: Node) -> SimpleNamespace:
    op = node.call
    values = {a.name: a.default for a in op.arguments} if isinstance(op, Op) else {}
    values.update((name, arg.value) for name, arg in node.args.items())
    return SimpleNamespace(**values)


def layers(graph: Graph, prefix: str = "") -> Iterator[Layer]:
    """All layers and raw parameters in the order of registration."""
    for node in graph.nodes:
        path = f"{prefix}{node.name}"
        if node.shared:
            continue
        if isinstance(node.call, Graph):
            yield from layers(node.call, f"{path}.")
        elif node.call is not None and node.call.parameters is not None:
            yield Layer(path, node, parameters(node))
