"""Train a network that sends difficult images through a deep path and the others through a simple one.

The images are scikit-learn's handwritten digits, most of them under more or less noise. The network
measures how rough an image is and routes each by itself. Shown is which path they take, how many are read
correctly, what the deep path is worth to the noisy ones, and how much computing is saved.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

import graphbuild
from common import Epochs, Output, Seed, accuracy, digits, epoch, picture, progress, run, split

SPEC = "conditional_depth_route"
NOISE = 0.5  # of the noisiest; ink is 1 on paper 0


class Logits(nn.Module):
    """The model without its second output."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        return self.model(image)["logits"]


@torch.inference_mode()
def deep_share(model: nn.Module, images: Tensor) -> float:
    """The share of the images that take the deep path, counted where they arrive."""
    arrived: list[int] = []
    hook = model.path["true"].register_forward_pre_hook(
        lambda _, given: arrived.append(len(given[0]))
    )
    model.eval()(images)
    hook.remove()
    return sum(arrived) / len(images)


def path_macs() -> dict[str, int]:
    """What each path costs for one image."""
    rows = graphbuild.summary(graphbuild.elaborate(graphbuild.read(SPEC))).rows
    return {
        path: sum(row.counts.macs for row in rows if row.path.startswith(f"path.{path}."))
        for path in ("true", "false")
    }


def main(epochs: Epochs = 60, seed: Seed = 0, output: Output = Path()) -> None:
    torch.manual_seed(seed)
    (train, labels), (clean, wanted) = split(*digits(16))
    noisy = clean + NOISE / 2 * torch.randn_like(clean)
    model = graphbuild.compile(SPEC)
    # the same network with a threshold that no image reaches: all take the simple path
    simple = graphbuild.compile(SPEC, threshold=1e9)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.006)

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        strength = (
            NOISE * torch.rand(len(images), 1, 1, 1) * (torch.rand(len(images), 1, 1, 1) < 0.7)
        )
        given = images + strength * torch.randn_like(images)
        return nn.functional.cross_entropy(model(given)["logits"], labels)

    for _ in progress(epochs):
        model.train()
        epoch(loss, optimizer, train, labels)
    simple.load_state_dict(model.state_dict())

    for name, images in {"clean": clean, "noisy": noisy}.items():
        share, right = deep_share(model, images), accuracy(Logits(model), images, wanted)
        print(f"{name} images: {share:.1%} take the deep path, {right:.1%} are read correctly")
    right = accuracy(Logits(simple), noisy, wanted)
    print(f"noisy images by the simple path: {right:.1%} are read correctly")
    macs = path_macs()
    share = deep_share(model, torch.cat([clean, noisy]))
    saved = (1 - share) * (1 - macs["false"] / macs["true"])
    print(f"computing saved in the paths: {saved:.1%} of what the deep one takes for all images")

    levels = [step / 20 for step in range(17)]
    with picture(output / "conditional_depth.png") as (axes,):
        given = [clean + level * torch.randn_like(clean) for level in levels]
        axes.plot(
            levels, [accuracy(Logits(model), x, wanted) for x in given], label="routed: accuracy"
        )
        axes.plot(
            levels,
            [accuracy(Logits(simple), x, wanted) for x in given],
            label="simple path: accuracy",
        )
        axes.plot(
            levels, [deep_share(model, x) for x in given], "--", label="share of the deep path"
        )
        axes.set(xlabel="noise", ylim=(0, 1.05))
        axes.legend()


if __name__ == "__main__":
    run(main)
