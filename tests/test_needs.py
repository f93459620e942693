"""What initialisers are said to need is what torch's own need."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from graphbuild.elaborate.initialisers import KNOWN
from graphbuild.elaborate.needs import out_of_range, unmet
from graphbuild.ir import Arg, Initializer

SHAPES = [(6, 4, 3, 2, 2, 1)[:rank] for rank in range(1, 7)]
NEEDED: dict[str, dict[str, object]] = {"constant": {"val": 1.0}, "sparse": {"sparsity": 0.5}}
CALLS: list[tuple[str, dict[str, object]]] = [
    *((name, NEEDED.get(name, {})) for name in KNOWN),
    ("dirac", {"groups": 2}),
    ("dirac", {"groups": 4}),
]


def applies(name: str, shape: tuple[int, ...], args: dict[str, object]) -> bool:
    try:
        getattr(nn.init, f"{name}_")(torch.empty(shape), **args)
    except (ValueError, RuntimeError, ZeroDivisionError):
        return False
    return True


@pytest.mark.parametrize(("name", "args"), CALLS)
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(name: str, args: dict[str, object], shape: tuple[int, ...]) -> None:
    called = Initializer(name, {key: Arg(value) for key, value in args.items()})
    assert applies(name, shape, args) == (unmet(called, shape) is None)


@pytest.mark.parametrize(
    ("name", "args", "wrong"),
    [
        ("normal", {"std": -1.0}, "std"),
        ("normal", {"std": 0.0}, None),
        ("trunc_normal", {"std": 0.0}, "std"),
        ("trunc_normal", {"a": 3.0}, "a"),
        ("uniform", {"a": 0.5, "b": 0.2}, "b"),
        ("uniform", {"a": 1}, None),
        ("uniform", {"b": -1}, "b"),
        ("sparse", {"sparsity": 0.5, "std": -0.1}, "std"),
        ("sparse", {"sparsity": 1}, None),
    ],
)
def test_numbers(name: str, args: dict[str, object], wrong: str | None) -> None:
    found = out_of_range(name, args)
    assert (found and found[0]) == wrong
    assert applies(name, (4, 4), args) == (wrong is None)
