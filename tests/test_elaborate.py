"""Spec and params to Graph: exact IR and shapes, and findings at exact places."""

from __future__ import annotations

import random
from collections.abc import Mapping
from textwrap import dedent
from typing import Any

import pytest

from graphbuild import expr
from graphbuild.check import verify
from graphbuild.elaborate import alike, elaborate, elaborate_with_findings
from graphbuild.errors import Finding, Source, SpecError
from graphbuild.ir import Edge, Graph, Several, Tensor
from graphbuild.ir_text import show
from graphbuild.read import read, read_text
from graphbuild.source import parse
from graphbuild.spec import Spec, parse_spec

HEAD = "graphbuild: 1\nname: t\ninputs: {x: [N, 8, H=32, W=32]}\n"


def spec(text: str, head: str = HEAD) -> Spec:
    source = Source("t.yaml", head + text)
    return parse_spec(parse(source), source)


def build(
    text: str, head: str = HEAD, sizes: Mapping[str, int] | None = None, **params: object
) -> Graph:
    graph = elaborate(spec(text, head), params, sizes or {})
    verify(graph)
    return graph


def findings(text: str, head: str = HEAD, **params: Any) -> list[Finding]:
    return elaborate_with_findings(spec(text, head), params)[1]


def shown(graph: Graph, name: str) -> str:
    """A node's shape as people see it."""
    type_ = graph.by_name[name].type
    assert isinstance(type_, Tensor)
    assert graph.dims is not None
    return graph.dims.show_shape(type_.shapes)


def called(graph: Graph, path: str) -> Graph:
    for name in path.split("."):
        found = graph.by_name[name].call
        assert isinstance(found, Graph)
        graph = found
    return graph


def names(graph: Graph) -> list[str]:
    return [node.name for node in graph.nodes]


def sources(graph: Graph, name: str) -> list[str]:
    return [".".join([e.source, *map(str, e.select)]) for e in graph.by_name[name].operands]


def arg(graph: Graph, name: str, argument: str) -> object:
    return graph.by_name[name].args[argument].value


# -- nodes and operands -------------------------------------------------------------------------


def test_a_chain_infers_what_the_operands_say() -> None:
    graph = build("""
nodes:
  conv: {op: Conv2d, out_channels: 16, kernel_size: 3, stride: 2}
  norm: BatchNorm2d
  pool: {op: AdaptiveAvgPool2d, output_size: 1}
  flat: {op: flatten, start_dim: 1}
  fc: {op: Linear, out_features: 10}
""")
    assert [sources(graph, n) for n in names(graph)] == [
        ["x"], ["conv"], ["norm"], ["pool"], ["flat"]
    ]  # fmt: skip
    assert {n: a.value for n, a in graph.by_name["conv"].args.items()} == {
        "in_channels": 8, "out_channels": 16, "kernel_size": 3, "stride": 2
    }  # fmt: skip
    assert graph.by_name["conv"].args["in_channels"].expr is None
    assert arg(graph, "norm", "num_features") == 16
    assert arg(graph, "fc", "in_features") == 16
    assert shown(graph, "conv") == "N×16×⌊(H-1)/2⌋×⌊(W-1)/2⌋"
    assert graph.dims is not None
    assert graph.type == Tensor("float32", tuple((n, 10) for n in graph.dims.sizes["N"]))
    assert graph.outputs[0].edge == Edge("fc")
    assert graph.form == "single"


def test_a_written_argument_keeps_its_expression() -> None:
    graph = build("""
params: {width: 4}
nodes:
  a: {op: Conv2d, out_channels: $(width * 2), kernel_size: [3, 1]}
""")
    written = graph.by_name["a"].args["out_channels"]
    assert written.value == 8
    assert written.expr is not None
    assert expr.unparse(written.expr) == "width * 2"
    assert arg(graph, "a", "kernel_size") == (3, 1)


@pytest.mark.parametrize(
    ("given", "operands"),
    [
        ("from: [a, b]", ["a", "b"]),
        ("from: [b, b]", ["b", "b"]),
        ("from: {add: [a, b]}, op: ReLU", ["n.from"]),
        ("from: {other: a, input: b}, op: sub", ["b", "a"]),
        ("from: [{concat: [a, b], dim: 1}, {mul: [a, a]}], op: concat", ["n.from.0", "n.from.1"]),
    ],
)
def test_from(given: str, operands: list[str]) -> None:
    op = "" if "op:" in given else "op: add, "
    graph = build(f"""
nodes:
  a: ReLU
  b: {{op: Sigmoid, from: x}}
  n: {{{op}{given}}}
""")
    assert sources(graph, "n") == operands


def test_a_merge_on_the_edge_is_a_synthetic_node_in_front() -> None:
    graph = build("""
nodes:
  a: ReLU
  conv: {op: Conv2d, out_channels: 4, kernel_size: 1, from: {concat: [x, a], dim: 1}}
""")
    assert names(graph) == ["a", "conv.from", "conv"]
    merge = graph.by_name["conv.from"]
    assert merge.synthetic
    assert sources(graph, "conv.from") == ["x", "a"]
    assert arg(graph, "conv", "in_channels") == 16


def test_file_order_is_kept_and_execution_is_topological() -> None:
    graph = build("""
nodes:
  out: {op: add, from: [late, x]}
  early: {op: ReLU, from: x}
  late: {op: Sigmoid, from: early}
outputs: out
""")
    assert names(graph) == ["out", "early", "late"]
    assert graph.order == (1, 2, 0)


def test_a_shape_that_is_read_comes_first() -> None:
    graph = build("""
nodes:
  a: {op: Conv2d, out_channels: $(b.channels), kernel_size: 1, from: x}
  b: {op: Conv2d, out_channels: 5, kernel_size: 1, from: x}
outputs: {a: a, b: b}
""")
    assert graph.order == (1, 0)
    assert arg(graph, "a", "out_channels") == 5


