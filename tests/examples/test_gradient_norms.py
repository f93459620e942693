from __future__ import annotations

import pytest


def test_the_gradient_grows_without_shortcuts(example) -> None:
    done = example("gradient_norms", "--blocks", "5", "--steps", "3")
    plain = done.number("plain56: at the start the first block's gradient is")
    residual = done.number("resnet56: at the start the first block's gradient is")
    assert plain > 20
    assert residual < 10
    assert done.pictures() == ["gradient_norms.png"]


@pytest.mark.slow
def test_the_deep_net_learns_with_shortcuts_only(example) -> None:
    done = example("gradient_norms")
    assert done.number("plain56: at the start the first block's gradient is") > 500
    assert done.number("resnet56: at the start the first block's gradient is") < 50
    assert done.number("plain56: after 40 steps the loss is") > 2
    assert done.number("resnet56: after 40 steps the loss is") < 1.8
