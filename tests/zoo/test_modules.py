"""A compiled model is an ordinary module: what people do with a handwritten one works on it."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import graphbuild

SMALL = {"growth_rate": 8, "layers": [2, 3, 2, 2], "stem": 16, "num_classes": 10}
Compile = Callable[[], nn.Module]


def densenet() -> nn.Module:
    return graphbuild.compile("densenet121", **SMALL).eval()


def resnet() -> nn.Module:
    return graphbuild.compile("resnet50", layers=[2, 1, 1, 1]).eval()


def googlenet() -> nn.Module:
    return graphbuild.compile("googlenet", num_classes=10, dropout=0.0, dropout_aux=0.0).eval()


def alexnet() -> nn.Module:
    return graphbuild.compile("alexnet", num_classes=10).eval()


def lenet() -> nn.Module:
    return graphbuild.compile("lenet5").eval()


def efficientnet() -> nn.Module:
    return graphbuild.compile("efficientnet_b0", width_mult=0.5, num_classes=10).eval()


each = pytest.mark.parametrize("make", [densenet, resnet, googlenet, lenet, efficientnet])


def image_for(model: nn.Module, batch: int = 2) -> Tensor:
    first = next(model.parameters())
    size = 32 if first.shape[1] == 1 else 64
    return torch.randn(batch, first.shape[1], size, size)


def result(model: Callable[..., Any], image: Tensor) -> Tensor:
    """What a model gives; of several values the first."""
    given = model(image)
    return next(iter(given.values())) if isinstance(given, dict) else given


def test_parts_are_reached_by_name_and_position() -> None:
    model = densenet()
    assert isinstance(model.features.denseblock1.denselayer2.conv2, nn.Conv2d)
    assert model.features.denseblock1.denselayer2.conv2.out_channels == 8
    assert list(model.features.denseblock1) == ["denselayer1", "denselayer2"]
    assert next(iter(model.features.denseblock1.denselayer2[:2].state_dict())) == "norm1.weight"
    stem = model.features[:5]
    assert isinstance(stem, nn.Sequential)
    assert stem(torch.randn(1, 3, 64, 64)).shape == (1, 32, 16, 16)

    model = resnet()
    assert model.layer1[0].conv1.kernel_size == (1, 1)
    assert model.layer1[1].conv3 is model.get_submodule("layer1.1.conv3")
    assert len(model.layer1) == 2
    assert model.layer4(torch.randn(1, 1024, 4, 4)).shape == (1, 2048, 2, 2)


def test_children_are_named_as_in_the_spec() -> None:
    names = [name for name, _ in densenet().features.named_children()]
    assert names[:6] == ["conv0", "norm0", "relu0", "pool0", "denseblock1", "transition1"]
    assert [name for name, _ in googlenet().inception3a.named_children()][:2] == [
        "branch1",
        "branch2",
    ]


def test_equal_blocks_share_a_class_named_after_them() -> None:
    model = resnet()
    assert type(model.layer1[0]) is type(model.layer4[0])
    assert type(model.layer1[0]).__name__ == "Bottleneck"
    assert "Bottleneck(" in repr(model)
    assert "(conv1): Conv2d(3, 64, kernel_size=(7, 7)" in repr(model)


@pytest.mark.parametrize(
    ("make", "path", "shape"),
    [
        (densenet, "features.denseblock1", (2, 32, 16, 16)),
        (densenet, "features.denseblock1.denselayer1", (2, 8, 16, 16)),
        (densenet, "features.transition1", (2, 16, 8, 8)),
        (resnet, "layer1", (2, 256, 16, 16)),
        (resnet, "layer2.0.downsample", (2, 512, 8, 8)),
        (googlenet, "inception3a", (2, 256, 8, 8)),
        (googlenet, "inception3a.branch4", (2, 32, 8, 8)),
    ],
)
def test_hooks_on_any_block(make: Compile, path: str, shape: tuple[int, ...]) -> None:
    model, seen = make(), []
    hook = model.get_submodule(path).register_forward_hook(lambda *call: seen.append(call[2].shape))
    model(image_for(model))
    assert seen == [shape]
    hook.remove()
    model.get_submodule(path).register_forward_hook(lambda *call: call[2] * 0)
    assert result(model, image_for(model)).isfinite().all()


@each
def test_copies_are_equal_and_apart(make: Compile) -> None:
    model = make()
    image = image_for(model)
    twin = copy.deepcopy(model)
    assert type(twin) is type(model)
    assert torch.equal(result(twin, image), result(model, image))
    with torch.no_grad():
        list(twin.parameters())[-1].add_(1)
    assert not torch.equal(result(twin, image), result(model, image))


@each
def test_survives_torch_save(make: Compile, tmp_path: Path) -> None:
    model = make()
    image = image_for(model)
    torch.save(model, tmp_path / "model.pt")
    loaded = torch.load(tmp_path / "model.pt", weights_only=False)
    assert not loaded.training
    assert torch.equal(result(loaded, image), result(model, image))
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    other = make()
    other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    assert torch.equal(result(other, image), result(model, image))


def test_pickles_into_another_process(tmp_path: Path) -> None:
    (tmp_path / "models.pkl").write_bytes(pickle.dumps([densenet(), resnet()]))
    program = (
        "import pickle, sys, torch\n"
        "for model in pickle.load(open(sys.argv[1], 'rb')):\n"
        "    print(type(model).__name__, tuple(model(torch.zeros(1, 3, 64, 64)).shape))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "models.pkl")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.splitlines() == ["Densenet121 (1, 10)", "Resnet50 (1, 1000)"]


@each
def test_moves_and_converts(make: Compile) -> None:
    model = make()
    image = image_for(model)
    assert result(model.to(torch.bfloat16), image.bfloat16()).dtype == torch.bfloat16
    model.to("meta")
    assert result(model, image.bfloat16().to("meta")).is_meta
    assert result(make().double(), image.double()).dtype == torch.float64


@each
def test_traces_with_fx(make: Compile) -> None:
    model = make()
    image = image_for(model)
    assert torch.equal(result(torch.fx.symbolic_trace(model), image), result(model, image))


@each
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_scripts(make: Compile) -> None:
    model = make()
    image = image_for(model)
    assert torch.equal(result(torch.jit.script(model), image), result(model, image))


@each
@pytest.mark.slow
def test_compiles_without_graph_breaks(make: Compile) -> None:
    model = make()
    image = image_for(model)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    assert torch.equal(result(compiled, image), result(model, image))


@each
@pytest.mark.slow
def test_exports_with_a_free_batch(make: Compile) -> None:
    model = make()
    image = image_for(model)
    program = torch.export.export(
        model, (image,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},)
    )
    other = image_for(model, batch=5)
    torch.testing.assert_close(result(program.module(), other), result(model, other))


@each
def test_learns(make: Compile) -> None:
    model = make().train()
    image = image_for(model, batch=4)
    target = torch.arange(4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    losses = []
    for _ in range(4):
        torch.manual_seed(0)
        loss = nn.functional.cross_entropy(result(model, image), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_the_same_seed_gives_the_same_numbers() -> None:
    def state(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return nn.utils.parameters_to_vector(alexnet().features.parameters())

    assert torch.equal(state(3), state(3))
    assert not torch.equal(state(3), state(4))