@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_the_first_of_all_topological_orders(seed: int) -> None:
    """At every step the first node in the file that can come next."""
    rng = random.Random(seed)
    count = 12
    rank = rng.sample(range(count), count)
    needs = {
        i: [j for j in range(count) if rank[j] < rank[i] and rng.random() < 0.3]
        for i in range(count)
    }
    text = "\n".join(
        f"  n{i}: {{op: concat, from: [x, {', '.join(f'n{j}' for j in needs[i])}], dim: 1}}"
        for i in range(count)
    ).replace(", ]", "]")
    everything = ", ".join(f"n{i}: n{i}" for i in range(count))
    graph = build(f"nodes:\n{text}\noutputs: {{{everything}}}")
    done: list[int] = []
    while len(done) < count:
        done.append(min(i for i in needs if i not in done and set(needs[i]) <= set(done)))
    assert list(graph.order) == done


def test_several_inputs_and_dtypes() -> None:
    graph = build(
        """
nodes:
  table: {op: Embedding, num_embeddings: 50, embedding_dim: 6, from: tokens}
  fc: {op: Linear, out_features: 6, from: extra}
outputs: [table, fc]
""",
        "graphbuild: 1\nname: t\n"
        "inputs: {tokens: {shape: [N, T=7], dtype: int64}, extra: [N, 3]}\n",
    )
    assert isinstance(graph.type, Several)
    assert [t.shape for t in graph.type.items if isinstance(t, Tensor)] == [(1, 7, 6), (1, 6)]
    assert graph.form == "list"
    assert [d.name for d in graph.dims.free] == ["N", "T"] if graph.dims else False


def test_parts_are_selected_by_dot() -> None:
    graph = build("""
blocks:
  two: {nodes: {a: ReLU, b: Sigmoid}, outputs: {first: a, second: b}}
nodes:
  t: two
  u: {op: concat, from: t}
  v: {op: sub, from: [t.second, t.0]}
  c: {op: chunk, chunks: 2, dim: 1, from: v}
  w: {op: ReLU, from: c.1}
outputs: {u: u, w: w}
""")
    assert sources(graph, "u") == ["t.0", "t.1"]
    assert sources(graph, "v") == ["t.1", "t.0"]
    assert shown(graph, "w") == "N×4×H×W"
    type_ = graph.by_name["t"].type
    assert isinstance(type_, Several)
    assert type_.names == ("first", "second")


# -- values of scopes ---------------------------------------------------------------------------


def test_a_group_sees_params_and_is_a_scope_of_its_own() -> None:
    graph = build("""
params: {width: 5, other: 1}
nodes:
  a: ReLU
  g:
    nodes:
      a: {op: Conv2d, out_channels: $width, kernel_size: $other}
      b: {op: add, from: [a, a]}
""")
    group = called(graph, "g")
    assert (group.kind, group.name, group.template) == ("group", "g", "9:5")
    assert [(v.name, v.value) for v in group.outer] == [("width", 5), ("other", 1)]
    assert sources(graph, "g") == ["a"]
    assert sources(group, "a") == ["input"]


def test_children_of_a_list_are_numbered_where_they_are_built() -> None:
    graph = build("""
params: {extra: false}
nodes:
  - ReLU
  - {op: BatchNorm2d, if: $extra}
  - {op: Sigmoid, repeat: 2}
  - {op: Tanh, from: "1"}
""")
    assert names(graph) == ["0", "1?", "1", "2", "3"]
    assert graph.listed
    assert sources(graph, "1?") == ["0"]
    assert sources(graph, "1") == ["1?"]
    assert sources(graph, "3") == ["1"]


def test_dense_children_take_the_running_concat() -> None:
    graph = build("""
nodes:
  d:
    connect: dense
    nodes:
      layer$(i + 1): {op: Conv2d, out_channels: 4, kernel_size: 1, repeat: 2}
""")
    dense = called(graph, "d")
    assert names(dense) == ["layer1", "layer1.concat", "layer2", "layer2.concat"]
    assert sources(dense, "layer2") == ["layer1.concat"]
    assert sources(dense, "layer2.concat") == ["layer1.concat", "layer2"]
    assert shown(graph, "d") == "N×16×H×W"
    assert dense.outputs[0].edge == Edge("layer2.concat")


def test_an_absent_dense_child_adds_nothing() -> None:
    graph = build("""
nodes:
  d:
    connect: dense
    nodes:
      a: {op: ReLU, if: false}
      b: ReLU
""")
    dense = called(graph, "d")
    assert names(dense) == ["a", "b", "b.concat"]
    assert sources(dense, "b.concat") == ["input", "b"]


def test_parallel_children_take_the_input_and_are_merged_together() -> None:
    graph = build("""
nodes:
  p: {connect: parallel, nodes: {a: ReLU, b: {op: Conv2d, out_channels: 3, kernel_size: 1}}}
  out: {op: concat, dim: 1}
""")
    group = called(graph, "p")
    assert sources(group, "a") == sources(group, "b") == ["input"]
    assert group.form == "list"
    assert isinstance(group.type, Several)
    assert group.type.names == ("a", "b")
    assert sources(graph, "out") == ["p.0", "p.1"]
    assert shown(graph, "out") == "N×11×H×W"


# -- if -----------------------------------------------------------------------------------------


def test_a_false_if_passes_its_first_operand_through() -> None:
    text = """
params: {project: false}
nodes:
  a: ReLU
  down: {if: $project, from: x, nodes: [{op: Conv2d, out_channels: 8, kernel_size: 1}]}
  out: {op: add, from: [a, down]}
"""
    graph = build(text)
    down = graph.by_name["down"]
    assert down.call is None
    assert down.condition is not None
    assert down.condition.value is False
    assert down.type == graph.inputs[0].type
    assert sources(graph, "out") == ["a", "down"]
    assert called(build(text, project=True), "down").kind == "group"


