"""Siamese networks, their losses and GPT-2 against modules and formulas written by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from references import initializers, layout, same_tensors
from torch import Tensor, nn

import graphbuild
from graphbuild.elaborate import elaborate
from graphbuild.read import read
from graphbuild.report import report


def step(model: nn.Module, *inputs: Tensor) -> dict[str, Tensor]:
    """Outputs, gradients and buffers of a pass in training."""
    torch.manual_seed(1)  # dropout
    found = model.train()(*inputs)
    outputs = found if isinstance(found, dict) else {"output": found}
    torch.stack([value.sin().sum() for value in outputs.values()]).sum().backward()
    kept = {name: value.detach() for name, value in outputs.items()}
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        kept[f"{name}.grad"] = parameter.grad
    return kept | {name: buffer.clone() for name, buffer in model.named_buffers()}


def compared(ours: nn.Module, theirs: nn.Module, *inputs: Tensor) -> None:
    """Keys in order, outputs in both modes, gradients and statistics, bit for bit."""
    assert layout(ours) == layout(theirs)
    ours.load_state_dict(theirs.state_dict())
    same_tensors(step(ours, *inputs), step(theirs, *inputs))
    left, right = (model.eval()(*inputs) for model in (ours, theirs))
    if isinstance(left, Tensor):
        left, right = {"output": left}, {"output": right}
    same_tensors(left, right)


# -- one network for several inputs ---------------------------------------------------------------


class Embedding(nn.Module):
    def __init__(self, width: int = 16, dim: int = 32) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 5, padding=2, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(2 * width)
        self.project = nn.Linear(32 * width, dim)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.adaptive_avg_pool2d(F.relu(self.norm2(self.conv2(x))), 4)
        return self.project(x.flatten(1))


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.anchor_point = Embedding()

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> dict[str, Tensor]:
        given = {"anchor": anchor, "positive": positive, "negative": negative}
        return {name: F.normalize(self.anchor_point(x), dim=1) for name, x in given.items()}


class SiameseContrastive(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left_embedding = Embedding()

    def forward(self, left: Tensor, right: Tensor) -> dict[str, Tensor]:
        a, b = self.left_embedding(left), self.left_embedding(right)
        return {"left": a, "right": b, "distance": F.pairwise_distance(a, b)}


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        return F.adaptive_avg_pool2d(F.relu(self.conv2(x)), 1).flatten(1)


class SharedEncoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.head = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        a, b = self.encoder(left), self.encoder(right)
        return self.head(torch.cat([a + b, (a - b).abs()], 1))


@pytest.mark.parametrize(
    ("name", "reference", "count"),
    [
        ("embedding", Embedding, 1),
        ("siamese", Siamese, 3),
        ("siamese_contrastive", SiameseContrastive, 2),
        ("shared_encoder", SharedEncoder, 2),
    ],
)
@pytest.mark.parametrize("size", [(8, 8), (28, 24)])
def test_one_network(name: str, reference: Any, count: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    inputs = tuple(torch.randn(3, 1, *size) for _ in range(count))
    compared(graphbuild.compile(name), reference(), *inputs)


# -- losses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("margin", [0.5, 1.0, 8.0])
def test_contrastive_loss(margin: float) -> None:
    torch.manual_seed(0)
    loss = graphbuild.compile("contrastive_loss", margin=margin)
    left, right = (torch.randn(16, 32, dtype=torch.float64, requires_grad=True) for _ in "lr")
    same = (torch.rand(16) < 0.5).double()
    found = loss(left, right, same)
    total = torch.zeros((), dtype=torch.float64)
    for a, b, y in zip(left, right, same, strict=True):
        distance = ((a - b + 1e-6) ** 2).sum().sqrt()  # torch's eps, which keeps the slope finite
        lacking = max(margin - distance, torch.zeros_like(distance))
        total = total + y * distance**2 + (1 - y) * lacking**2
    assert torch.allclose(found, total / 16)
    slopes = torch.autograd.grad(found, (left, right))
    wanted = torch.autograd.grad(total / 16, (left, right))
    assert all(torch.allclose(a, b) for a, b in zip(slopes, wanted, strict=True))


@pytest.mark.parametrize("margin", [0.2, 1.0])
def test_triplet_loss(margin: float) -> None:
    torch.manual_seed(0)
    loss = graphbuild.compile("triplet_loss", margin=margin)
    given = [torch.randn(16, 32, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    anchor, positive, negative = given

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return ((a - b + 1e-6) ** 2).sum(1).sqrt()

    near, far = distance(anchor, positive), distance(anchor, negative)
    wanted = torch.clamp(near - far + margin, min=0).mean()
    found = loss(*given)
    assert torch.allclose(found, wanted)
    assert torch.equal(found, nn.TripletMarginLoss(margin)(*given))
    pairs = zip(torch.autograd.grad(found, given), torch.autograd.grad(wanted, given), strict=True)
    assert all(torch.allclose(a, b) for a, b in pairs)


# -- GPT-2 ----------------------------------------------------------------------------------------

SMALL = {"vocabulary": 61, "context": 24, "layers": 3, "heads": 4, "width": 32}


class Attention(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        n, t, width = x.shape
        q, k, v = self.c_attn(x).split(width, dim=2)
        q, k, v = (y.view(n, t, self.heads, -1).transpose(1, 2) for y in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.dropout(self.c_proj(y.transpose(1, 2).reshape(n, t, width)))


class Mlp(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.c_proj(F.gelu(self.c_fc(x), approximate="tanh")))


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads, dropout)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt2(nn.Module):
    def __init__(
        self,
        vocabulary: int = 50257,
        context: int = 1024,
        layers: int = 12,
        heads: int = 12,
        width: int = 768,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.transformer = nn.Module()
        self.transformer.wte = nn.Embedding(vocabulary, width)
        self.transformer.wpe = nn.Embedding(context, width)
        self.transformer.drop = nn.Dropout(dropout)
        self.transformer.h = nn.Sequential(*[Layer(width, heads, dropout) for _ in range(layers)])
        self.transformer.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.transformer.wte.weight
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                std = 0.02 / (2 * layers) ** 0.5 if name.endswith(".c_proj") else 0.02
                nn.init.normal_(module.weight, std=std)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        body: Any = self.transformer
        position = torch.arange(tokens.shape[1], device=tokens.device)
        x = body.drop(body.wte(tokens) + body.wpe(position))
        return self.lm_head(body.ln_f(body.h(x)))


def test_gpt2_equals_the_handwritten_module() -> None:
    torch.manual_seed(0)
    for length in (1, 24):
        tokens = torch.randint(0, 61, (2, length))
        theirs = Gpt2(**SMALL)  # type: ignore[arg-type]
        compared(graphbuild.compile("gpt2_small", **SMALL), theirs, tokens)


def test_gpt2_has_the_size_and_the_keys_of_the_paper() -> None:
    with torch.device("meta"):
        ours, theirs = graphbuild.compile("gpt2_small", init=False), Gpt2()
    assert layout(ours) == layout(theirs)
    assert sum(p.numel() for p in ours.parameters()) == 124_439_808
    keys = list(ours.state_dict())
    assert keys[:4] == [
        "transformer.wte.weight",
        "transformer.wpe.weight",
        "transformer.h.0.ln_1.weight",
        "transformer.h.0.ln_1.bias",
    ]
    assert {"transformer.h.11.attn.c_attn.weight", "lm_head.weight"} <= set(keys)
    rows = {row.path: row for row in report(elaborate(read("gpt2_small"))).rows}
    assert rows["lm_head"].what == "Linear, tied to transformer.wte.weight"
    assert rows["lm_head"].counts.parameters == 0


def test_gpt2_looks_at_no_later_token() -> None:
    torch.manual_seed(0)
    model = graphbuild.compile("gpt2_small", **SMALL).eval()
    tokens = torch.randint(0, 61, (1, 12))
    other = tokens.clone()
    other[0, 7:] = (other[0, 7:] + 1) % 61
    before, after = model(tokens), model(other)
    assert torch.allclose(before[:, :7], after[:, :7], atol=1e-6)
    assert not torch.allclose(before[:, 7:], after[:, 7:], atol=1e-3)


def test_gpt2_is_drawn_as_in_the_paper() -> None:
    torch.manual_seed(0)
    model = graphbuild.compile("gpt2_small", **SMALL)
    for name, parameter in model.named_parameters():
        if parameter.dim() < 2:
            wanted = 1.0 if ".ln_" in name and name.endswith("weight") else 0.0
            assert (parameter == wanted).all(), name
        else:
            std = 0.02 / 6**0.5 if name.endswith("c_proj.weight") else 0.02
            assert abs(parameter.std() / std - 1) < 0.15, name
    with initializers() as last:  # each once: that of the embedding, not of the head, draws both
        assert last(graphbuild.compile("gpt2_small", **SMALL))["transformer.wte.weight"] == (
            "normal_", {"mean": 0.0, "std": 0.02, "generator": None}
        )  # fmt: skip
