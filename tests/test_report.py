"""Reports of graphs built by hand: folding, sums, shapes."""

from __future__ import annotations

import json
from math import prod
from typing import Any

import pytest

from graphbuild.dims import PROBES, Dim, Dims
from graphbuild.ir import Arg, Edge, Graph, Input, Node, Output, Routing, Several, Tensor
from graphbuild.ops.base import Args, Argument, Op, Shapes
from graphbuild.report import Counts, report

DIMS = Dims((Dim("N"), Dim("H", example=8)))


def _parameters(args: Args) -> dict[str, tuple[int, ...]]:
    return {"weight": (args.out, args.inner), "bias": (args.out,)}


def _macs(args: Args, shapes: Shapes, output: tuple[int, ...]) -> int:
    return int(prod(output)) * int(args.inner)


FULL = Op(
    name="Full",
    source="nn.Full",
    arguments=(Argument("out", "int"), Argument("inner", "int")),
    shape=lambda args, x: (*x[:-1], args.out),
    parameters=_parameters,
    buffers=lambda args: {"count": (), "mean": (args.out,)},
    macs=_macs,
)
HALVES = Op(name="halves", source="torch.chunk", arguments=(), shape=lambda a, x: x, several=True)


def tensor(*last: int) -> Tensor:
    sizes = zip(DIMS.sizes["N"], DIMS.sizes["H"], strict=True)
    return Tensor("float32", tuple((n, h, *last) for n, h in sizes))


def full(name: str, source: str, inner: int, out: int) -> Node:
    args = {"out": Arg(out), "inner": Arg(inner)}
    return Node(name, FULL, (Edge(source),), tensor(out), args)


def graph(name: str, nodes: list[Node], inner: int, kind: str = "block", **more: object) -> Graph:
    settings: dict[str, object] = {
        "name": name,
        "template": name,
        "kind": kind,
        "connect": "chain",
        "listed": False,
        "inputs": (Input("input", tensor(inner)),),
        "nodes": tuple(nodes),
        "order": tuple(range(len(nodes))),
        "outputs": (Output("", Edge(nodes[-1].name)),),
        "form": "single",
        "type": nodes[-1].type,
        **more,
    }
    return Graph(**settings)  # type: ignore[arg-type]


def twice() -> Graph:
    """A spec that calls one block two times, then a layer."""
    block = graph("pair", [full("a", "input", 4, 6), full("b", "a", 6, 4)], 4)
    nodes = [
        Node("first", block, (Edge("input"),), tensor(4)),
        Node("second", block, (Edge("first"),), tensor(4)),
        Node("left_out", None, (Edge("second"),), tensor(4)),
        full("head", "left_out", 4, 2),
    ]
    return graph("net", nodes, 4, kind="spec", dims=DIMS)


def test_rows_of_every_layer() -> None:
    found = report(twice())
    assert [(r.path, r.op) for r in found.rows] == [
        ("first.a", "Full"),
        ("first.b", "Full"),
        ("second.a", "Full"),
        ("second.b", "Full"),
        ("head", "Full"),
    ]
    assert found.rows[0].output == "N×H×6"
    assert found.rows[0].size == (1, 8, 6)
    assert found.rows[0].counts == Counts(parameters=6 * 4 + 6, buffers=7, macs=8 * 6 * 4)
    assert found.inputs == (("input", "N×H×4"),)
    assert found.outputs == (("head", "N×H×2"),)


def test_a_folded_row_holds_the_sum() -> None:
    opened, folded = report(twice()), report(twice(), depth=1)
    assert [(r.path, r.op) for r in folded.rows] == [
        ("first", "pair"),
        ("second", "pair"),
        ("head", "Full"),
    ]
    pair = opened.rows[0].counts + opened.rows[1].counts
    assert folded.rows[0].counts == folded.rows[1].counts == pair


@pytest.mark.parametrize("depth", [1, 2, 3, None])
def test_totals_are_the_sum_of_the_rows_at_every_depth(depth: int | None) -> None:
    found = report(twice(), depth)
    assert found.totals == sum((row.counts for row in found.rows), Counts())
    assert found.totals == report(twice()).totals
    assert found.parameter_bytes == 4 * found.totals.parameters