def test_a_null_op_is_left_out() -> None:
    text = """
params: {act: ReLU}
nodes: {c: BatchNorm2d, a: {op: $act}}
"""
    assert build(text).by_name["a"].call is not None
    absent = build(text, act=None).by_name["a"]
    assert absent.call is None
    assert absent.condition is None


# -- repeat -------------------------------------------------------------------------------------


def test_repeat_under_a_plain_name_makes_a_group_of_turns() -> None:
    graph = build("""
params: {depth: 3}
nodes:
  stage:
    op: Conv2d
    out_channels: $(16 if i == 0 else 32)
    kernel_size: 1
    repeat: $depth
""")
    stage = called(graph, "stage")
    assert (stage.kind, names(stage)) == ("repeat", ["0", "1", "2"])
    assert [arg(stage, n, "out_channels") for n in names(stage)] == [16, 32, 32]
    assert [sources(stage, n) for n in names(stage)] == [["input"], ["0"], ["1"]]
    turn = stage.nodes[2].loop
    assert turn is not None
    assert (turn.key, turn.index, turn.count, dict(turn.variables)) == ("stage", 2, 3, {"i": 2})
    assert expr.unparse(turn.over["i"]) == "depth"
    assert [v.name for v in stage.outer] == ["depth"]
    assert [v.name for v in graph.variables] == ["depth"]


def test_repeat_under_a_name_with_a_dollar_makes_siblings() -> None:
    graph = build("""
params: {stages: [{w: 4, s: 1}, {w: 6, s: 2}]}
nodes:
  layer$(i + 1): {op: Conv2d, out_channels: $s.w, kernel_size: 1, stride: $s.s, repeat: {s: $stages}}
""")
    assert names(graph) == ["layer1", "layer2"]
    assert arg(graph, "layer2", "out_channels") == 6
    loop = graph.nodes[1].loop
    assert loop is not None
    assert loop.key == "layer$(i + 1)"
    assert loop.variables == {"i": 1, "s": {"w": 6, "s": 2}}
    assert {n: expr.unparse(e) for n, e in loop.over.items()} == {"s": "stages", "i": "len(stages)"}
    assert loop.name is not None
    assert graph.nodes[0].span == graph.nodes[1].span


def test_variables_over_counts_run_side_by_side() -> None:
    graph = build("""
nodes:
  a$(k): {op: Conv2d, out_channels: $w, kernel_size: 1, repeat: {w: [3, 5], k: 2}}
""")
    assert names(graph) == ["a0", "a1"]
    assert [arg(graph, n, "out_channels") for n in names(graph)] == [3, 5]


def test_repeat_zero_is_the_identity() -> None:
    graph = build("nodes: {a: {op: ReLU, repeat: 0}, b: ReLU}")
    stage = called(graph, "a")
    assert stage.nodes == ()
    assert stage.outputs[0].edge == Edge("input")
    assert graph.by_name["a"].type == graph.inputs[0].type
    siblings = build("nodes: {a: ReLU, b$(i): {op: ReLU, repeat: 0}, c: ReLU}")
    assert names(siblings) == ["a", "c"]
    assert sources(siblings, "c") == ["a"]


def test_a_repeated_block_of_several_inputs_chains_the_first() -> None:
    graph = build("""
blocks:
  step: {inputs: [state, memory], nodes: {out: {op: add, from: [state, memory]}}}
nodes:
  a: ReLU
  loop: {op: step, from: [a, x], repeat: 2}
""")
    loop = called(graph, "loop")
    assert loop.input_names == ("state", "memory")
    assert sources(loop, "1") == ["0", "memory"]


def test_if_per_turn_and_as_a_whole() -> None:
    graph = build("""
nodes:
  some: {op: ReLU, if: $(i != 1), repeat: 3}
  none: {op: ReLU, if: false, repeat: 3}
""")
    assert names(called(graph, "some")) == ["0", "1?", "1"]
    assert graph.by_name["none"].call is None


# -- blocks, params, defaults -------------------------------------------------------------------


def test_a_block_with_params_lets_and_rest() -> None:
    graph = build("""
params: {base: 2}
blocks:
  unit:
    params: {planes: int, act: ReLU, scale: 4}
    let: {width: $(planes * scale), half: $(width // base + input.channels)}
    rest: conv
    nodes:
      conv: {op: Conv2d, out_channels: $width, kernel_size: 3}
      act: {op: $act}
nodes:
  u: {op: unit, planes: 3, padding: 1}
  v: {op: unit, planes: 3, act: null}
""")
    block = called(graph, "u")
    assert [(v.kind, v.name, v.value) for v in block.variables] == [
        ("param", "planes", 3), ("param", "act", "ReLU"), ("param", "scale", 4),
        ("rest", "padding", 1), ("let", "width", 12), ("let", "half", 14),
    ]  # fmt: skip
    assert [(v.name, v.value) for v in block.outer] == [("base", 2)]
    passed = block.by_name["conv"].args["padding"]
    assert passed.value == 1
    assert passed.expr is not None
    assert expr.unparse(passed.expr) == "padding"
    assert list(graph.by_name["u"].args) == ["planes", "padding"]
    assert called(graph, "v").by_name["act"].call is None


def test_outer_names_reach_through_calls() -> None:
    graph = build("""
params: {deep: 3, unread: 4}
blocks:
  leaf: {nodes: {c: {op: Conv2d, out_channels: $deep, kernel_size: 1}}}
  mid: {nodes: {g: {nodes: {l: leaf}}}}
nodes: {m: mid}
outputs: m
""")
    for path in ("m", "m.g", "m.g.l"):
        assert [(v.name, v.value) for v in called(graph, path).outer] == [("deep", 3)]


