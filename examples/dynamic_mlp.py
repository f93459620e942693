"""Train an MLP whose depth is a param, save its weights, and load them into a new one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import nn

import graphbuild
from common import Epochs, Output, Seed, accuracy, digits, epoch, picture, progress, run, split

Layers = Annotated[int, typer.Option(min=1, max=12, help="The number of hidden layers.")]


def main(
    num_layers: Layers = 6, epochs: Epochs = 30, seed: Seed = 0, output: Output = Path()
) -> None:
    torch.manual_seed(seed)
    images, labels = digits()
    train, test = split(images.flatten(1), labels)

    model = graphbuild.compile("dynamic_mlp", num_layers=num_layers)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
    losses = [
        epoch(lambda x, y: nn.functional.cross_entropy(model(x), y), optimizer, *train)
        for _ in progress(epochs)
    ]

    moved = {name: (value - before[name]).norm() for name, value in model.named_parameters()}
    print(f"hidden layers: {len(model.hidden)}")
    print(f"parameters that training changed: {sum(map(bool, moved.values()))} of {len(moved)}")
    print(f"accuracy on the test digits: {accuracy(model, *test):.1%}")

    output.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), output / "dynamic_mlp.pt")
    again = graphbuild.compile("dynamic_mlp", init=False, num_layers=num_layers)
    again.load_state_dict(torch.load(output / "dynamic_mlp.pt", weights_only=True))
    print(f"accuracy when saved and loaded: {accuracy(again, *test):.1%}")

    with picture(output / "dynamic_mlp.png", columns=2, size=(10, 4)) as (curve, bars):
        curve.plot(range(1, epochs + 1), losses)
        curve.set(xlabel="epoch", ylabel="cross entropy")
        weights = [name for name in moved if name.endswith("weight")]
        bars.barh(weights, [moved[name].item() for name in weights])
        bars.invert_yaxis()
        bars.set(xlabel="distance that training moved it")


if __name__ == "__main__":
    run(main)
