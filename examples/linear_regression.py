"""Recover the weights 1, 2, 3 and the bias 5 of a linear function from noisy samples of it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

import graphbuild
from common import Epochs, Output, Seed, epoch, picture, progress, run

WEIGHTS, BIAS = (1.0, 2.0, 3.0), 5.0


def main(epochs: Epochs = 50, seed: Seed = 0, output: Output = Path()) -> None:
    torch.manual_seed(seed)
    x = torch.randn(1000, 3)
    y = x @ torch.tensor(WEIGHTS).unsqueeze(1) + BIAS + 0.1 * torch.randn(1000, 1)

    model = graphbuild.compile("linear_regression")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    losses = [
        epoch(lambda x, y: nn.functional.mse_loss(model(x), y), optimizer, x, y)
        for _ in progress(epochs)
    ]

    found = model.linear.weight.detach().flatten().tolist()
    print("weights found:", ", ".join(f"{w:.3f}" for w in found), "(true: 1, 2, 3)")
    print(f"bias found: {model.linear.bias.item():.3f} (true: 5)")
    with picture(output / "linear_regression.png") as (axes,):
        axes.semilogy(range(1, epochs + 1), losses)
        axes.axhline(0.01, color="grey", linestyle="dotted", label="variance of the noise")
        axes.set(xlabel="epoch", ylabel="mean squared error")
        axes.legend()


if __name__ == "__main__":
    run(main)
