"""Show where a network looks: Grad-CAM on scikit-learn's two sample images.

A forward hook on one block of a ResNet-18 keeps what the block gives; the gradient of a class with
respect to it weighs its channels (Selvaraju et al., 2017). Without weights of your own, the network
first learns which of the two images a crop comes from. Then it is shown a collage of both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from sklearn.datasets import load_sample_images
from torch import Tensor, nn

import graphbuild
from common import Output, Seed, picture, progress, run

Steps = Annotated[int, typer.Option(min=1, help="Training steps.")]
Layer = Annotated[str, typer.Option(help="The block that is looked into, of images: N×C×H×W.")]
Weights = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, help="Weights of torchvision's resnet18, a .pth file."
    ),
]


def sample_images() -> Tensor:
    """A Chinese temple and a flower, [2, 3, 427, 640], normalised as is usual for ImageNet."""
    images = torch.stack([torch.tensor(image) for image in load_sample_images().images])
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
    return ((images / 255 - mean) / std).permute(0, 3, 1, 2)


def crops(images: Tensor, count: int, size: int = 64) -> tuple[Tensor, Tensor]:
    """Random squares, and from which image each is."""
    labels = torch.randint(len(images), (count,))
    tops = torch.randint(images.shape[2] - size + 1, (count,)).tolist()
    lefts = torch.randint(images.shape[3] - size + 1, (count,)).tolist()
    found = [
        images[label, :, top : top + size, left : left + size]
        for label, top, left in zip(labels.tolist(), tops, lefts, strict=True)
    ]
    return torch.stack(found), labels


def train(model: nn.Module, images: Tensor, steps: int) -> None:
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.0003)
    for _ in progress(steps):
        inputs, labels = crops(images, 16)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()


def grad_cam(model: nn.Module, layer: str, image: Tensor, label: int) -> Tensor:
    """How much each place of the image [3, H, W] speaks for the label, from 0 to 1."""
    kept = []
    hook = model.get_submodule(layer).register_forward_hook(lambda *call: kept.append(call[2]))
    logits = model.eval()(image.unsqueeze(0))
    hook.remove()
    (features,) = kept
    (gradient,) = torch.autograd.grad(logits[0, label], features)
    weights = gradient.mean((2, 3), keepdim=True)
    heat = (weights * features).sum(1, keepdim=True).relu().detach()
    heat = nn.functional.interpolate(heat, image.shape[1:], mode="bilinear")[0, 0]
    return heat / heat.max().clamp(min=1e-12)


def main(
    steps: Steps = 60,
    layer: Layer = "layer4",
    weights: Weights = None,
    seed: Seed = 0,
    output: Output = Path(),
) -> None:
    torch.manual_seed(seed)
    images = sample_images()
    if weights is None:
        model = graphbuild.compile("resnet18", num_classes=2)
        names = ["temple", "flower"]
    else:
        model = graphbuild.compile("resnet18", init=False)
        model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        names = [f"class {label}" for label in range(1000)]
    if layer not in dict(model.named_modules()):
        raise typer.BadParameter(f"resnet18 has no layer {layer!r}; try layer3")
    if weights is None:
        train(model, images, steps)

    half = images.shape[3] // 2
    collage = torch.cat([images[0, ..., :half], images[1, ..., half // 2 : half // 2 + half]], 2)
    with torch.inference_mode():
        labels = model.eval()(images).argmax(1).tolist()
    shown = [
        (images[0], labels[0]),
        (images[1], labels[1]),
        (collage, labels[0]),
        (collage, labels[1]),
    ]
    heats = [grad_cam(model, layer, image, label) for image, label in shown]

    print(f"the temple is seen as: {names[labels[0]]}, the flower as: {names[labels[1]]}")
    for name, side, heat in zip(("temple", "flower"), (0, 1), heats[2:], strict=True):
        share = heat[:, half * side : half * (side + 1)].sum() / heat.sum()
        print(f"in the collage, the half with the {name} has {share:.0%} of the heat for it")
    with picture(output / "gradcam.png", rows=2, columns=2, size=(10, 7)) as axes:
        low, high = images.amin(), images.amax()
        for ax, (image, label), heat in zip(axes, shown, heats, strict=True):
            ax.imshow(((image - low) / (high - low)).permute(1, 2, 0).numpy())
            ax.imshow(heat.numpy(), cmap="inferno", alpha=0.6)
            ax.set_title(f"what speaks for: {names[label]}")
            ax.set_axis_off()


if __name__ == "__main__":
    run(main)
