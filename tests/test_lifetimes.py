"""A value is freed after its last use, as in `forward` written with care."""

from __future__ import annotations

import weakref

import torch
from torch import Tensor, nn

import graphbuild

SPEC = {
    "graphbuild": 1,
    "name": "net",
    "inputs": {"image": ["N", 3, "H=8", "W=8"]},
    "nodes": {
        "stem": {"op": "Conv2d", "out_channels": 4, "kernel_size": 1},
        "left": {"op": "Conv2d", "from": "stem", "out_channels": 4, "kernel_size": 1},
        "right": {"op": "Conv2d", "from": "stem", "out_channels": 4, "kernel_size": 1},
        "both": {"op": "mul", "from": ["left", "right"]},
        "sides": {
            "connect": "parallel",
            "nodes": {"a": "Sigmoid", "b": "Tanh"},
        },
        "joined": {"op": "concat", "dim": 1},
        "neck": {"op": "Conv2d", "out_channels": 4, "kernel_size": 1},
        "head": {"op": "Conv2d", "out_channels": 4, "kernel_size": 1},
    },
}


def test_values_die_after_their_last_use() -> None:
    model = graphbuild.compile(SPEC)
    made: dict[str, weakref.ref[Tensor]] = {}
    alive: dict[str, set[str]] = {}

    def before(name: str) -> None:
        alive[name] = {other for other, value in made.items() if value() is not None}

    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Sigmoid | nn.Tanh):
            layer.register_forward_pre_hook(lambda *_, name=name: before(name))
            layer.register_forward_hook(
                lambda _m, _i, out, name=name: made.update({name: weakref.ref(out)})
            )
    with torch.no_grad():
        model(torch.randn(2, 3, 8, 8))
    assert alive["right"] == {"stem", "left"}
    assert alive["sides.a"] == set()  # left and right are in the product, stem is done with
    assert alive["neck"] == set()  # the sides are in the concat
    assert alive["head"] <= {"neck"}
