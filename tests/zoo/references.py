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


ZOO = [
    Case("alexnet", models.alexnet),
    Case("vgg16", models.vgg16),
    Case("googlenet", lambda: models.googlenet(aux_logits=False, init_weights=True)),
    Case("resnet18", models.resnet18),
    Case("resnet50", models.resnet50),
    Case("densenet121", models.densenet121),
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
    Case(
        "googlenet",
        lambda: models.GoogLeNet(10, aux_logits=False, init_weights=True, dropout=0.5),
        {"num_classes": 10, "dropout": 0.5},
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


def train_step(model: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """Output, gradients and updated buffers of one forward and backward pass in train mode."""
    model.train()
    torch.manual_seed(1)  # dropout
    output = model(image)
    weights = torch.linspace(-1, 1, output.numel()).reshape(output.shape)
    (output * weights).sum().backward()
    found = {"output": output.detach()}
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
            name: last[id(parameter)] for name, parameter in model.named_parameters()
        }
