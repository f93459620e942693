from __future__ import annotations

import pytest
import torch

import graphbuild


def test_it_learns_and_saves(example) -> None:
    done = example("lenet5", "--epochs", "3")
    assert done.number("accuracy on the test digits:") > 85
    assert done.pictures() == ["lenet5.png"]
    weights = torch.load(done.folder / "lenet5.pt", weights_only=True)
    graphbuild.compile("lenet5", init=False).load_state_dict(weights)


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_it_reaches_97_percent(seed: str, example) -> None:
    done = example("lenet5", "--seed", seed)
    assert done.number("accuracy on the test digits:") >= 97