def test_a_group_in_a_loop_reads_the_loop_from_around() -> None:
    graph = build("""
nodes:
  s: {repeat: 2, nodes: {c: {op: Conv2d, out_channels: $(i + 3), kernel_size: 1}}}
""")
    turns = called(graph, "s")
    assert [[v.name for v in called(turns, n).outer] for n in ("0", "1")] == [["i"], ["i"]]
    assert turns.outer == ()
    assert called(turns, "0").template == called(turns, "1").template


def test_equal_calls_share_one_graph() -> None:
    graph = build("""
blocks:
  unit: {params: {k: 3}, nodes: {c: {op: Conv2d, out_channels: 8, kernel_size: $k, padding: 1}}}
nodes:
  a: unit
  b: unit
  c: {op: unit, k: 3}
  d: {op: unit, k: 1}
  s: {op: unit, repeat: 3}
""")
    a, b, c, d = (called(graph, n) for n in "abcd")
    assert a is b is c
    assert d is not a
    assert len({id(called(graph, f"s.{n}")) for n in "012"}) == 1


def test_params_that_are_equal_but_not_the_same_are_told_apart() -> None:
    graph = build("""
blocks:
  unit: {params: {b: null}, nodes: {c: {op: Conv2d, out_channels: 8, kernel_size: 1, bias: $(b == True)}}}
nodes: {a: {op: unit, b: 1}, b: {op: unit, b: true}}
""")
    assert called(graph, "a") is not called(graph, "b")


def test_defaults_apply_unless_a_node_says_otherwise() -> None:
    graph = build("""
params: {rate: 0.3}
defaults:
  Conv2d: {bias: false, padding: 1}
  Dropout: {p: $rate}
  unit: {k: 3}
blocks:
  unit: {params: {k: 1}, nodes: {c: {op: Conv2d, out_channels: 8, kernel_size: $k}}}
nodes:
  a: {op: Conv2d, out_channels: 8, kernel_size: 3, padding: 0}
  u: unit
  d: Dropout
""")
    assert arg(graph, "a", "bias") is False
    assert arg(graph, "a", "padding") == 0
    assert arg(graph, "u", "k") == 3
    written = graph.by_name["d"].args["p"]
    assert written.value == 0.3
    assert written.expr is not None
    assert expr.unparse(written.expr) == "rate"


def test_params_are_overridden() -> None:
    text = 'params: {w: 4, layers: [1, 2]}\nnodes: {c: {op: Conv2d, out_channels: "$(w + layers[1])", kernel_size: 1}}'
    assert arg(build(text), "c", "out_channels") == 6
    assert arg(build(text, w=5, layers=[3, 4]), "c", "out_channels") == 9


# -- shapes and free dimensions -----------------------------------------------------------------


def test_sizes_replace_the_example() -> None:
    graph = build("nodes: {p: {op: MaxPool2d, kernel_size: 2}}", sizes={"H": 64, "N": 2})
    type_ = graph.by_name["p"].type
    assert isinstance(type_, Tensor)
    assert type_.shape == (2, 8, 32, 16)
    assert shown(graph, "p") == "N×8×⌊H/2⌋×⌊W/2⌋"


def test_a_later_probe_that_does_not_go_through_is_a_fact_about_the_range() -> None:
    graph = build("nodes: {g: {op: reshape, shape: [-1, 8192]}}")
    type_ = graph.by_name["g"].type
    assert isinstance(type_, Tensor)
    assert type_.shapes[:2] == ((1, 8192), (2, 8192))
    assert None in type_.shapes


def test_an_argument_of_a_function_may_read_a_free_dimension() -> None:
    graph = build("""
nodes:
  p: {op: MaxPool2d, kernel_size: 4}
  up: {op: interpolate, size: "$([x.height, x.width])"}
  flat: {op: reshape, shape: "$([x.shape[0], x.channels, -1])"}
""")
    assert graph.by_name["up"].args["size"].free
    assert shown(graph, "up") == "N×8×H×W"
    assert arg(graph, "up", "size") == (32, 32)
    assert shown(graph, "flat") == "N×8×H*W"


def test_inputs_with_expressions_and_ranges() -> None:
    graph = build(
        "params: {c: 3, s: 64}\ndims: {H: {multiple: 32, min: 64}}\nnodes: {a: ReLU}",
        "graphbuild: 1\nname: t\ninputs: {x: [N, $c, H=$s, 16]}\n",
    )
    assert graph.dims is not None
    assert [(d.name, d.example, d.multiple, d.min) for d in graph.dims.free] == [
        ("N", None, 1, 1), ("H", 64, 32, 64)
    ]  # fmt: skip
    sizes = graph.inputs[0].sizes
    assert [s and expr.unparse(s) for s in sizes] == [None, "c", None, "16"]


def test_expect_is_about_the_default_params() -> None:
    text = """
params: {w: 4}
nodes: {c: {op: Conv2d, out_channels: $w, kernel_size: 1}}
outputs: c
expect: {parameters: 36, outputs: {c: [N, 4, H, $(W)]}}
"""
    build(text)
    build(text, w=5)
    assert [f.code for f in findings(text.replace("36", "37"))] == ["E210"]


# -- findings -----------------------------------------------------------------------------------

