"""Nothing in a picture stands in the way of another thing."""

from __future__ import annotations

import pytest
from command import BUNDLED
from geometry import Layout, drift
from test_diff import PAIRS

import graphbuild

# From left to right, names of clusters stand where edges may leave upwards.
STRUCK = {
    "deeplabv3_resnet50": {
        "the name 'stage' is struck through",
        "the name 'convs' is struck through",
    },
    "mixture_of_experts": {"the name 'expert' is struck through"},
    "mobilenet_v3_small": {"the name '3' is struck through", "the name '8' is struck through"},
}


def laid(name: str, **options: object) -> Layout:
    graph = graphbuild.elaborate(graphbuild.read(name))
    return Layout(graphbuild.render(graph, **options).content)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", BUNDLED)
def test_nothing_overlaps(name: str) -> None:
    assert list(laid(name).faults()) == []
    assert set(laid(name, direction="LR").faults()) <= STRUCK.get(name, set())


def test_faults_are_seen() -> None:
    """Labels that were not laid out with the rest do stand in the way."""
    graph = graphbuild.elaborate(graphbuild.read("lenet5"))
    text = graphbuild.render(graph).text
    assert not list(Layout(text.encode()).faults())
    moved = text.replace('text-anchor="middle" x="', 'text-anchor="middle" x="-')
    assert len(list(Layout(moved.encode()).faults())) > 5


@pytest.mark.parametrize("name", ["densenet121", "resnet50", "vgg16", "swin_t", "lenet5"])
def test_a_chain_is_drawn_straight(name: str) -> None:
    assert drift(laid(name)) < 0.5


@pytest.mark.parametrize("path", ["features.denseblock1", "features.denseblock1.denselayer2"])
def test_nothing_overlaps_where_a_bus_is_drawn(path: str) -> None:
    for direction in ("TB", "LR"):
        assert list(laid("densenet121", expand=[path], direction=direction).faults()) == []


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_nothing_overlaps_in_a_difference(one: str, other: str) -> None:
    graphs = [graphbuild.elaborate(graphbuild.read(name)) for name in (one, other)]
    for direction in ("TB", "LR"):
        drawn = graphbuild.render(graphbuild.diff(*graphs), direction=direction)  # type: ignore[arg-type]
        assert list(Layout(drawn.content).faults()) == []
