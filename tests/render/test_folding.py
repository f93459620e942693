"""What is visible: every node once, no more than fits, and joined as the graph is."""

from __future__ import annotations

from functools import cache

import pytest
from command import BUNDLED
from flow import absent, expected, ops, place, shown
from hypothesis import HealthCheck, given, settings
from specgen import specs

import graphbuild
from graphbuild.ir import Graph
from graphbuild.read import read_text
from graphbuild.render.boxes import Picture
from graphbuild.render.fold import LIMIT, Folding, Item, fold
from graphbuild.render.picture import picture

FOLDINGS = {
    "usual": Folding(),
    "depth 1": Folding(depth=1),
    "depth 2": Folding(depth=2),
    "depth 4": Folding(depth=4),
    "small": Folding(limit=12),
    "large": Folding(limit=150),
    "full": Folding(full=True),
}


@cache
def elaborated(name: str) -> Graph:
    return graphbuild.elaborate(graphbuild.read(name))


def build(text: str, inputs: str = "image: [N, 3, H=32, W=32]") -> Graph:
    head = f"graphbuild: 1\nname: test\ninputs: {{{inputs}}}\n"
    return graphbuild.elaborate(read_text(head + text))


def drawn(name: str, **folding: object) -> Picture:
    return picture(elaborated(name), Folding(**folding))  # type: ignore[arg-type]


def by_path(what: Picture) -> dict[str, object]:
    return {box.path: box for box in what.boxes}


# -- what holds for every graph -----------------------------------------------------------------


def covers_each_once(view: Item) -> None:
    """Every present node of an open scope belongs to one item of it."""
    assert view.inside is not None
    held = [node.name for item in view.items for node in item.part.nodes]
    assert sorted(held) == sorted(n.name for n in view.inside.nodes if not absent(n))
    for item in view.items:
        if item.open:
            covers_each_once(item)


@pytest.mark.parametrize("folding", FOLDINGS.values(), ids=FOLDINGS)
@pytest.mark.parametrize("name", BUNDLED)
def test_every_node_is_inside_one_visible_box(name: str, folding: Folding) -> None:
    graph = elaborated(name)
    view = fold(graph, folding)
    if not any(item.part.form == "stretch" for item in view.leaves()):
        covers_each_once(view)
    visible = {id(item) for item in view.leaves()}
    assert all(id(place(view, path)[0]) in visible for path in ops(graph))


@pytest.mark.parametrize("folding", FOLDINGS.values(), ids=FOLDINGS)
@pytest.mark.parametrize("name", BUNDLED)
def test_edges_are_those_of_the_ops(name: str, folding: Folding) -> None:
    graph = elaborated(name)
    view = fold(graph, folding)
    assert shown(view) == expected(graph, view)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=specs())
def test_edges_of_random_specs(text: str) -> None:
    try:
        graph = graphbuild.elaborate(read_text(f"graphbuild: 1\nname: random\n{text}"))
    except graphbuild.SpecError:
        return
    for folding in (Folding(), Folding(limit=6), Folding(depth=2), Folding(full=True)):
        view = fold(graph, folding)
        assert shown(view) == expected(graph, view)
        assert_totals_hold(graph, picture(graph, folding))


def test_nothing_leads_to_itself() -> None:
    """Through an absent node one end of a stretch comes from the other."""
    layer, absent = {"op": "Linear", "out_features": 4}, {"op": "ReLU", "if": False}
    nodes = {f"n{i}": absent if i % 2 else layer for i in range(40)}
    data = {"graphbuild": 1, "name": "x", "inputs": {"x": ["N", 4]}, "nodes": nodes}
    what = picture(graphbuild.elaborate(graphbuild.read(data)), Folding(limit=6))
    assert any(box.title.endswith("nodes") for box in what.boxes)
    assert not [link for link in what.links if link.tail == link.head]


def assert_totals_hold(graph: Graph, what: Picture) -> None:
    totals = graphbuild.summary(graph)
    params = sum(box.cost.params * box.copies for box in what.boxes)
    macs = sum(box.cost.macs * box.copies * box.applied for box in what.boxes)
    assert params == totals.totals.parameters
    # of a choice, each way is told what it costs, and the total counts the dearest
    routed = "routing" in {box.kind for box in what.boxes if not box.cost.params}
    assert macs >= totals.totals.macs if routed else macs == totals.totals.macs