def test_each_distinct_scope_is_summed_once() -> None:
    calls = 0

    def counted(args: Args) -> dict[str, tuple[int, ...]]:
        nonlocal calls
        calls += 1
        return _parameters(args)

    op = Op(name="Full", source="", arguments=(), shape=lambda a, x: x, parameters=counted)
    args = {"out": Arg(4), "inner": Arg(4)}
    inner = graph("level0", [Node("a", op, (Edge("input"),), tensor(4), args)], 4)
    for level in range(1, 40):  # 2 to the 40 layers
        nodes = [
            Node("a", inner, (Edge("input"),), tensor(4)),
            Node("b", inner, (Edge("a"),), tensor(4)),
        ]
        inner = graph(f"level{level}", nodes, 4)
    assert report(inner, depth=2).totals.parameters == 20 * 2**39
    assert calls == 1


def test_concrete_shapes() -> None:
    found = report(twice(), concrete=True)
    assert found.rows[0].output == "1×8×6"
    assert found.inputs == (("input", "1×8×4"),)


def test_several_outputs_of_one_node() -> None:
    parts = Several((tensor(2), tensor(2)))
    nodes = [Node("split", HALVES, (Edge("input"),), parts), full("head", "split", 2, 1)]
    nodes[1] = Node("head", FULL, (Edge("split", (1,)),), tensor(1), nodes[1].args)
    found = report(graph("net", nodes, 4, kind="spec", dims=DIMS))
    assert found.rows[0].output == "N×H×2, N×H×2"
    assert found.rows[0].size is None


def test_names_of_folded_scopes() -> None:
    layer = full("0", "input", 4, 4)
    turns = graph("stack", [layer, full("1", "0", 4, 4)], 4, kind="repeat")
    group = graph("group", [layer], 4, kind="group")
    dense = graph("dense", [layer], 4, kind="group", connect="dense")
    scopes = {"turns": turns, "group": group, "dense": dense}
    nodes = [Node(name, scope, (Edge("input"),), tensor(4)) for name, scope in scopes.items()]
    found = report(graph("net", nodes, 4, kind="spec", dims=DIMS), depth=1)
    assert [row.op for row in found.rows] == ["Full ×2", "group", "dense group"]


def test_what_the_language_adds_is_not_shown_but_counted() -> None:
    hidden = full("conv.from", "input", 4, 4)
    hidden = Node(hidden.name, FULL, hidden.operands, hidden.type, hidden.args, synthetic=True)
    found = report(graph("net", [hidden, full("conv", "conv.from", 4, 2)], 4, kind="spec"))
    assert [row.path for row in found.rows] == ["conv"]
    assert found.totals.macs > found.rows[0].counts.macs


@pytest.mark.parametrize(
    ("kind", "top_k", "counted", "op"),
    [
        ("switch", None, 8 * 6 * 4, "switch of 3"),
        ("route", None, 8 * 6 * 4, "route of 3"),
        ("mixture", None, 8 * (6 + 6 + 2) * 4, "mixture of 3"),
        ("mixture", 2, 8 * (6 + 6) * 4, "mixture 2 of 3"),
    ],
)
def test_of_cases_the_costliest_are_counted(
    kind: Any, top_k: int | None, counted: int, op: str
) -> None:
    cases = [full("a", "input", 4, 6), full("b", "input", 4, 2), full("c", "input", 4, 6)]
    top = Arg(top_k) if top_k is not None else None
    scope = graph("pick", cases, 4, kind="group", routing=Routing(kind, top))
    net = graph("net", [Node("pick", scope, (Edge("input"),), tensor(6))], 4, "spec", dims=DIMS)
    opened, folded = report(net), report(net, depth=1)
    assert opened.totals.macs == folded.totals.macs == counted
    assert opened.totals.parameters == 5 * (6 + 2 + 6)
    assert [row.op for row in folded.rows] == [op]
    assert folded.idle == 0
    assert sum(row.counts.macs for row in opened.rows) == opened.totals.macs + opened.idle


def test_json() -> None:
    told = json.loads(json.dumps(report(twice(), depth=1).to_dict()))
    assert told["rows"][2] == {
        "path": "head",
        "op": "Full",
        "output": "N×H×2",
        "size": [1, 8, 2],
        "mode": "always",
        "parameters": 10,
        "buffers": 3,
        "macs": 64,
        "shares": None,
        "times": None,
        "ties": {},
    }
    assert told["totals"]["parameters"] == sum(row["parameters"] for row in told["rows"])
    assert told["inputs"] == {"input": "N×H×4"}


def test_every_probe_is_known() -> None:
    assert len(tensor(4).shapes) == PROBES
