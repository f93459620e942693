"""Bundled specs against the models that torchvision has by the same name."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from benchmarks.contest import Benchmark, Contest, Cost, Setting
from benchmarks.memory import peak
from graphbuild import api
from graphbuild.vision import torchvision

LEAST = 0.03  # seconds that one measurement of a forward takes at least

MODELS: dict[str, Callable[[], nn.Module]] = {
    "alexnet": torchvision.models.alexnet,
    "vgg16": torchvision.models.vgg16,
    "googlenet": lambda: torchvision.models.googlenet(init_weights=False),
    "resnet18": torchvision.models.resnet18,
    "resnet50": torchvision.models.resnet50,
    "densenet121": torchvision.models.densenet121,
}
# What constructing without initialisation may cost, of torchvision's constructor.
UNDRAWN = {"densenet121": 0.6, "resnet50": 0.3, "vgg16": 0.05}


def benchmarks() -> Iterator[Benchmark]:
    for kind, one_side in (("forward", _forward), ("step", _step)):
        for name, size in itertools.product(MODELS, (224, 32)):
            if (name, size) == ("alexnet", 32) or (kind, size) == ("step", 224):
                continue  # it takes no image that small; and a step shows overhead best if small
            prepare = functools.partial(_running, name, size, one_side)
            yield Benchmark(f"{kind}/{name}/{size}", 1.0, prepare, noisy=True)
    for mode, name in itertools.product(("eval", "train"), MODELS):
        prepare = functools.partial(_holding, name, mode == "train")
        yield Benchmark(f"memory/{name}/{mode}", 1.0, prepare, unit="B", rounds=1)
    for name in UNDRAWN:
        yield Benchmark(f"construct/{name}", 1.0, functools.partial(_making, name, True), rounds=9)
    for name, target in UNDRAWN.items():
        prepare = functools.partial(_making, name, False)
        yield Benchmark(f"construct/{name}/undrawn", target, prepare, rounds=9)


def _trio(name: str, *, train: bool) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Ours and two of theirs with the same weights, each in memory of its own."""
    torch.manual_seed(0)
    theirs = MODELS[name]()
    ours = api.compile(name, init=False)
    ours.load_state_dict(theirs.state_dict())
    return ours.train(train), theirs.train(train), copy.deepcopy(theirs).train(train)


def _running(
    name: str,
    size: int,
    one_side: Callable[[nn.Module, Tensor], Callable[[], object]],
    setting: Setting,
) -> Contest:
    trio = _trio(name, train=one_side is _step)
    image = torch.randn(2 if one_side is _step else 1, 3, size, size)
    sides = [one_side(model, image) for model in trio]
    calls = [setting.calls_for(side, LEAST) for side in sides]  # also warms every side up
    return Contest(*(setting.timed(side, calls=calls[1]) for side in sides))


def _forward(model: nn.Module, image: Tensor) -> Callable[[], object]:
    @torch.inference_mode()
    def run() -> object:
        return model(image)

    return run


def _step(model: nn.Module, image: Tensor) -> Callable[[], object]:
    def run() -> None:
        model.zero_grad()
        given = [value for value in tree_leaves(model(image)) if value is not None]
        sum(value.sum() for value in given).backward()

    return run


def _holding(name: str, train: bool, _: Setting) -> Contest:
    image = torch.randn(2, 3, 224, 224)

    def side(model: nn.Module) -> Cost:
        def cost() -> float:
            with torch.set_grad_enabled(train):
                return peak(model, image)

        return cost

    return Contest(*map(side, _trio(name, train=train)))


def _making(name: str, init: bool, setting: Setting) -> Contest:
    """From the text of a spec; each time another text, so that nothing of it is known already."""
    text = api.specs()[name].read_text(encoding="utf-8")
    turns = itertools.count()

    def ours() -> float:
        path = setting.folder / f"{next(turns)}.yaml"
        path.write_text(text.replace("\ndoc: ", f"\ndoc: Copy {path.stem}. ", 1), encoding="utf-8")
        return setting.timed(lambda: api.compile(path, init=init))()

    theirs = setting.timed(MODELS[name])
    ours(), theirs()  # imports
    return Contest(ours, theirs, theirs)