@pytest.mark.parametrize("folding", FOLDINGS.values(), ids=FOLDINGS)
@pytest.mark.parametrize("name", BUNDLED)
def test_totals_never_change(name: str, folding: Folding) -> None:
    graph = elaborated(name)
    what = picture(graph, folding)
    assert_totals_hold(graph, what)
    assert what.totals == picture(graph, Folding()).totals


@pytest.mark.parametrize("name", BUNDLED)
def test_about_forty_are_visible(name: str) -> None:
    assert len(drawn(name).boxes) <= LIMIT


@pytest.mark.parametrize("name", BUNDLED)
def test_full_shows_every_op(name: str) -> None:
    graph = elaborated(name)
    view = fold(graph, Folding(full=True))
    inner = [i for i in view.leaves() if i.part.nodes and not i.node.shared]
    assert all(item.part.form == "call" for item in inner)
    if not any(item.part.nodes and item.node.shared for item in view.leaves()):
        assert {item.path for item in inner} == {path.replace("/", ".") for path in ops(graph)}


# -- what reads as one --------------------------------------------------------------------------


def test_a_repetition_is_one_box_also_where_channels_grow() -> None:
    boxes = by_path(drawn("densenet121"))
    box = boxes["features.denseblock1.denselayer1"]
    assert (box.title, box.turns) == ("dense layer", 6)
    assert box.rows[0] == "64→256 ch, +32 each"
    assert box.rows[1].startswith("denseblock1 · 335k params")


def test_equal_turns_are_drawn_once_others_apart() -> None:
    what = drawn("resnet50")
    found = {box.path: (box.title, box.turns) for box in what.boxes if "layer3" in box.path}
    assert found == {"layer3.0": ("bottleneck", 1), "layer3.1": ("bottleneck", 5)}
    open_ = drawn("resnet50", expand=("layer3.2",))
    assert "layer3.1.conv2" in by_path(open_)
    assert by_path(open_)["layer3.1.conv2"].copies == 5


def test_a_chain_reads_as_one() -> None:
    boxes = by_path(drawn("densenet121"))
    assert boxes["features.conv0"].title == "Conv2d · BatchNorm · ReLU"
    assert boxes["features.conv0"].rows[0] == "7×7 /2, 64"
    assert boxes["features.transition1.norm"].title == "BatchNorm · ReLU · Conv2d"


def test_a_chain_ends_where_another_reads_along() -> None:
    graph = build(
        "nodes:\n"
        "  conv: {op: Conv2d, out_channels: 8, kernel_size: 1}\n"
        "  norm: BatchNorm2d\n"
        "  relu: ReLU\n"
        "  sum: {op: add, from: [relu, norm]}\n"
    )
    assert [b.title for b in picture(graph, Folding()).boxes][1:4] == [
        "Conv2d · BatchNorm",
        "ReLU",
        "+",
    ]


def test_a_long_row_of_layers_is_told_in_stretches() -> None:
    lines = "".join(f"  fc{i}: {{op: Linear, out_features: {i + 1}}}\n" for i in range(300))
    what = picture(build(f"nodes:\n{lines}", "x: [N, 4]"), Folding())
    assert len(what.boxes) == LIMIT
    assert what.boxes[1].title == "7 nodes"


# -- dense connections --------------------------------------------------------------------------


def test_dense_connections_are_a_bus() -> None:
    what = drawn("densenet121", expand=("features.denseblock2",))
    bars = [box for box in what.boxes if box.form == "bar"]
    assert len(bars) == 12
    assert len({box.group for box in bars}) == 1  # in a straight line
    ids = {box.id for box in bars}
    inside = [box for box in what.boxes if box.path.startswith("features.denseblock2.")]
    layers = {box.id for box in inside} - ids
    assert len(layers) >= 12
    bus = [link for link in what.links if link.style == "bus"]
    assert len(bus) == len(bars)
    for id_ in layers:
        touching = [k for k in what.links if id_ in (k.tail, k.head) and {k.tail, k.head} & ids]
        assert len(touching) <= 2


# -- what is asked for --------------------------------------------------------------------------


def test_expand_opens_what_is_named_and_what_it_lies_in() -> None:
    boxes = by_path(drawn("resnet50", expand=("layer2.1",), limit=5))
    assert "layer2.1.conv1" in boxes
    assert "layer3" in {path.split(".")[0] for path in boxes}


def test_collapse_keeps_closed() -> None:
    what = drawn("densenet121", collapse=("features",))
    assert "features" in by_path(what)
    assert len(what.boxes) == 7


