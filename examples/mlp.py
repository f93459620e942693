"""Fit the curve x² + 3 between -2 and 2, knowing it at random points only."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

import graphbuild
from common import Epochs, Output, Seed, epoch, picture, progress, run


def main(epochs: Epochs = 100, seed: Seed = 0, output: Output = Path()) -> None:
    torch.manual_seed(seed)
    x = torch.rand(1000, 1) * 4 - 2
    y = x**2 + 3

    model = graphbuild.compile("mlp")

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return nn.functional.mse_loss(model(x), y)

    optimizer = torch.optim.Adam(model.parameters(), lr=0.005, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    losses = []
    for _ in progress(epochs):
        losses.append(epoch(loss, optimizer, x, y, batch_size=16))
        schedule.step()

    line = torch.linspace(-2, 2, 401).unsqueeze(1)
    with torch.inference_mode():
        fit = model.eval()(line)
    print(f"largest error between -2 and 2: {(fit - line**2 - 3).abs().max():.4f}")
    with picture(output / "mlp.png", columns=2, size=(10, 4)) as (curve, history):
        curve.plot(line, line**2 + 3, label="x² + 3", linewidth=4, alpha=0.4)
        curve.plot(line, fit, label="fit")
        curve.set(xlabel="x")
        curve.legend()
        history.semilogy(range(1, epochs + 1), losses)
        history.set(xlabel="epoch", ylabel="mean squared error")


if __name__ == "__main__":
    run(main)
