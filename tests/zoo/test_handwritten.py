"""Bundled specs that torchvision does not have, against modules written by hand, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from references import layout, same_tensors
from torch import Tensor, nn

import graphbuild


class Regression(nn.Module):
    def __init__(self, features: int, out: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


class Mlp(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.hidden1 = nn.Linear(1, width)
        self.hidden2 = nn.Linear(width, width)
        self.output = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(torch.tanh(self.hidden2(torch.tanh(self.hidden1(x)))))


class DynamicMlp(nn.Module):
    def __init__(self, depth: int = 3, width: int = 64) -> None:
        super().__init__()
        self.hidden = nn.ModuleList()
        for i in range(depth):
            layer = nn.Module()
            layer.linear = nn.Linear(64 if i == 0 else width, width)
            self.hidden.append(layer)
        self.output = nn.Linear(width if depth else 64, 10)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.hidden:
            x = layer.linear(x).relu()
        return self.output(x)


class ConvBlock(nn.Module):
    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)


class Multimodal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.image_encoder = nn.Module()
        self.image_encoder.block1 = ConvBlock(3, 16)
        self.image_encoder.block2 = ConvBlock(16, 32)
        self.image_encoder.block3 = ConvBlock(32, 64)
        self.metadata_encoder = nn.Module()
        self.metadata_encoder.linear1 = nn.Linear(4, 16)
        self.metadata_encoder.linear2 = nn.Linear(16, 16)
        self.fusion = nn.Module()
        self.fusion.linear = nn.Linear(80, 64)
        self.scene = nn.Linear(64, 4)
        self.lighting = nn.Linear(64, 3)

    def forward(self, image: Tensor, metadata: Tensor) -> dict[str, Tensor]:
        for block in self.image_encoder.children():
            image = block(image)
        seen = F.adaptive_avg_pool2d(image, 1).flatten(1)
        for linear in self.metadata_encoder.children():
            metadata = F.relu(linear(metadata))
        fused = F.relu(self.fusion.linear(torch.cat([seen, metadata], 1)))
        return {"scene": self.scene(fused), "lighting": self.lighting(fused)}


class CifarBlock(nn.Module):
    def __init__(self, into: int, out: int, stride: int, shortcut: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.stride, self.new, self.shortcut = stride, out - into, shortcut

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.shortcut:
            out = out + F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new))
        return F.relu(out)


class Cifar(nn.Module):
    def __init__(self, shortcut: bool, n: int = 9) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        into = 16
        for number, width in enumerate((16, 32, 64), 1):
            blocks = []
            for i in range(n):
                stride = 2 if number > 1 and i == 0 else 1
                blocks.append(CifarBlock(into, width, stride, shortcut))
                into = width
            self.add_module(f"stage{number}", nn.Sequential(*blocks))
        self.fc = nn.Linear(64, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(image)))
        x = self.stage3(self.stage2(self.stage1(x)))
        return self.fc(x.mean((2, 3)))


@dataclass(frozen=True)
class Case:
    """A spec, a handwritten equal, and the shapes of its inputs."""

    spec: str
    reference: Callable[[], nn.Module]
    shapes: tuple[tuple[int, ...], ...]
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.spec, *(f"{k}={v}" for k, v in self.params.items())])


CASES = [
    Case("linear_regression", lambda: Regression(3, 1), ((3,),)),
    Case("linear_regression", lambda: Regression(7, 1), ((7,),), {"features": 7}),
    Case("logistic_regression", lambda: Regression(4, 3), ((4,),)),
    Case("mlp", Mlp, ((1,),)),
    Case("mlp", lambda: Mlp(5), ((1,),), {"width": 5}),
    Case("dynamic_mlp", DynamicMlp, ((64,),)),
    Case("dynamic_mlp", lambda: DynamicMlp(6), ((64,),), {"num_layers": 6}),
    Case("dynamic_mlp", lambda: DynamicMlp(1, 9), ((64,),), {"num_layers": 1, "width": 9}),
    Case("dynamic_mlp", lambda: DynamicMlp(0), ((64,),), {"num_layers": 0}),
    Case("multimodal", Multimodal, ((3, 32, 32), (4,))),
    Case("multimodal", Multimodal, ((3, 40, 25), (4,))),
    Case("resnet56", lambda: Cifar(shortcut=True), ((3, 32, 32),)),
    Case("resnet56", lambda: Cifar(shortcut=True, n=3), ((3, 24, 33),), {"n": 3}),
    Case("plain56", lambda: Cifar(shortcut=False), ((3, 32, 32),)),
]
each = pytest.mark.parametrize("case", CASES, ids=str)


def train_step(model: nn.Module, inputs: list[Tensor]) -> dict[str, Tensor]:
    """Outputs, gradients of inputs and parameters, and buffers after a pass in train mode."""
    given = [value.clone().requires_grad_() for value in inputs]
    outputs = model.train()(*given)
    if not isinstance(outputs, dict):
        outputs = {"": outputs}
    sum(
        (value * torch.linspace(-1, 1, value.numel()).reshape(value.shape)).sum()
        for value in outputs.values()
    ).backward()
    found = {f"output {name}": value.detach() for name, value in outputs.items()}
    found |= {f"input {i}": value.grad for i, value in enumerate(given)}
    found |= {f"{name}.grad": value.grad for name, value in model.named_parameters()}
    return found | {name: buffer.clone() for name, buffer in model.named_buffers()}


@each
def test_it_is_the_handwritten_module(case: Case) -> None:
    torch.manual_seed(0)
    theirs = case.reference()
    ours = graphbuild.compile(case.spec, init=False, **case.params)
    assert layout(ours) == layout(theirs)
    ours.load_state_dict(theirs.state_dict())
    for batch in (2, 5):
        inputs = [torch.randn(batch, *shape) for shape in case.shapes]
        same_tensors(train_step(ours, inputs), train_step(theirs, inputs))
        ours.zero_grad()
        theirs.zero_grad()
    found, wanted = ours.eval()(*inputs), theirs.eval()(*inputs)
    if isinstance(wanted, dict):
        same_tensors(found, wanted)
    else:
        assert torch.equal(found, wanted)


def test_the_plain_net_has_the_keys_and_the_start_of_its_residual_twin() -> None:
    def start(name: str) -> dict[str, Tensor]:
        torch.manual_seed(0)
        return graphbuild.compile(name).state_dict()

    same_tensors(start("plain56"), start("resnet56"))
    assert (
        sum(isinstance(m, (nn.Conv2d, nn.Linear)) for m in graphbuild.compile("plain56").modules())
        == 56
    )