def test_depth_opens_levels() -> None:
    assert "features" in by_path(drawn("densenet121", depth=1))
    assert "features.denseblock1" in by_path(drawn("densenet121", depth=2))
    assert "features.denseblock1.denselayer1" in by_path(drawn("densenet121", depth=3))
    assert "features.denseblock1.denselayer2.norm1" in by_path(drawn("densenet121", depth=4))


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("features.densblock2", "did you mean 'denseblock2'?"),
        ("relu", "has nothing to open at 'relu'"),
        ("nowhere.at.all", "there are features"),
    ],
)
def test_a_path_that_is_none_is_told(path: str, hint: str) -> None:
    with pytest.raises(LookupError, match="densenet121") as error:
        drawn("densenet121", expand=(path,))
    assert hint in str(error.value)


# -- absence, choice ----------------------------------------------------------------------------


def test_what_is_absent_hands_through() -> None:
    graph = build(
        "nodes:\n"
        "  conv: {op: Conv2d, out_channels: 8, kernel_size: 1}\n"
        "  shortcut: {op: Conv2d, if: $(1 > 2), out_channels: 8, kernel_size: 1, from: conv}\n"
        "  sum: {op: add, from: [conv, shortcut]}\n"
    )
    what = picture(graph, Folding())
    assert [box.path for box in what.boxes] == ["image", "conv", "sum", "sum"]
    assert [(k.tail, k.head) for k in what.links].count(("n1", "n2")) == 2


def test_every_case_is_shown_with_its_name() -> None:
    what = drawn("conditional_depth_switch")
    assert {k.label for k in what.links if k.style == "case"} == {"true", "false"}
    assert len([k for k in what.links if k.style == "control"]) == 1
    assert len({k.label for k in drawn("mixture_of_experts").links if k.style == "case"}) == 8


def test_what_is_there_in_one_mode_is_marked() -> None:
    what = drawn("googlenet")
    marked = [i for i in what.root.inside if not isinstance(i, str) and i.mode == "training"]
    assert [cluster.title for cluster in marked] == ["aux1", "aux2"]


# -- the same weights again -------------------------------------------------------------------------

WEIGHTS = """\
graphbuild: 1
name: net
inputs: {left: [N, 8], right: [N, 8]}
blocks:
  tower: {nodes: {fc: {op: Linear, out_features: 8}, act: ReLU}}
nodes:
  one: {op: tower, from: left}
  two: {share: one, from: right}
  sum: {op: add, from: [one, two]}
  again: {op: Linear, out_features: 8, repeat: 3, share: true}
  copies: {op: Linear, out_features: 8, repeat: 3}
  tied: {op: Linear, out_features: 8, tie: {weight: again.weight}}
  each: {op: Linear, out_features: 8, repeat: 3, tie: {weight: again.weight, bias: again.bias}}
"""


def test_weights_that_are_applied_again_look_other_than_copies() -> None:
    what = picture(graphbuild.elaborate(read_text(WEIGHTS, "net.yaml")), Folding())
    boxes = {box.path: box for box in what.boxes if box.form == "card"}
    told = {path: (box.badge, box.again, box.turns) for path, box in boxes.items()}
    assert told == {
        "one.fc": ("weights A", False, 1),
        "two": ("weights A", True, 1),
        "again": ("weights B, each time", False, 3),
        "copies.0": ("", False, 3),
        "tied": ("weights B", False, 1),
        "each.0": ("weights B", False, 3),
    }
    ids = {box.id: box.path for box in what.boxes}
    dotted = [(li.style, ids[li.tail], ids[li.head]) for li in what.links if "ed" in li.style]
    assert dotted == [  # one line each, whatever the number of turns and parameters
        ("shared", "one.fc", "two"),
        ("tied", "again", "tied"),
        ("tied", "again", "each.0"),
    ]
    assert what.marks == ("shared", "tied")
    assert boxes["again"].cost.params == 72  # counted once
    assert boxes["copies.0"].cost.params == 72  # of one of three


def test_weights_of_a_group_with_nothing_in_it_are_not_drawn() -> None:
    text = (
        "graphbuild: 1\nname: net\ninputs: {x: [N, 6]}\nblocks:\n"
        "  b: {connect: dense, nodes: {d: {op: Linear, out_features: 2, if: false}}}\nnodes:\n"
        "  one: {nodes: {i: b, k: b}}\n  two: {share: one, from: x}\noutputs: [one, two]\n"
    )
    what = picture(graphbuild.elaborate(read_text(text, "net.yaml")), Folding())
    assert [link.style for link in what.links if link.style != "data"] == []
