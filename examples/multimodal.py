"""Train a network of two inputs on two questions at once, and show that it needs both inputs.

The images and their metadata are made up. The scene is told by the direction of the stripes (in the
image) and the altitude (in the metadata) together; the lighting by the brightness of the image and
the exposure of the camera together.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

import graphbuild
from common import Epochs, Output, Seed, epoch, picture, progress, run

Samples = tuple[Tensor, Tensor, Tensor, Tensor]  # image, metadata, scene, lighting


def samples(count: int) -> Samples:
    upright, high = torch.randint(2, (2, count))
    lighting, exposure = torch.randint(3, (2, count))
    phase, period = torch.rand(count) * 6.28, 4 + 4 * torch.rand(count)
    wave = torch.sin(6.28 * torch.arange(32) / period[:, None] + phase[:, None])
    stripes = torch.where(upright.bool()[:, None, None], wave[:, None, :], wave[:, :, None])
    brightness = 0.25 * 2.0 ** (lighting + exposure - 2)
    image = brightness[:, None, None, None] * (1 + 0.5 * stripes.unsqueeze(1))
    image = image + 0.05 * torch.randn(count, 3, 32, 32)
    # the last two numbers say nothing
    known = torch.stack([high * 2.0 - 1, exposure - 1.0, *torch.randn(2, count)], 1)
    metadata = known + 0.1 * torch.randn(count, 4)
    return image, metadata, 2 * upright + high, lighting


@torch.inference_mode()
def accuracies(model: nn.Module, *test: Tensor) -> dict[str, float]:
    image, metadata, scene, lighting = test
    found = model.eval()(image, metadata)
    wanted = {"scene": scene, "lighting": lighting}
    return {name: (found[name].argmax(1) == wanted[name]).float().mean().item() for name in wanted}


def main(epochs: Epochs = 10, seed: Seed = 0, output: Output = Path()) -> None:
    torch.manual_seed(seed)
    train, test = samples(2000), samples(500)
    model = graphbuild.compile("multimodal")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)

    def loss(image: Tensor, metadata: Tensor, scene: Tensor, lighting: Tensor) -> Tensor:
        found = model(image, metadata)
        one = nn.functional.cross_entropy(found["scene"], scene)
        other = nn.functional.cross_entropy(found["lighting"], lighting)
        return one + other

    history = []
    for _ in progress(epochs):
        model.train()
        epoch(loss, optimizer, *train)
        history.append(accuracies(model, *test))

    image, metadata, *labels = test
    others = torch.randperm(len(image))
    rows = {
        "both inputs": accuracies(model, *test),
        "another sample's image": accuracies(model, image[others], metadata, *labels),
        "another sample's metadata": accuracies(model, image, metadata[others], *labels),
    }
    for words, found in rows.items():
        print(f"{words}: scene {found['scene']:.1%}, lighting {found['lighting']:.1%}")

    with picture(output / "multimodal.png", columns=2, size=(10, 4)) as (curve, bars):
        for name in ("scene", "lighting"):
            curve.plot(range(1, epochs + 1), [found[name] for found in history], label=name)
            shift = 0.2 if name == "scene" else -0.2
            places = [place + shift for place in range(len(rows), 0, -1)]
            bars.barh(places, [found[name] for found in rows.values()], 0.38, label=name)
        curve.set(xlabel="epoch", ylabel="test accuracy", ylim=(0, 1.05))
        curve.legend()
        bars.set_yticks(range(len(rows), 0, -1), rows)
        bars.set(xlabel="test accuracy", xlim=(0, 1.05))


if __name__ == "__main__":
    run(main)
