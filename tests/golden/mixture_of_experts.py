"""mixture_of_experts: Sparsely gated mixture of experts (Shazeer et al., 2017),
arXiv:1701.06538.

Written by graphbuild from mixture_of_experts.yaml; needs only torch.
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def expert(in_features: int, hidden: int) -> nn.Sequential:
    """[N, in_features] -> [N, in_features]."""
    return nn.Sequential(
        OrderedDict(
            up=nn.Linear(in_features, hidden),
            act=nn.GELU(),
            down=nn.Linear(hidden, in_features),
        )
    )


class Experts(nn.ModuleList):
    """The weighted sum of those cases that `gate` gives most, for each row.

    [..., cases], [..., in_features] -> [..., in_features].
    """

    def __init__(
        self, in_features: int, hidden: int, num_experts: int, top_k: int
    ) -> None:
        super().__init__([expert(in_features, hidden) for _ in range(num_experts)])
        self.top_k = top_k

    def forward(self, gate: Tensor, x: Tensor) -> Tensor:
        size = gate.shape[:-1]
        gate = gate.flatten(0, -2)
        x = x.flatten(0, 1)
        weights, chosen = gate.topk(self.top_k, dim=-1)
        skip = not torch.compiler.is_compiling() and gate.shape[0] > 0
        out = None
        for number, case in enumerate(self):
            own, nth = torch.where(chosen == number)
            if skip and own.shape[0] == 0:
                continue
            part = case(x[own]) * weights[own, nth, None]
            if out is None:
                out = part.new_zeros(gate.shape[0], *part.shape[1:])
            out.index_add_(0, own, part)
        return out.unflatten(0, size)


class MixtureOfExperts(nn.Module):
    """[N, T, 64] -> (tokens: [N, T, 64], gate: [N, T, 8])."""

    def __init__(
        self, dim: int = 64, hidden: int = 256, num_experts: int = 8, top_k: int = 2
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.router = nn.Linear(dim, num_experts, bias=False)
        self.experts = Experts(dim, hidden, num_experts, top_k)

    def forward(self, tokens: Tensor) -> dict[str, Tensor]:
        norm = self.norm(tokens)
        x = self.router(norm)
        x = F.softmax(x, dim=-1)
        out = self.experts(x, norm)
        del norm
        out = tokens + out
        return {"tokens": out, "gate": x}
