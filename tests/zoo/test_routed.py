"""Bundled specs that choose at run time, against modules written by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import graphbuild


class ConvBlock(nn.Module):
    def __init__(self, into: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, 3, stride, 1, bias=False)
        self.norm = nn.GroupNorm(4, out)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = ConvBlock(width, width)
        self.conv2 = ConvBlock(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(self.conv1(x))


class Path(nn.Module):
    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.down = ConvBlock(width, 2 * width, 2)
        if depth:
            self.layers = nn.Sequential(*(Residual(2 * width) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        return self.layers(x) if hasattr(self, "layers") else x


class Conditional(nn.Module):
    """What the three have in common; `names` are those of the deep and the simple path."""

    def __init__(self, names: tuple[str, str], width: int = 16, depth: int = 3) -> None:
        super().__init__()
        self.stem = ConvBlock(1, width)
        if names[0] == "deep":
            self.gate = nn.Module()
            self.gate.score = nn.Linear(width, 2)
        self.path = nn.ModuleDict({names[0]: Path(width, depth), names[1]: Path(width, 0)})
        self.head = nn.Linear(2 * width, 10)

    def features(self, image: Tensor) -> Tensor:
        return F.max_pool2d(self.stem(image), 2)

    def logits(self, x: Tensor) -> Tensor:
        return self.head(x.mean((2, 3)))


class Switch(Conditional):
    def __init__(self) -> None:
        super().__init__(("true", "false"))

    def forward(self, image: Tensor, is_difficult: bool | Tensor) -> Tensor:
        x = self.features(image)
        return self.logits(self.path["true"](x) if is_difficult else self.path["false"](x))


class Route(Conditional):
    def __init__(self, threshold: float = 0.12, **sizes: int) -> None:
        super().__init__(("true", "false"), **sizes)
        self.threshold = threshold

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        blurred = F.avg_pool2d(image, 3, 1, 1)
        difficult = (image - blurred).abs().mean((1, 2, 3)) > self.threshold
        both = [
            self.path["true" if flag else "false"](x.unsqueeze(0))
            for flag, x in zip(difficult, self.features(image), strict=True)
        ]
        return {"logits": self.logits(torch.cat(both)), "is_difficult": difficult}


class Mixture(Conditional):
    def __init__(self) -> None:
        super().__init__(("deep", "simple"))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        x = self.features(image)
        gate = self.gate.score(x.mean((2, 3))).softmax(1)
        deep, simple = (gate[:, k].reshape(-1, 1, 1, 1) for k in range(2))
        mixed = deep * self.path["deep"](x) + simple * self.path["simple"](x)
        return {"logits": self.logits(mixed), "gate": gate}


class Expert(nn.Module):
    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.up = nn.Linear(dim, hidden)
        self.down = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x)))


class Experts(nn.Module):
    """Every expert on every token; those that are not chosen weigh nothing."""

    def __init__(self, dim: int = 64, hidden: int = 256, experts: int = 8, top_k: int = 2) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.router = nn.Linear(dim, experts, bias=False)
        self.experts = nn.ModuleList(Expert(dim, hidden) for _ in range(experts))
        self.top_k = top_k

    def forward(self, tokens: Tensor) -> dict[str, Tensor]:
        x = self.norm(tokens)
        gate = self.router(x).softmax(-1)
        least = gate.topk(self.top_k, dim=-1).values[..., -1:]
        weights = torch.where(gate >= least, gate, 0.0)
        values = torch.stack([expert(x) for expert in self.experts], -2)
        return {"tokens": tokens + (weights.unsqueeze(-1) * values).sum(-2), "gate": gate}


IMAGES = torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(0))
IMAGES[::2] = F.avg_pool2d(IMAGES[::2], 5, 1, 2)  # smooth ones
OTHER = F.interpolate(IMAGES, (22, 19))
TOKENS = torch.randn(3, 16, 64, generator=torch.Generator().manual_seed(0))

Make = Callable[[], nn.Module]
CASES: list[tuple[str, dict[str, Any], Make, tuple[Any, ...]]] = [
    ("conditional_depth_switch", {}, Switch, (IMAGES, True)),
    ("conditional_depth_switch", {}, Switch, (OTHER, torch.tensor(False))),
    ("conditional_depth_route", {}, Route, (IMAGES,)),
    ("conditional_depth_route", {"threshold": 10.0}, lambda: Route(10.0), (OTHER,)),
    (
        "conditional_depth_route",
        {"depth": 2, "width": 8},
        lambda: Route(depth=2, width=8),
        (IMAGES,),
    ),
    ("conditional_depth_mixture", {}, Mixture, (IMAGES,)),
    ("conditional_depth_mixture", {}, Mixture, (OTHER,)),
    ("mixture_of_experts", {}, Experts, (TOKENS,)),
    ("mixture_of_experts", {"top_k": 1}, lambda: Experts(top_k=1), (TOKENS[:, :5],)),
    (
        "mixture_of_experts",
        {"num_experts": 3, "top_k": 3, "dim": 8, "hidden": 5},
        lambda: Experts(8, 5, 3, 3),
        (torch.randn(2, 4, 8),),
    ),
]


def step(model: nn.Module, inputs: tuple[Any, ...]) -> dict[str, Tensor | None]:
    """Outputs, and gradients of the first input and the parameters."""
    first = inputs[0].clone().requires_grad_()
    outputs = model(first, *inputs[1:])
    outputs = outputs if isinstance(outputs, dict) else {"": outputs}
    parts = [value for value in outputs.values() if value.is_floating_point()]
    sum((v * torch.linspace(-1, 1, v.numel()).reshape(v.shape)).sum() for v in parts).backward()
    found: dict[str, Tensor | None] = {**outputs, "input": first.grad}
    return found | {f"{name}.grad": p.grad for name, p in model.named_parameters()}


@pytest.mark.parametrize(("spec", "params", "make", "inputs"), CASES)
def test_it_is_the_handwritten_module(
    spec: str, params: dict[str, Any], make: Make, inputs: tuple[Any, ...]
) -> None:
    torch.manual_seed(0)
    theirs = make()
    ours = graphbuild.compile(spec, init=False, **params)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    found, wanted = step(ours, inputs), step(theirs, inputs)
    for name, value in wanted.items():
        got = found[name]
        if value is None or got is None:  # a path that no image takes has no gradient
            assert value is got, name
        elif "expert" in spec and not value.any():  # theirs weighs it with zero
            assert not got.any()
        else:
            torch.testing.assert_close(got, value, rtol=1e-4, atol=1e-5, msg=name)


def test_the_images_take_both_paths() -> None:
    flags = graphbuild.compile("conditional_depth_route")(IMAGES)["is_difficult"]
    assert flags.tolist() == [False, True] * 3


def test_experts_can_be_left_without_tokens() -> None:
    model = graphbuild.compile("mixture_of_experts")
    with torch.no_grad():
        model.router.weight.zero_()  # all tokens prefer the same two
    model(TOKENS)["tokens"].sum().backward()
    unused = [expert for expert in model.experts if expert.up.weight.grad is None]
    assert len(unused) == 6
    assert model.router.weight.grad.isfinite().all()
    assert model.router.weight.grad.any()
