"""What holds of every bundled spec."""

from __future__ import annotations

import pytest
from command import BUNDLED, ROOT

import graphbuild


def test_those_of_the_start_are_there() -> None:
    assert {"alexnet", "densenet121", "googlenet", "lenet5", "resnet18", "vgg16"} <= set(BUNDLED)


@pytest.mark.parametrize("name", BUNDLED)
def test_it_says_what_it_is_and_what_must_come_out(name: str) -> None:
    spec = graphbuild.read(ROOT / "specs" / f"{name}.yaml")
    assert spec.name == name
    assert spec.doc
    assert spec.expect is not None
    assert spec.expect.parameters
    assert spec.expect.outputs
