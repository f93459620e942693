"""Every kind of benchmark runs; what it shows is not looked at here."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmarks.cli import every, run
from benchmarks.contest import processor
from benchmarks.memory import LiveBytes, peak

ONE_OF_EACH = [
    "forward/resnet18/32",
    "step/resnet18/32",
    "memory/alexnet/eval",
    "memory/alexnet/train",
    "construct/resnet50",
    "construct/resnet50/undrawn",
    "process/--help",
    "nodes/check/calls",
    "nodes/emit/calls",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_it_runs(name: str) -> None:
    (benchmark,) = (b for b in every() if b.name == name)
    (result,) = run([benchmark], 1, clock=processor, progress=False)
    assert result.ours > 0
    assert result.theirs > 0


def test_bytes_are_counted_while_they_live() -> None:
    known = torch.zeros(1000)
    with LiveBytes([known]) as count:
        known.add_(1)
        first = known + 1
        second = first.view(10, 100)  # shares the storage
        assert count.live == 4000
        del first
        assert count.live == 4000
        del second
        assert count.live == 0
    assert count.peak == 4000


def test_what_the_backward_pass_needs_counts() -> None:
    layers = nn.Sequential(*(nn.Sigmoid() for _ in range(5)))
    image = torch.zeros(25, requires_grad=True)
    assert peak(layers, image) == 5 * 100
    with torch.no_grad():
        assert peak(layers, image) == 2 * 100
