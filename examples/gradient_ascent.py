"""Draw what a network wants to see: inputs that maximise one of its classes or filters.

A forward hook on the layer keeps its values; the input follows the gradient of one of its channels.
An L1 penalty holds every pixel at zero that does not earn its place. Without weights of your own, a
LeNet-5 first learns scikit-learn's digits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
import typer
from torch import Tensor, nn

import graphbuild
import lenet5
from common import Epochs, Output, Seed, digits, picture, progress, run, split

COUNT = 10  # classes and filters that are drawn: the first ones
RATE = 0.5

Spec = Annotated[str, typer.Option(help="The bundled spec that the weights are for.")]
Weights = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="A state_dict, such as lenet5.py writes."),
]
Layer = Annotated[str, typer.Option(help="The layer whose filters are drawn.")]
Steps = Annotated[int, typer.Option(min=1, help="Steps uphill.")]
Penalty = Annotated[float, typer.Option("--l1", min=0, help="The weight of the L1 penalty.")]


def ascend(
    model: nn.Module, layer: str, shape: tuple[int, ...], steps: int, l1: float
) -> tuple[Tensor, Tensor, Tensor]:
    """One input for each of the first channels; the channels' values at first and at last."""
    kept: list[Tensor] = []
    hook = model.get_submodule(layer).register_forward_hook(lambda *call: kept.append(call[2]))
    inputs, scores = 0.01 * torch.randn(COUNT, *shape), []
    for _ in progress(steps, layer):
        inputs.requires_grad_()
        model(inputs)
        channels = kept.pop()  # N×C, or N×C×H×W, of which the mean counts
        score = (channels.flatten(2).mean(2) if channels.dim() > 2 else channels).diagonal()
        scores.append(score.detach())
        (gradient,) = torch.autograd.grad(score.sum(), inputs)
        gradient = gradient / gradient.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
        # the exact step for the penalty: towards zero, and to zero where it would overshoot
        inputs = F.softshrink(inputs.detach() + RATE * gradient, RATE * l1)
    hook.remove()
    return inputs[: len(scores[0])], scores[0], scores[-1]


def main(
    spec: Spec = "lenet5",
    weights: Weights = None,
    layer: Layer = "c3",
    steps: Steps = 100,
    l1: Penalty = 0.2,
    epochs: Epochs = 20,
    seed: Seed = 0,
    output: Output = Path(),
) -> None:
    torch.manual_seed(seed)
    graph = graphbuild.elaborate(graphbuild.read(spec))
    shape = graph.inputs[0].type.shape[1:]
    last = graph.outputs[0].edge.source
    model = graphbuild.load(graphbuild.emit(graph), init=False)
    if layer not in dict(model.named_modules()):
        raise typer.BadParameter(f"{spec} has no layer {layer!r}")
    if weights is not None:
        model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    elif spec == "lenet5":
        model, *_ = lenet5.train(*split(*digits(32)), epochs)
    else:
        raise typer.BadParameter(f"{spec} needs --weights")

    model.eval()
    classes, *_ = ascend(model, last, shape, steps, l1)
    filters, before, after = ascend(model, layer, shape, steps, l1)
    with torch.inference_mode():
        seen = model(classes).argmax(1).tolist()
    right = sum(label == i for i, label in enumerate(seen))
    print(f"drawings that are seen as their class: {right} of {len(seen)}")
    print(f"pixels that stay blank: {(classes == 0).float().mean():.0%}")
    print(f"mean value of the filters of {layer}: {before.mean():.3f}, then {after.mean():.3f}")
    with picture(output / "gradient_ascent.png", rows=2, columns=COUNT, size=(14, 3.4)) as axes:
        for ax in axes:
            ax.set_axis_off()
        for name, row, images in (("class", axes[:COUNT], classes), (layer, axes[COUNT:], filters)):
            for i, (ax, image) in enumerate(zip(row, images, strict=False)):
                shown = image / image.abs().max().clamp(min=1e-6) / 2 + 0.5
                ax.imshow(shown.permute(1, 2, 0).numpy(), cmap="PuOr", vmin=0, vmax=1)
                ax.set_title(f"{name} {i}")


if __name__ == "__main__":
    run(main)
