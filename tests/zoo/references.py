"""The models that specs are measured against, and what is compared."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from graphbuild.vision import torchvision

models = torchvision.models


@dataclass(frozen=True)
class Case:
    """A bundled spec, some of its params, and the constructor of the model that it should equal."""

    spec: str
    reference: Callable[[], nn.Module]
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.spec, *self.params])


def regnet(name: str, **arguments: Any) -> Callable[[], nn.Module]:
    """A RegNet of torchvision, which computes its widths with tensors: never on the meta device."""

    def build() -> nn.Module:
        with torch.device("cpu"):
            model: nn.Module = getattr(models, f"regnet_{name}")(**arguments)
        return model

    return build


ZOO = [
    Case("alexnet", models.alexnet),
    Case("vgg16", models.vgg16),
    Case("googlenet", lambda: models.googlenet(init_weights=True)),
    Case("resnet18", models.resnet18),
    Case("resnet50", models.resnet50),
    Case("densenet121", models.densenet121),
    Case("efficientnet_b0", models.efficientnet_b0),
    Case("mobilenet_v3_small", models.mobilenet_v3_small),
    Case("shufflenet_v2_x1_0", models.shufflenet_v2_x1_0),
]

# The other members of the families, which are specs of a few lines.
MEMBERS = [
    Case(name, getattr(models, name))
    for name in (
        *("vgg11", "vgg13", "vgg19", "resnet34", "resnet101", "resnet152"),
        *("densenet161", "densenet169", "densenet201"),
    )
]
SLOW = ("vgg11", "vgg13", "vgg19", "resnet101", "resnet152", "densenet161", "densenet201")

# The rows of MobileNetV3-Large: kernel, exp, out, SE, HS, stride.
LARGE = [
    dict(zip(("kernel", "exp", "out", "SE", "HS", "stride"), row, strict=True))
    for row in (
        (3, 16, 16, False, False, 1),
        (3, 64, 24, False, False, 2),
        (3, 72, 24, False, False, 1),
        (5, 72, 40, True, False, 2),
        (5, 120, 40, True, False, 1),
        (5, 120, 40, True, False, 1),
        (3, 240, 80, False, True, 2),
        (3, 200, 80, False, True, 1),
        (3, 184, 80, False, True, 1),
        (3, 184, 80, False, True, 1),
        (3, 480, 112, True, True, 1),
        (3, 672, 112, True, True, 1),
        (5, 672, 160, True, True, 2),
        (5, 960, 160, True, True, 1),
        (5, 960, 160, True, True, 1),
    )
]

# The same specs with other params: nothing in them is true only of the numbers they stand with.
FAMILY = [
    Case(
        "densenet121",
        lambda: models.DenseNet(16, (2, 3, 1, 2), 24, bn_size=2, num_classes=10),
        {"growth_rate": 16, "layers": [2, 3, 1, 2], "stem": 24, "bn_size": 2, "num_classes": 10},
    ),
    Case("resnet18", models.resnet34, {"layers": [3, 4, 6, 3]}),
    Case(
        "resnet50",
        lambda: models.ResNet(models.resnet.Bottleneck, [1, 2, 1, 2], num_classes=7),
        {"layers": [1, 2, 1, 2], "num_classes": 7},
    ),
    Case("resnet50", models.resnext50_32x4d, {"groups": 32, "width_per_group": 4}),
    Case("resnet50", models.wide_resnet50_2, {"width_per_group": 128}),
    *(
        Case(
            "resnet50",
            functools.partial(models.resnet50, replace_stride_with_dilation=dilate),
            {"dilate": dilate},
        )
        for dilate in ([False, True, True], [True, False, True])
    ),
    Case(
        "mobilenet_v3_small",
        lambda: models.mobilenet_v3_small(width_mult=0.6, num_classes=10, dropout=0.5),
        {"width_mult": 0.6, "num_classes": 10, "dropout": 0.5},
    ),
    Case("mobilenet_v3_small", models.mobilenet_v3_large, {"hidden": 1280, "bottlenecks": LARGE}),
    Case(
        "shufflenet_v2_x1_0",
        lambda: models.shufflenet_v2_x2_0(num_classes=7),
        {"widths": [122, 244, 488], "last": 2048, "num_classes": 7},
    ),
    # torchvision draws the weights by another function, with the same spread.
    Case("regnet_y_400mf", regnet("y_400mf")),
    Case(
        "regnet_y_400mf",
        regnet("y_800mf"),
        {"depth": 14, "w_0": 56, "w_a": 38.84, "w_m": 2.4, "group_width": 16},
    ),
    Case(
        "regnet_y_400mf",
        regnet("x_400mf", num_classes=10),
        {
            "depth": 22,
            "w_0": 24,
            "w_a": 24.48,
            "w_m": 2.54,
            "group_width": 16,
            "se_ratio": 0,
            "num_classes": 10,
        },
    ),
    Case("efficientnet_b0", models.efficientnet_b1, {"depth_mult": 1.1}),
    Case(
        "efficientnet_b0",
        lambda: models.efficientnet_b3(num_classes=10, stochastic_depth_prob=0.5),
        {
            "width_mult": 1.2,
            "depth_mult": 1.4,
            "dropout": 0.3,
            "drop_path": 0.5,
            "num_classes": 10,
        },
    ),
    Case(
        "googlenet",
        lambda: models.GoogLeNet(10, aux_logits=False, init_weights=True, dropout=0.5),
        {"num_classes": 10, "aux_logits": False, "dropout": 0.5},
    ),
    Case(
        "googlenet",
        lambda: models.GoogLeNet(7, init_weights=True, dropout_aux=0.25),
        {"num_classes": 7, "dropout_aux": 0.25},
    ),
]


def every(cases: list[Case], *, slow: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """The test once for each case; those named `slow` are marked so."""
    return pytest.mark.parametrize(
        "case",
        [
            pytest.param(case, id=str(case), marks=[pytest.mark.slow] * (case.spec in slow))
            for case in cases
        ],
    )


def layout(model: nn.Module) -> list[tuple[str, tuple[int, ...], torch.dtype]]:
    """Keys, shapes and dtypes of the state, in order."""
    return [(key, tuple(t.shape), t.dtype) for key, t in model.state_dict().items()]


def values(output: Any) -> list[Tensor]:
    """What a model gives, without what is absent: a tensor, a tuple, or a mapping."""
    return [value for value in tree_leaves(output) if value is not None]


def train_step(model: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """Output, gradients and updated buffers of one forward and backward pass in train mode."""
    model.train()
    torch.manual_seed(1)  # dropout
    outputs = values(model(image))
    total = torch.zeros(())
    for output in outputs:
        weights = torch.linspace(-1, 1, output.numel()).reshape(output.shape)
        total = total + (output * weights).sum()
    total.backward()
    found = {f"output {k}": output.detach() for k, output in enumerate(outputs)}
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        found[f"{name}.grad"] = parameter.grad
    return found | {name: buffer.clone() for name, buffer in model.named_buffers()}


def same_tensors(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    """Fails with the names of all tensors that are not equal bit for bit."""
    assert list(ours) == list(theirs)
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


@contextmanager
def initializers() -> Iterator[Callable[[nn.Module], dict[str, tuple[str, dict[str, Any]]]]]:
    """Records calls of `torch.nn.init`; the value tells the last one of each parameter of a model."""
    last: dict[int, tuple[str, dict[str, Any]]] = {}
    alive: list[Tensor] = []
    inside = False

    def recorder(name: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def record(*args: Any, **kwargs: Any) -> Tensor:
            nonlocal inside
            if inside:
                return function(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            arguments = dict(bound.arguments)
            tensor = arguments.pop("tensor")
            last[id(tensor)] = (name, arguments)
            alive.append(tensor)
            inside = True
            try:
                return function(*args, **kwargs)
            finally:
                inside = False

        return record

    with pytest.MonkeyPatch.context() as patch:
        for name in nn.init.__all__:
            if name.endswith("_"):
                patch.setattr(nn.init, name, recorder(name, getattr(nn.init, name)))
        yield lambda model: {
            name: last.get(id(parameter)) for name, parameter in model.named_parameters()
        }
