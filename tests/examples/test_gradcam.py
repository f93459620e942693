from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from graphbuild.vision import torchvision


def test_the_heat_is_where_the_thing_is(example) -> None:
    done = example("gradcam", "--steps", "12")
    assert "the temple is seen as: temple, the flower as: flower" in done.text
    assert done.number("the half with the temple has") > 60
    assert done.number("the half with the flower has") > 60
    assert done.pictures() == ["gradcam.png"]


@pytest.mark.slow
def test_it_is_sharper_after_all_steps(example) -> None:
    done = example("gradcam")
    assert done.number("the half with the temple has") > 80
    assert done.number("the half with the flower has") > 80


def test_it_takes_weights_of_torchvision(example, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "resnet18.pth")
    done = example("gradcam", "--weights", "resnet18.pth", "--layer", "layer3")
    assert "seen as: class " in done.text
    assert done.pictures() == ["gradcam.png"]


def test_the_heat_is_that_of_the_formula(imported) -> None:
    """With a linear head after global pooling, the weights of the channels are the head's own."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Conv2d(3, 5, 3, padding=1)
            self.head = nn.Linear(5, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.features(x).mean((2, 3)))

    torch.manual_seed(0)
    net, image = Net(), torch.randn(3, 12, 16)
    heat = imported("gradcam").grad_cam(net, "features", image, 1)
    wanted = torch.einsum("c,chw->hw", net.head.weight[1], net.features(image)).relu()
    torch.testing.assert_close(heat, (wanted / wanted.max()).detach())
