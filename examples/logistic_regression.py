"""Tell three kinds of iris apart by the lengths and widths of their leaves."""

from __future__ import annotations

from pathlib import Path

import torch
from sklearn.datasets import load_iris
from torch import nn

import graphbuild
from common import Epochs, Output, Seed, accuracy, epoch, picture, progress, run, split


def main(epochs: Epochs = 200, seed: Seed = 0, output: Output = Path()) -> None:
    torch.manual_seed(seed)
    iris = load_iris()
    train, test = split(torch.tensor(iris.data, dtype=torch.float32), torch.tensor(iris.target))

    model = graphbuild.compile("logistic_regression")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = [
        epoch(lambda x, y: nn.functional.cross_entropy(model(x), y), optimizer, *train)
        for _ in progress(epochs)
    ]

    print(f"accuracy on flowers seen in training: {accuracy(model, *train):.1%}")
    print(f"accuracy on other flowers: {accuracy(model, *test):.1%}")
    with picture(output / "logistic_regression.png", columns=2, size=(10, 4)) as (curve, weights):
        curve.plot(range(1, epochs + 1), losses)
        curve.set(xlabel="epoch", ylabel="cross entropy")
        weight = model.linear.weight.detach().numpy()
        largest = abs(weight).max()
        image = weights.imshow(weight, cmap="PuOr", vmin=-largest, vmax=largest, aspect="auto")
        weights.set_xticks(range(4), [name.removesuffix(" (cm)") for name in iris.feature_names])
        weights.set_yticks(range(3), iris.target_names)
        weights.set_title("what speaks for and against a kind")
        weights.figure.colorbar(image, ax=weights, label="weight")


if __name__ == "__main__":
    run(main)
