"""Layers of torchvision, which the source that uses one imports."""

from __future__ import annotations

from graphbuild.ops.base import Argument, Op
from graphbuild.ops.rules import same

OPS = [
    Op(
        "StochasticDepth",
        "torchvision.ops.StochasticDepth",
        (Argument("p", "Probability"), Argument("mode", "Literal['batch', 'row']")),
        same,
        "In training sets whole samples (or the whole batch) to 0 at random, the others grow.",
        positional=2,
        aliases=True,
    ),
]
