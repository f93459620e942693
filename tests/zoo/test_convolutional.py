"""Bundled networks for images that torchvision does not have, against modules written by hand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from references import initializers, layout, same_tensors, train_step
from torch import Tensor, nn

import graphbuild


class Alexnet2012(nn.Module):
    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.dropout = dropout
        self.conv1 = nn.Conv2d(3, 96, 11, 4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1)
        self.fc6 = nn.Linear(9216, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.local_response_norm(F.relu(self.conv1(x)), 5, 5e-4, 0.75, 2), 3, 2)
        x = F.max_pool2d(F.local_response_norm(F.relu(self.conv2(x)), 5, 5e-4, 0.75, 2), 3, 2)
        x = F.relu(self.conv4(F.relu(self.conv3(x))))
        x = F.max_pool2d(F.relu(self.conv5(x)), 3, 2).flatten(1)
        x = F.dropout(F.relu(self.fc6(x)), self.dropout, self.training)
        x = F.dropout(F.relu(self.fc7(x)), self.dropout, self.training)
        return self.fc8(x)


class Conv(nn.Module):
    def __init__(self, into: int, out: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, size, padding=size // 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv(x))


class Inception(nn.Module):
    def __init__(self, into: int, dim: int) -> None:
        super().__init__()
        self.branches = nn.Module()
        self.branches.conv1x1 = Conv(into, 4 * dim, 1)
        self.branches.conv3x3 = nn.Sequential(Conv(into, 6 * dim, 1), Conv(6 * dim, 8 * dim, 3))
        self.branches.conv5x5 = nn.Sequential(Conv(into, dim, 1), Conv(dim, 2 * dim, 5))
        self.branches.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), Conv(into, 2 * dim, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches.children()], 1)


class GooglenetMini(nn.Module):
    def __init__(
        self,
        base_dim: int = 4,
        image_channels: int = 3,
        num_classes: int = 10,
        dropout: float = 0.4,
    ) -> None:
        super().__init__()
        self.stem = Conv(image_channels, 4 * base_dim, 3)
        into = 4 * base_dim
        for name, times in zip(
            ("1a", "1b", "2a", "2b", "3a", "3b"), (1, 2, 2, 3, 3, 4), strict=True
        ):
            self.add_module(f"inception{name}", Inception(into, times * base_dim))
            into = 16 * times * base_dim
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(into, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.inception1b(self.inception1a(self.stem(x))), 2)
        x = F.max_pool2d(self.inception2b(self.inception2a(x)), 2)
        x = self.inception3b(self.inception3a(x))
        return self.fc(self.dropout(x.mean((2, 3), keepdim=True).flatten(1)))


class Residual(nn.Module):
    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.downsample = nn.Sequential()
        if stride != 1 or into != out:
            self.downsample.append(nn.Conv2d(into, out, 1, stride, bias=False))
            self.downsample.append(nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + self.downsample(x))


class SimpleResnet(nn.Module):
    def __init__(self, width: int = 16, num_classes: int = 10) -> None:
        super().__init__()
        self.initial = nn.Module()
        self.initial.conv = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.initial.bn = nn.BatchNorm2d(width)
        self.residual1 = Residual(width, width, 1)
        self.residual2 = Residual(width, 2 * width, 2)
        self.residual3 = Residual(2 * width, 4 * width, 2)
        self.final = nn.Module()
        self.final.fc = nn.Linear(4 * width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.initial.bn(self.initial.conv(x)))
        x = self.residual3(self.residual2(self.residual1(x)))
        return self.final.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class MyResnet(nn.Module):
    def __init__(self, layers: tuple[int, int] = (1, 1), num_classes: int = 2) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(*(Residual(64, 64, 1) for _ in range(layers[0])))
        self.layer2 = nn.Sequential(Residual(64, 128, 2))
        self.layer2.extend(Residual(128, 128, 1) for _ in range(1, layers[1]))
        self.fc = nn.Linear(128, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer2(self.layer1(x))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def convs(into: int, out: int) -> nn.Sequential:
    first, second = nn.Conv2d(into, out, 3, padding=1), nn.Conv2d(out, out, 3, padding=1)
    return nn.Sequential(OrderedDict(conv1=first, relu1=nn.ReLU(), conv2=second, relu2=nn.ReLU()))


class Unet(nn.Module):
    def __init__(self, width: int = 64, image_channels: int = 1, num_classes: int = 2) -> None:
        super().__init__()
        self.down0 = convs(image_channels, width)
        for level in range(1, 5):
            down = nn.Sequential(OrderedDict(pool=nn.MaxPool2d(2)))
            down.add_module("convs", convs(width << level - 1, width << level))
            self.add_module(f"down{level}", down)
        for level in reversed(range(4)):
            up = nn.Module()
            up.grow = nn.ConvTranspose2d(width << level + 1, width << level, 2, 2)
            up.convs = convs(2 * width << level, width << level)
            self.add_module(f"up{level}", up)
        self.head = nn.Conv2d(width, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        seen = []
        for level in range(5):
            x = self.get_submodule(f"down{level}")(x)
            seen.append(x)
        for level in reversed(range(4)):
            up = self.get_submodule(f"up{level}")
            x = up.convs(torch.cat([seen[level], up.grow(x)], 1))
        return self.head(x)


Params = dict[str, Any]
# The spec, the module, params of both, image sizes (batch, channels, height, width).
CASES: list[tuple[str, type[nn.Module], Params, list[tuple[int, ...]]]] = [
    ("alexnet_2012", Alexnet2012, {"num_classes": 10}, [(1, 3, 227, 227), (2, 3, 227, 227)]),
    ("googlenet_mini", GooglenetMini, {}, [(2, 3, 32, 32), (1, 3, 40, 31)]),
    (
        "googlenet_mini",
        GooglenetMini,
        {"base_dim": 3, "image_channels": 1, "num_classes": 7, "dropout": 0.1},
        [(2, 1, 28, 28)],
    ),
    ("simple_resnet", SimpleResnet, {}, [(2, 3, 32, 32), (3, 3, 28, 37)]),
    ("simple_resnet", SimpleResnet, {"width": 5, "num_classes": 3}, [(2, 3, 17, 16)]),
    ("my_resnet", MyResnet, {}, [(2, 3, 224, 224), (3, 3, 65, 80)]),
    ("my_resnet", MyResnet, {"layers": (2, 3), "num_classes": 5}, [(2, 3, 64, 64)]),
    ("unet", Unet, {"width": 8}, [(1, 1, 64, 64), (2, 1, 48, 80)]),
    (
        "unet",
        Unet,
        {"width": 3, "image_channels": 3, "num_classes": 5},
        [(2, 3, 32, 32)],
    ),
]


@pytest.mark.parametrize(
    ("name", "reference", "params", "sizes"), CASES, ids=["-".join([c[0], *c[2]]) for c in CASES]
)
def test_equal(
    name: str, reference: type[nn.Module], params: Params, sizes: list[tuple[int, ...]]
) -> None:
    ours, theirs = graphbuild.compile(name, init=False, **params), reference(**params)
    assert layout(ours) == layout(theirs)
    for size in sizes:
        ours.load_state_dict(theirs.state_dict())
        image = torch.randn(size, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            torch.testing.assert_close(ours.eval()(image), theirs.eval()(image), rtol=0, atol=0)
        same_tensors(train_step(ours, image), train_step(theirs, image))
        ours.zero_grad()
        theirs.zero_grad()


def shapes(name: str, image: Tensor) -> dict[str, tuple[int, ...]]:
    """What every child gives, seen by forward hooks."""
    model = graphbuild.compile(name, init=False).eval()
    seen: dict[str, tuple[int, ...]] = {}

    def see(child: str) -> Callable[..., None]:
        def hook(module: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
            seen[child] = tuple(out.shape)

        return hook

    for child, module in model.named_children():
        module.register_forward_hook(see(child))
    with torch.no_grad():
        model(image)
    return seen


def test_alexnet_2012_has_the_shapes_of_its_table() -> None:
    seen = shapes("alexnet_2012", torch.zeros(1, 3, 227, 227))
    table = {
        "conv1": (96, 55, 55), "norm1": (96, 55, 55), "pool1": (96, 27, 27),
        "conv2": (256, 27, 27), "norm2": (256, 27, 27), "pool2": (256, 13, 13),
        "conv3": (384, 13, 13), "conv4": (384, 13, 13), "conv5": (256, 13, 13),
        "pool5": (256, 6, 6), "flatten": (9216,), "fc6": (4096,), "fc7": (4096,), "fc8": (1000,),
    }  # fmt: skip
    assert {name: seen[name] for name in table} == {n: (1, *size) for n, size in table.items()}


def test_my_resnet_has_the_shapes_of_its_table() -> None:
    seen = shapes("my_resnet", torch.zeros(2, 3, 224, 224))
    table = {
        "conv1": (64, 112, 112), "bn1": (64, 112, 112), "relu": (64, 112, 112),
        "maxpool": (64, 56, 56), "layer1": (64, 56, 56), "layer2": (128, 28, 28),
        "avgpool": (128, 1, 1), "fc": (2,),
    }  # fmt: skip
    assert seen == {name: (2, *size) for name, size in table.items()}


def test_downsampling_stands_only_where_shapes_change() -> None:
    simple = graphbuild.compile("simple_resnet", init=False)
    found = [name for name, module in simple.named_modules() if name.endswith("downsample")]
    assert found == ["residual2.downsample", "residual3.downsample"]
    mine = graphbuild.compile("my_resnet", init=False, layers=[2, 2])
    found = [name for name, module in mine.named_modules() if name.endswith("downsample")]
    assert found == ["layer2.0.downsample"]


def test_unet_takes_multiples_of_sixteen() -> None:
    model = graphbuild.compile("unet", width=2)
    for height, width in ((16, 32), (48, 16), (160, 64)):
        assert model(torch.zeros(1, 1, height, width)).shape == (1, 2, height, width)
    with pytest.raises(RuntimeError):
        model(torch.zeros(1, 1, 40, 32))


def test_initial_values_follow_the_papers() -> None:
    with initializers() as last:
        alexnet = last(graphbuild.compile("alexnet_2012", num_classes=10))
        unet = last(graphbuild.compile("unet", width=2))
    ones = [name for name, (function, _) in alexnet.items() if function == "ones_"]
    assert ones == ["conv2.bias", "conv4.bias", "conv5.bias", "fc6.bias", "fc7.bias"]
    for name, (function, arguments) in alexnet.items():
        if name.endswith("weight"):
            assert (function, arguments["mean"], arguments["std"]) == ("normal_", 0.0, 0.01)
        elif name not in ones:
            assert function == "zeros_", name
    found = {name: function for name, (function, _) in unet.items() if name.endswith("weight")}
    assert {function for name, function in found.items() if "grow" not in name} == {
        "kaiming_normal_"
    }
