"""The verifier finds every invariant that is broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from test_elaborate import spec

from graphbuild.check import VerifyError, verify
from graphbuild.dims import PROBES
from graphbuild.elaborate import elaborate
from graphbuild.ir import Arg, Edge, Graph, Output, Tensor, Variable

TEXT = """
params: {width: 4}
blocks:
  unit: {params: {k: 1}, nodes: {c: {op: Conv2d, out_channels: $width, kernel_size: $k}}}
nodes:
  u: {op: unit, k: 3}
  d: {connect: dense, nodes: {a: {op: unit}, b: ReLU}}
  l: {nodes: [ReLU, {op: Sigmoid, if: false}, Tanh]}
  r$(i): {op: ReLU, repeat: 2}
  f: {op: Conv2d, out_channels: 2, kernel_size: 1, from: {add: [r0, r1]}}
"""


@pytest.fixture(scope="module")
def graph() -> Graph:
    return elaborate(spec(TEXT))


def test_a_sound_graph_passes(graph: Graph) -> None:
    verify(graph)


def changed(name: str, /, **fields: Any) -> Callable[[Graph], Graph]:
    """The graph with fields of one node replaced."""

    def change(graph: Graph) -> Graph:
        nodes = tuple(replace(n, **fields) if n.name == name else n for n in graph.nodes)
        return replace(graph, nodes=nodes)

    return change


def inside(name: str, change: Callable[[Graph], Graph]) -> Callable[[Graph], Graph]:
    """A change of the graph that a node calls."""

    def outer(graph: Graph) -> Graph:
        call = graph.by_name[name].call
        assert isinstance(call, Graph)
        return changed(name, call=change(call))(graph)

    return outer


def swapped(graph: Graph) -> Graph:
    order = list(graph.order)
    order[0], order[1] = order[1], order[0]
    return replace(graph, order=tuple(order))


def without_concat(graph: Graph) -> Graph:
    return changed("a.concat", operands=(Edge("a"), Edge("input")))(graph)


def twice(graph: Graph) -> Graph:
    return replace(
        graph, nodes=(*graph.nodes, graph.nodes[0]), order=(*graph.order, len(graph.order))
    )


TENSOR = Tensor("float32", ((1, 8),) * PROBES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (twice, "a name stands twice"),
        (swapped, "the file order would do"),
        (lambda g: replace(g, order=(0,) * len(g.order)), "not one of all nodes"),
        (lambda g: replace(g, dims=None), "not a spec with dimensions"),
        (lambda g: replace(g, outer=g.variables), "nothing is around a spec"),
        (changed("d", operands=(Edge("nowhere"),)), "a node comes before its operand"),
        (changed("f", type=TENSOR), "its type is not what the rules give"),
        (changed("u", type=TENSOR), "its type is not what it calls gives"),
        (changed("u", args={}), "argument 'k' is not given"),
        (changed("u", args={"k": Arg(5)}), "not what the block was built with"),
        (changed("r0", synthetic=True), "have a dot in their name"),
        (changed("r1", call=None, condition=Arg(True)), "absent, though its condition holds"),
        (changed("r1", condition=Arg(False)), "built, though its condition does not hold"),
        (changed("f", args={"out_channels": Arg(2), "kernel_size": Arg(1)}), "no expression"),
        (inside("d", without_concat), "no running concat after 'a'"),
        (inside("l", changed("1", name="5")), "named by position"),
        (
            lambda g: replace(g, variables=(*g.variables, Variable("width", 1, "let"))),
            "a variable stands twice",
        ),
        (lambda g: replace(g, outputs=(Output("", Edge("r0")),), type=TENSOR), "its output"),
        (lambda g: replace(g, outputs=(Output("a", g.outputs[0].edge),)), "outputs of a mapping"),
        (lambda g: replace(g, outputs=(Output("", Edge("q")),)), "an output leads nowhere"),
    ],
)
def test_what_is_broken_is_found(
    graph: Graph, change: Callable[[Graph], Graph], message: str
) -> None:
    with pytest.raises(VerifyError, match=message):
        verify(change(graph))


def test_a_node_that_is_no_turn_of_its_repetition() -> None:
    graph = elaborate(spec("nodes: {r: {op: ReLU, repeat: 2}}"))
    with pytest.raises(VerifyError, match="no turn of it"):
        verify(inside("r", changed("1", loop=None))(graph))
