"""Train LeNet-5 on scikit-learn's digits, enlarged from 8×8 to the 32×32 that it was made for."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

import graphbuild
from common import (
    Data,
    Epochs,
    Output,
    Seed,
    accuracy,
    digits,
    epoch,
    picture,
    progress,
    run,
    split,
)


def train(data: Data, test: Data, epochs: int) -> tuple[nn.Module, list[float], list[float]]:
    """A trained LeNet-5, and after each epoch its loss on the data and on the test data."""
    model = graphbuild.compile("lenet5")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.cross_entropy(model(images), labels)

    def shifted_loss(images: Tensor, labels: Tensor) -> Tensor:
        """Digits are moved by up to two pixels, since there are few of them."""
        return loss(images.roll(torch.randint(-2, 3, (2,)).tolist(), (2, 3)), labels)

    training, testing = [], []
    for _ in progress(epochs):
        model.train()
        training.append(epoch(shifted_loss, optimizer, *data, batch_size=32))
        schedule.step()
        model.eval()
        with torch.inference_mode():
            testing.append(loss(*test).item())
    return model, training, testing


def main(epochs: Epochs = 20, seed: Seed = 0, output: Output = Path()) -> None:
    torch.manual_seed(seed)
    data, test = split(*digits(32))
    model, training, testing = train(data, test, epochs)

    print(f"accuracy on the training digits: {accuracy(model, *data):.1%}")
    print(f"accuracy on the test digits: {accuracy(model, *test):.1%}")
    with picture(output / "lenet5.png") as (axes,):
        axes.semilogy(range(1, epochs + 1), training, label="training digits")
        axes.semilogy(range(1, epochs + 1), testing, label="test digits")
        axes.set(xlabel="epoch", ylabel="cross entropy")
        axes.legend()
    torch.save(model.state_dict(), output / "lenet5.pt")
    print(f"wrote {output / 'lenet5.pt'}")


if __name__ == "__main__":
    run(main)
