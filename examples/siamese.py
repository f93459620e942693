"""Train a Siamese network on pairs of digits, and verify pairs of digits that it has never seen.

Two images go through one embedding network, which learns from pairs of the digits 0 to 6 whether
they show the same; a digit that is turned by a quarter counts as one of its own, so that there is
more to tell apart. Then the network is asked about pairs of 7, 8 and 9: are two images of one digit
nearer to each other than two images of different ones?
"""

from __future__ import annotations

from pathlib import Path

import torch
from sklearn.metrics import roc_auc_score, roc_curve
from torch import Tensor, nn

import graphbuild
from common import Epochs, Output, Seed, digits, epoch, picture, progress, run, split

SEEN = 7  # the digits below it are for training
MARGIN = 2.0  # how far apart different digits should come to lie
Pairs = tuple[Tensor, Tensor, Tensor]  # left, right, and 1.0 where both show the same


def pairs(images: Tensor, labels: Tensor, count: int) -> Pairs:
    """Random pairs, half of them of the same digit."""
    left = torch.randint(len(labels), (count,))
    alike = labels[left][:, None] == labels
    wanted = torch.rand(count) < 0.5
    right = torch.where(wanted[:, None], alike, ~alike).float().multinomial(1)[:, 0]
    return images[left], images[right], wanted.float()


@torch.inference_mode()
def distances(model: nn.Module, tested: Pairs) -> Tensor:
    left, right, _ = tested
    return model.eval()(left, right)["distance"]


def turned(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The images in four directions, each a class of its own."""
    every = [images.rot90(quarter, (2, 3)) for quarter in range(4)]
    return torch.cat(every), torch.cat([labels + 10 * quarter for quarter in range(4)])


def verified(distance: Tensor, same: Tensor, threshold: float) -> float:
    """The share of the pairs that are told rightly."""
    return ((distance <= threshold) == same.bool()).float().mean().item()


def main(epochs: Epochs = 6, seed: Seed = 0, output: Output = Path()) -> None:
    torch.manual_seed(seed)
    images, labels = digits()
    seen = labels < SEEN
    train, test = split(images[seen], labels[seen])
    tests = {
        f"digits 0 to {SEEN - 1}, other images": pairs(*test, 2000),
        f"digits {SEEN} to 9, never seen": pairs(images[~seen], labels[~seen], 2000),
    }
    model = graphbuild.compile("siamese_contrastive", width=32)
    contrastive = graphbuild.compile("contrastive_loss", margin=MARGIN)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)

    def loss(left: Tensor, right: Tensor, same: Tensor) -> Tensor:
        found = model(left, right)
        return contrastive(found["left"], found["right"], same)

    for _ in progress(epochs):
        model.train()
        epoch(loss, optimizer, *pairs(*turned(*train), 4000))

    threshold = MARGIN / 2
    with picture(output / "siamese.png", columns=3, size=(12, 4)) as (*histograms, curve):
        for axes, (words, tested) in zip(histograms, tests.items(), strict=True):
            distance, same = distances(model, tested), tested[2]
            pixels = (tested[0] - tested[1]).flatten(1).norm(dim=1)
            area, without = (roc_auc_score(same, -d) for d in (distance, pixels))
            print(
                f"{words}: {verified(distance, same, threshold):.1%} of pairs verified, "
                f"area under the ROC {area:.3f} (by their pixels alone {without:.3f})"
            )
            bins = torch.linspace(0, float(distance.max()), 50).tolist()
            for name, rows in (("same digit", same == 1), ("different digits", same == 0)):
                axes.hist(distance[rows].tolist(), bins=bins, alpha=0.6, label=name)
            axes.axvline(threshold, color="black", linestyle=":")
            axes.set(title=words, xlabel="distance", ylabel="pairs")
            axes.legend()
            false, true, _ = roc_curve(same, -distance)
            curve.plot(false, true, label=words)
        curve.set(xlabel="different digits taken for the same", ylabel="same digits recognised")
        curve.legend(loc="lower right")


if __name__ == "__main__":
    run(main)
