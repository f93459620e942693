from __future__ import annotations

import pytest


def test_it_comes_near(example) -> None:
    done = example("mlp", "--epochs", "15")
    assert done.number("largest error between -2 and 2:") < 0.5
    assert done.pictures() == ["mlp.png"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["0", "1"])
def test_it_fits(seed: str, example) -> None:
    assert example("mlp", "--seed", seed).number("largest error between -2 and 2:") < 0.1
