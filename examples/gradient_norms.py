"""Compare the gradients of a deep network with shortcuts and without, layer by layer.

The two have the same layers and begin with the same weights. Without shortcuts, batch normalisation
keeps the signal alive on its way up, and the gradient grows with each layer on its way down.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor, nn

import graphbuild
from common import Output, Seed, digits, picture, progress, run

Steps = Annotated[int, typer.Option(min=1, help="Training steps before the second look.")]
Blocks = Annotated[int, typer.Option(min=1, help="Blocks per stage: 9 for 56 layers.")]


def backward(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    model.zero_grad()
    loss = nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    return loss.item()


def norms(model: nn.Module) -> list[float]:
    """The norms of the gradients of the layers' weights, in order."""
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    return [layer.weight.grad.norm().item() for layer in layers]


def main(steps: Steps = 40, blocks: Blocks = 9, seed: Seed = 0, output: Output = Path()) -> None:
    images, labels = digits(32)
    images = images.expand(-1, 3, -1, -1)  # to three channels
    torch.manual_seed(seed)
    batches = [torch.randint(len(images), (32,)) for _ in range(steps)]

    start, end, losses = {}, {}, {}
    for name in ("plain56", "resnet56"):
        torch.manual_seed(seed)
        model = graphbuild.compile(name, n=blocks).train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        losses[name] = []
        for step in progress(steps, name):
            rows = batches[step]
            losses[name].append(backward(model, images[rows], labels[rows]))
            if step == 0:
                start[name] = norms(model)
            optimizer.step()
        end[name] = norms(model)

    for name, values in start.items():
        times = values[1] / values[-2]  # convolutions: neither the first layer nor the classifier
        print(f"{name}: at the start the first block's gradient is {times:,.1f} times the last's")
        latest = losses[name][-5:]
        print(f"{name}: after {steps} steps the loss is {sum(latest) / len(latest):.2f}")
    panels = {"at the start": start, f"after {steps} steps": end}
    with picture(output / "gradient_norms.png", columns=3, size=(14, 4)) as (*axes, history):
        for ax, (when, found) in zip(axes, panels.items(), strict=True):
            for name, values in found.items():
                ax.semilogy(range(1, len(values) + 1), values, label=name)
            ax.set(title=when, xlabel="layer", ylabel="norm of the gradient")
        for name, values in losses.items():
            history.plot(range(1, steps + 1), values, label=name)
        history.set(title="training", xlabel="step", ylabel="cross entropy")
        history.legend()


if __name__ == "__main__":
    run(main)