# What is wrong (below HEAD, so the first line is 4), and every finding with its place.
FINDINGS: dict[str, tuple[str, list[tuple[str, int, int]]]] = {
    "unknown op": ("nodes: {a: Conv2}", [("E111", 4, 12)]),
    "unknown op in a block that nobody calls": (
        "blocks: {b: {nodes: {a: Conv2}}}\nnodes: {a: ReLU}",
        [("E111", 4, 25)],
    ),
    "unknown op by an expression": (
        "params: {act: ReLU}\n"
        "blocks: {b: {params: {act: op}, nodes: {a: {op: $act}}}}\n"
        "nodes: {a: {op: $act}, b: {op: b, act: Relu}}",
        [("E111", 6, 40)],
    ),
    "unknown argument, and the one it means is not missing": (
        "nodes: {a: {op: Conv2d, out_chanels: 8, kernel_size: 1}}",
        [("E112", 4, 25)],
    ),
    "missing argument": ("nodes: {a: {op: Conv2d, kernel_size: 1}}", [("E113", 4, 9)]),
    "wrong type": (
        "nodes: {a: {op: Conv2d, out_channels: big, kernel_size: 1}}",
        [("E114", 4, 39)],
    ),
    "out of range": (
        "nodes: {a: {op: Conv2d, out_channels: -1, kernel_size: 1}}",
        [("E115", 4, 39)],
    ),
    "several at once, and nothing that follows from them": (
        "nodes:\n"
        "  a: {op: Conv2d, kernel_size: 1}\n"
        "  b: BatchNorm2d\n"
        "  c: {op: Linear, out_features: q}\n"
        "  d: {op: add, from: [a, zz]}",
        [("E113", 5, 3), ("E114", 7, 33), ("E201", 8, 26)],
    ),
    "argument that the input contradicts": (
        "nodes: {a: {op: Conv2d, in_channels: 3, out_channels: 4, kernel_size: 1}}",
        [("E204", 4, 38)],
    ),
    "unbalanced expression": (
        "nodes: {a: {op: Conv2d, out_channels: $(3 * (4), kernel_size: 1}}",
        [("E122", 4, 39)],
    ),
    "bad expression": (
        "nodes: {a: {op: Conv2d, out_channels: $(3 +), kernel_size: 1}}",
        [("E121", 4, 43)],
    ),
    "undefined name": (
        "params: {width: 3}\n"
        "nodes: {a: {op: Conv2d, out_channels: $(2 * widht), kernel_size: $width}}",
        [("E123", 5, 45)],
    ),
    "expression that cannot be computed": (
        "nodes: {a: {op: Conv2d, out_channels: $(3 // 0), kernel_size: 1}}",
        [("E124", 4, 41)],
    ),
    "undefined reference": (
        "nodes: {conv: ReLU, b: {op: add, from: [x, cnov]}}",
        [("E201", 4, 44)],
    ),
    "undefined part": (
        "nodes: {c: {op: chunk, chunks: 2, dim: 1}, b: {op: ReLU, from: c.2}}",
        [("E201", 4, 64)],
    ),
    "part of a single tensor": ("nodes: {b: {op: ReLU, from: x.0}}", [("E201", 4, 29)]),
    "node around a group": (
        "nodes: {a: ReLU, g: {nodes: {b: {op: add, from: [input, a]}}}}",
        [("E201", 4, 57)],
    ),
    "undefined operand name": (
        "nodes: {a: {op: add, from: {inputt: x, other: x}}}",
        [("E201", 4, 29)],
    ),
    "undefined output": ("nodes: {a: ReLU}\noutputs: {a: a, b: q}", [("E201", 5, 20)]),
    "ambiguous first node": (
        "blocks: {b: {inputs: [p, q], nodes: {a: ReLU}}}\nnodes: {a: {op: b, from: [x, x]}}",
        [("E202", 4, 38)],
    ),
    "several values above": (
        "nodes: {g: {connect: parallel, nodes: {a: ReLU, b: Tanh}}, c: ReLU}",
        [("E202", 4, 60)],
    ),
    "several values into a block": (
        "blocks: {k: {nodes: {a: ReLU}}}\n"
        "nodes: {g: {connect: parallel, nodes: {a: ReLU, b: Tanh}}, c: k}",
        [("E202", 5, 60)],
    ),
    "cycle": (
        "nodes:\n  a: {op: add, from: [x, b]}\n  b: {op: ReLU, from: c}\n  c: {op: Tanh, from: a}",
        [("E203", 5, 3)],
    ),
    "cycle of one": ("nodes: {a: {op: add, from: [x, a]}}", [("E203", 4, 9)]),
    "cycle through a shape": (
        "nodes:\n  a: {op: Conv2d, out_channels: $(b.channels), kernel_size: 1}\n  b: ReLU",
        [("E203", 5, 3)],
    ),
    "shape mismatch": (
        "nodes:\n  a: {op: Conv2d, out_channels: 6, kernel_size: 1}\n  o: {op: add, from: [x, a]}",
        [("E204", 6, 3)],
    ),
    "shape mismatch on the edge": (
        "nodes:\n"
        "  a: {op: Conv2d, out_channels: 6, kernel_size: 1}\n"
        "  o: {op: ReLU, from: {add: [x, a]}}",
        [("E204", 6, 23)],
    ),
    "wrong number of inputs": (
        "nodes: {a: {op: ReLU, from: [x, x]}, b: {op: add, from: x}}",
        [("E205", 4, 9), ("E205", 4, 38)],
    ),
    "wrong number of inputs of a block": (
        "blocks: {b: {nodes: {a: ReLU}}}\nnodes: {a: {op: b, from: [x, x]}}",
        [("E205", 5, 9)],
    ),
    "wrong dtype": (
        "nodes: {a: {op: Embedding, num_embeddings: 4, embedding_dim: 4}}",
        [("E206", 4, 9)],
    ),
    "shape that the op cannot take": (
        "nodes: {a: {op: Conv2d, out_channels: 4, kernel_size: 99}}",
        [("E207", 4, 9)],
    ),
    "linear over free sizes": (
        "nodes: {f: {op: flatten, start_dim: 1}, l: {op: Linear, out_features: 3}}",
        [("E208", 4, 41)],
    ),
    "layer over a free size": (
        "nodes: {a: {op: Conv2d, out_channels: $(x.height), kernel_size: 1}}",
        [("E208", 4, 39)],
    ),
    "if over a free size": ("nodes: {a: {op: ReLU, if: $(x.height > 3)}}", [("E208", 4, 27)]),
    "repeat over a free size": ("nodes: {a: {op: ReLU, repeat: $(x.height)}}", [("E208", 4, 31)]),
    "block over a free size": (
        "blocks: {b: {params: {k: int}, nodes: {a: {op: Conv2d, out_channels: $k, kernel_size: 1}}}}\n"
        "nodes: {a: {op: b, k: $(x.width)}}",
        [("E208", 5, 23)],
    ),
    "expectations": (
        "nodes: {a: {op: Conv2d, out_channels: 4, kernel_size: 1}}\n"
        "expect: {parameters: 35, outputs: {a: [N, 5, H, W], b: [N]}}",
        [("E210", 5, 22), ("E210", 5, 39), ("E210", 5, 53)],
    ),
    "block in itself": (
        "blocks:\n  a: {nodes: {n: b}}\n  b: {nodes: {n: a}}\nnodes: {n: a}",
        [("E211", 6, 15)],
    ),
    "block in itself by a param, and built before": (
        "blocks:\n  a: {params: {k: op}, nodes: [{op: $k}]}\n  b: {nodes: {n: {op: a, k: ReLU}}}\n"
        "connect: parallel\nnodes: {n: b, m: {op: a, k: b}}",
        [("E211", 5, 32)],
    ),
    "rules of initialisation": (
        "nodes: {c: {op: Conv2d, out_channels: 4, kernel_size: 1}, r: ReLU}\n"
        "init:\n"
        "  - {match: Conv, weight: ones}\n"
        "  - {match: ReLU, weight: ones}\n"
        "  - {match: Conv2d, wieght: ones, bias: zeroes}\n"
        "  - {match: d.*, weight: ones}\n"
        "  - {match: c, weight: {op: constant}, bias: {op: normal, sdt: 1}}\n"
        "  - {match: c, weight: {op: kaiming_normal, mode: fan_uot, a: x}}",
        [
            ("E212", 6, 13),
            ("E212", 7, 13),
            ("E212", 8, 21),
            ("E212", 8, 41),
            ("E212", 9, 13),
            ("E212", 10, 29),
            ("E212", 10, 59),
            ("E212", 11, 51),
            ("E212", 11, 63),
        ],
    ),
    "unused": (
        "params: {p: 1, q: 2}\n"
        "blocks:\n"
        "  used: {params: {r: 1}, nodes: {a: ReLU, b: {op: ReLU, from: input}}}\n"
        "  lone: {nodes: {a: ReLU}}\n"
        "nodes: {a: used, b: {op: Dropout, p: $(q - q)}}",
        [("W302", 4, 10), ("W302", 6, 19), ("W301", 6, 34), ("W302", 7, 3)],
    ),
    "hidden": (
        "params: {p: 0.5}\n"
        "blocks: {b: {params: {p: 0.1}, nodes: {a: {op: ELU, alpha: $p}}},\n"
        "  c: {let: {p: 0.2}, nodes: {a: {op: ELU, alpha: $p}}}}\n"
        "nodes: {a: {op: b, p: $p}, b: c, c: {op: ELU, alpha: $p, repeat: {p: [0.1]}}}",
        [("W303", 6, 13), ("W303", 7, 66)],
    ),
    "repetitions": (
        "nodes:\n"
        "  a: {op: ReLU, repeat: -1}\n"
        "  b: {op: ReLU, repeat: {k: [1, 2], l: 3}}\n"
        "  c: {op: ReLU, repeat: 1.5}\n"
        "  d: {op: ReLU, repeat: 1000000}\n"
        "  e: {op: ReLU, repeat: '$([1, 2])'}",
        [("E124", 5, 25), ("E103", 6, 25), ("E103", 7, 25), ("E124", 8, 25), ("E103", 9, 25)],
    ),
    "names of siblings": (
        "nodes:\n  a$(0): {op: ReLU, repeat: 2}\n  b$('.'): ReLU\n  c$(q): ReLU",
        [("E106", 5, 3), ("E104", 6, 3), ("E123", 7, 6)],
    ),
    "dims": ("dims: {H: {min: 64}}\nnodes: {a: ReLU}", [("E103", 3, 20)]),
    "defaults": (
        "defaults: {Conv2: {bias: false}, Conv2d: {bais: false, kernel_size: $k}}\n"
        "nodes: {a: ReLU}",
        [("E111", 4, 12), ("E112", 4, 43), ("E123", 4, 70)],
    ),
    "rest": (
        "blocks: {b: {rest: c, nodes: {c: {op: Conv2d, bias: false}}}}\n"
        "nodes:\n"
        "  a: {op: b, out_channels: 8, kernel_size: 1, bias: true}\n"
        "  b: {op: b, out_channels: 8, kernel_sise: 1, from: x}\n"
        "  c: {op: b, out_channels: 8, from: x}",
        [("E113", 4, 31), ("E112", 6, 47), ("E112", 7, 31)],
    ),
    "rest to nobody": (
        "blocks: {b: {rest: d, nodes: {c: ReLU}}}\nnodes: {a: b}",
        [("E201", 4, 20)],
    ),
    "args of a block": (
        "blocks: {b: {params: {k: int, act: op, s: 1}, nodes: {c: {op: MaxPool2d, kernel_size: $k, stride: $s}, a: {op: $act}}}}\n"
        "nodes:\n"
        "  a: {op: b, kk: 3, act: ReLU}\n"
        "  b: {op: b, k: 1.5, act: Relu, s: x, from: x}",
        [("E112", 6, 14), ("E114", 7, 17), ("E111", 7, 27), ("E114", 7, 36)],
    ),
    "if with a text": ("nodes: {a: {op: ReLU, if: maybe}}", [("E103", 4, 27)]),
    "let over a free size": (
        "blocks: {b: {let: {h: $(input.height)}, nodes: {a: {op: Dropout, p: $(1 / h)}}}}\n"
        "nodes: {a: b}",
        [("E208", 4, 23)],
    ),
    "outputs of a block": (
        "blocks: {b: {nodes: {a: ReLU}, outputs: q}}\nnodes: {a: b, c: ReLU}",
        [("E201", 4, 41)],
    ),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_findings_and_their_places(name: str) -> None:
    text, expected = FINDINGS[name]
    assert [(f.code, *f.place[1:]) for f in findings(text)] == expected


def only(text: str, **params: Any) -> Finding:
    """The one error of a spec."""
    (found,) = [f for f in findings(text, **params) if f.is_error]
    return found


def test_a_shape_mismatch_names_both_sides_and_what_would_mend_it() -> None:
    found = only("""
blocks:
  bottleneck:
    params: {planes: int, stride: 1}
    nodes:
      bn3: {op: Conv2d, out_channels: $(planes * 4), kernel_size: 1, stride: $stride}
      downsample:
        from: input
        if: $(stride != 1 or input.channels != planes * 4)
        nodes:
          - {op: Conv2d, out_channels: $(planes * 2), kernel_size: 1, stride: $stride}
          - BatchNorm2d
      out: {op: add, from: [bn3, downsample]}
nodes:
  layer1: {op: bottleneck, planes: 64, repeat: 2}
  layer2: {op: bottleneck, planes: 128, stride: 2}
""")
    assert str(found).splitlines() == [
        "t.yaml:16:7: E204 shape mismatch in add node 'layer1.0.out'",
        "   16 |       out: {op: add, from: [bn3, downsample]}",
        "      |       ^^^",
        "  bn3         N×256×H×W  (t.yaml:9)",
        "  downsample  N×128×H×W  (t.yaml:10)",
        "  reached from layer1.0  (t.yaml:18)",
        "  sizes differ in dimension 1 (256 and 128); did you mean out_channels: 256 in downsample.0?",
    ]


def test_a_finding_in_a_block_is_told_once_with_its_calls() -> None:
    found = only("""
blocks:
  inner: {params: {k: int}, nodes: {c: {op: Conv2d, out_channels: $k, kernel_size: 99}}}
  outer: {params: {k: 1}, nodes: {i: {op: inner, k: $k}}}
nodes:
  a: {op: outer, k: 3}
  b: {op: outer, k: 5, from: x}
""")
    assert found.code == "E207"
    assert "'a.i.c'" in found.message
    places = [(n.message, n.span.line if n.span else 0) for n in found.notes]
    assert places[1:] == [("reached from a.i", 7), ("reached from a", 9)]


def test_a_free_size_says_what_would_fix_it() -> None:
    found = only("nodes: {f: {op: flatten, start_dim: 1}, l: {op: Linear, out_features: 3}}")
    assert found.suggestion is not None
    assert "AdaptiveAvgPool2d" in found.suggestion
    assert "32 for H, 32 for W" in found.suggestion


def test_suggestions() -> None:
    assert only("nodes: {a: {op: Conv2D, out_channels: 1}}").suggestion == "did you mean 'Conv2d'?"
    meant = next(
        f for f in findings("nodes: {a: {op: conv2d, out_channels: 1}}") if f.code == "E112"
    )
    assert meant.suggestion == "did you mean the layer Conv2d?"
    assert only("nodes: {conv: ReLU, b: {op: add, from: [x, cnov]}}").suggestion == (
        "did you mean 'conv'?"
    )
    hidden = only("nodes: {a: ReLU, g: {nodes: {b: {op: add, from: [input, a]}}}}")
    assert hidden.suggestion == "a group sees no nodes around it; give it 'a' with `from`"


@pytest.mark.parametrize(
    ("params", "code", "suggestion"),
    [
        ({"widht": 3}, "E101", "did you mean 'width'?"),
        ({"width": 3.5}, "E103", None),
        ({"width": True}, "E103", None),
        ({"layers": 3}, "E103", None),
        ({"act": "Relu"}, "E103", "did you mean 'ReLU'?"),
    ],
)
def test_params_that_do_not_fit(
    params: dict[str, object], code: str, suggestion: str | None
) -> None:
    text = """
params: {width: 4, layers: [1], act: ReLU, rate: 0.5}
nodes:
  c: {op: Conv2d, out_channels: "$(width + layers[0])", kernel_size: 1}
  a: {op: $act}
  d: {op: Dropout, p: $rate}
"""
    found = only(text, **params)
    assert (found.code, found.suggestion) == (code, suggestion)
    build(text, rate=0, act=None)


def test_a_size_that_no_input_has() -> None:
    with pytest.raises(SpecError, match="no input has a free dimension 'K'"):
        elaborate(spec("nodes: {a: ReLU}"), {}, {"K": 3})


def test_blocks_that_multiply_without_end() -> None:
    blocks = "".join(f"  b{i}: {{nodes: {{p: b{i - 1}, q: b{i - 1}}}}}\n" for i in range(1, 40))
    found = only(f"blocks:\n  b0: {{nodes: {{a: ReLU}}}}\n{blocks}nodes: {{n: b39}}")
    assert found.code == "E004"


def test_scopes_that_nest_without_end() -> None:
    blocks = "".join(f"  b{i}: {{nodes: {{p: b{i - 1}}}}}\n" for i in range(1, 300))
    found = only(f"blocks:\n  b0: {{nodes: {{a: ReLU}}}}\n{blocks}nodes: {{n: b299}}")
    assert found.code == "E004"


def test_too_many_nodes_and_what_to_do() -> None:
    written = "nodes:\n" + "".join(f"  n{i}: ReLU\n" for i in range(12_001))
    with pytest.raises(SpecError, match=r"more than 12,000 nodes(.|\n)*in a block or"):
        spec(written)
    conv = "{op: Conv2d, out_channels: $p, kernel_size: 1}"
    block = f"{{params: {{p: int}}, nodes: {{a: {conv}, b: ReLU}}}}"
    found = only(f"blocks: {{b: {block}}}\nnodes: {{n: {{op: b, p: $(i + 1), repeat: 6000}}}}")
    assert (found.code, found.suggestion) == (
        "E004",
        "calls of a block with equal params, on equal shapes, count once",
    )


def test_a_spec_elaborates_alike_whatever_was_elaborated_before() -> None:
    from graphbuild.ir_text import show

    text = spec("params: {w: 4}\nnodes: {c: {op: Conv2d, out_channels: $w, kernel_size: 1}}")
    first = show(elaborate(text))
    elaborate(text, {"w": 6})
    assert show(elaborate(text)) == first


# -- larger shapes of graph ---------------------------------------------------------------------


def test_names_on_edges_may_be_computed() -> None:
    graph = build("""
nodes:
  down$(i): {op: Conv2d, out_channels: $(4 * 2 ** i), kernel_size: 1, repeat: 3}
  up$(i): {op: Sigmoid, from: {concat: ["down$(2 - i)", x], dim: 1}, repeat: 3}
  out: {op: concat, dim: 1, from: [up0, up1, up2]}
""")
    assert [sources(graph, f"up{i}.from") for i in range(3)] == [
        ["down2", "x"],
        ["down1", "x"],
        ["down0", "x"],
    ]
    assert shown(graph, "out") == "N×52×H×W"


def test_values_inside_of_values() -> None:
    graph = build(
        """
nodes:
  rnn: {op: LSTM, hidden_size: 6, batch_first: true}
  a: {op: Linear, out_features: 3, from: rnn.output}
  c: {op: Linear, out_features: 3, from: rnn.state.1}
outputs: {a: a, c: c}
""",
        "graphbuild: 1\nname: t\ninputs: {x: [N, T=5, 8]}\n",
    )
    assert sources(graph, "c") == ["rnn.1.1"]
    assert shown(graph, "a") == "N×T×3"
    assert shown(graph, "c") == "1×N×3"


def test_a_group_may_declare_inputs() -> None:
    graph = build("""
nodes:
  r: ReLU
  g:
    doc: the difference
    inputs: [left, right]
    from: {right: x, left: r}
    nodes: {s: {op: sub, from: [left, right]}}
    repeat: 2
""")
    loop = called(graph, "g")
    assert sources(graph, "g") == ["r", "x"]
    assert sources(loop, "1") == ["0", "right"]
    assert called(loop, "0").doc == "the difference"


def test_numbers_stand_for_operands() -> None:
    graph = build("nodes: {m: {op: mul, other: 2.5}, p: {op: pow, exponent: 2}}")
    assert arg(graph, "m", "other") == 2.5


def test_a_wrong_default_is_told_once() -> None:
    found = findings("""
defaults: {Conv2d: {kernel_size: $k}}
nodes: {a: {op: Conv2d, out_channels: 4}, b: {op: Conv2d, out_channels: 4}}
""")
    assert [f.code for f in found] == ["E123"]


def test_the_ir_as_text() -> None:
    from graphbuild.ir_text import show

    graph = build("""
params: {w: 4}
nodes:
  g: {nodes: [{op: Conv2d, out_channels: $w, kernel_size: 1}, {op: ReLU, if: false}]}
  flat: {op: reshape, shape: "$([x.shape[0], -1])"}
""")
    assert show(graph).splitlines() == [
        "spec t",
        "  dim N",
        "  dim H=32",
        "  dim W=32",
        "  param w = 4",
        "  x: float32 N×8×H×W",
        "  g = g#1(x) -> N×4×H×W",
        "  flat = reshape(g) shape=(1, -1){(x.shape[0], -1)}! -> N×H*W*4",
        "  return flat",
        "",
        "group g#1 from 7:6 (list)",
        "  outer w = 4",
        "  input: float32 N×8×H×W",
        "  0 = Conv2d(input) in_channels~8 out_channels=4{w} kernel_size=1 -> N×4×H×W",
        "  1? = absent(0) if False -> N×4×H×W",
        "  return 1?",
    ]


@pytest.mark.parametrize("name", ["densenet121", "googlenet", "resnet50"])
def test_calls_that_reuse_an_earlier_one_give_what_a_whole_elaboration_gives(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reused = elaborate(read(name))
    verify(reused)
    asked: list[object] = []
    monkeypatch.setattr(alike, "again", lambda *a: asked.append(a))
    assert show(elaborate(read(name))) == show(reused)
    assert bool(asked) == (name == "densenet121")  # the others' blocks read shapes or pass on


def test_a_call_that_an_earlier_one_does_not_fit_is_told_as_any_other() -> None:
    text = """
        graphbuild: 1
        inputs: {x: [N, 4, 8, 8]}
        blocks: {half: {nodes: {p: {op: MaxPool2d, kernel_size: 2}}}}
        nodes: {a: half, b: half, c: half, d: half}
    """
    with pytest.raises(SpecError) as error:
        elaborate(read_text(dedent(text)))
    (finding,) = error.value.findings
    assert finding.code == "E207"
    assert "reached from d" in str(finding)
