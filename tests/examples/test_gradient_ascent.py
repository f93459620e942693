from __future__ import annotations

from pathlib import Path

import torch

from graphbuild.vision import torchvision


def test_drawings_are_recognised_and_sparse(example) -> None:
    example("lenet5", "--epochs", "4")

    def drawn(l1: str):
        return example("gradient_ascent", "--weights", "lenet5.pt", "--steps", "40", "--l1", l1)

    done = drawn("0.2")
    assert done.number("seen as their class:") >= 9
    assert done.pictures() == ["gradient_ascent.png", "lenet5.png"]
    assert done.number(", then") > 10 * abs(done.number("mean value of the filters of c3:"))
    blank = done.number("pixels that stay blank:")
    assert 20 < blank < 99
    assert drawn("0").number("pixels that stay blank:") < 1
    assert drawn("0.6").number("pixels that stay blank:") > blank


def test_it_trains_a_net_of_its_own(example) -> None:
    done = example("gradient_ascent", "--epochs", "1", "--steps", "5", "--layer", "c1")
    assert done.pictures() == ["gradient_ascent.png"]


def test_it_takes_weights_of_another_net(example, tmp_path: Path) -> None:
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "resnet18.pth")
    weights = "--spec", "resnet18", "--weights", "resnet18.pth"
    done = example("gradient_ascent", *weights, "--layer", "layer2", "--steps", "2")
    assert "mean value of the filters of layer2" in done.text
