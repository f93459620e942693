"""Bundled specs inside specs, whole and cut, against torchvision's models put together by hand."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from references import initializers, layout, models
from torch import Tensor, nn

import graphbuild
from graphbuild.vision import torchvision

IMAGE = {"image": ["N", 3, "H=64", "W=64"]}


def spec(nodes: Mapping[str, Any], outputs: Any, **more: Any) -> dict[str, Any]:
    return {
        "graphbuild": 1, "name": "net", "inputs": IMAGE, "nodes": nodes, "outputs": outputs, **more
    }  # fmt: skip


class Cut(nn.Module):
    """A model cut by hand: its children up to the last that is wanted, and their values."""

    def __init__(self, model: nn.Module, wanted: Mapping[str, str]) -> None:
        super().__init__()
        last = max(list(dict(model.named_children())).index(name) for name in wanted)
        for name, child in list(model.named_children())[: last + 1]:
            self.add_module(name, child)
        self.wanted = wanted

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        found = {}
        for name, child in self.named_children():
            x = child(x)
            if name in self.wanted:
                found[self.wanted[name]] = x
        return found


def compare(ours: nn.Module, theirs: nn.Module, size: tuple[int, int] = (64, 48)) -> None:
    """Keys, values and gradients in training and evaluation."""
    assert layout(ours) == layout(theirs)
    ours.load_state_dict(theirs.state_dict())
    image = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    for train in (False, True):
        results = []
        for model in (ours, theirs):
            model.train(train)
            torch.manual_seed(0)
            found = model(image)
            found = found if isinstance(found, dict) else {"": found}
            sum((value * value).mean() for value in found.values()).backward()
            results.append(found)
        assert list(results[0]) == list(results[1])
        for key, value in results[0].items():
            assert torch.equal(value, results[1][key]), key
    pairs = zip(ours.named_parameters(), theirs.parameters(), strict=True)
    for (name, mine), other in pairs:
        torch.testing.assert_close(mine.grad, other.grad, msg=name)


def test_a_cut_resnet_is_an_intermediate_layer_getter() -> None:
    node = {"spec": "resnet18", "outputs": {"aux": "layer3", "out": "layer4"}}
    ours = graphbuild.compile(
        spec({"backbone": node}, {"aux": "backbone.aux", "out": "backbone.out"})
    )
    getter = torchvision.models._utils.IntermediateLayerGetter(
        models.resnet18(), {"layer3": "aux", "layer4": "out"}
    )

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = getter

        def forward(self, image: Tensor) -> dict[str, Tensor]:
            return self.backbone(image)

    compare(ours, Whole())
    assert not any(key.startswith("backbone.fc") for key in ours.state_dict())


@pytest.mark.parametrize(
    ("name", "path", "count"),
    [
        ("vgg16", "features.15", 16),
        ("vgg11", "features.20", 21),
        ("densenet121", "features.denseblock2", 7),
    ],
)
def test_a_cut_ends_inside_a_group(name: str, path: str, count: int) -> None:
    node = {"spec": name, "outputs": path}
    ours = graphbuild.compile(spec({"backbone": node}, "backbone"))

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = nn.Module()
            self.backbone.features = getattr(models, name)().features[:count]

        def forward(self, image: Tensor) -> Tensor:
            return self.backbone.features(image)

    compare(ours, Whole())


def test_what_is_cut_off_may_be_there_in_one_mode_alone() -> None:
    googlenet = models.googlenet(aux_logits=True, init_weights=False)
    node = {"spec": "googlenet", "outputs": {"mid": "inception4b.branch2", "out": "inception4d"}}
    ours = graphbuild.compile(spec({"net": node}, {"mid": "net.mid", "out": "net.out"}))
    keys = [key.removeprefix("net.") for key in ours.state_dict()]
    assert not any(key.startswith(("aux", "fc", "inception4e")) for key in keys)
    known = {f"net.{k}": v for k, v in googlenet.state_dict().items()}
    ours.load_state_dict({key: known[key] for key in ours.state_dict()})
    seen = {}
    googlenet.inception4b.branch2.register_forward_hook(lambda *call: seen.update(mid=call[2]))
    googlenet.inception4d.register_forward_hook(lambda *call: seen.update(out=call[2]))
    image = torch.randn(2, 3, 64, 64)
    googlenet.eval()(image)
    assert same(ours.eval()(image), seen)


def test_two_of_one_spec_and_one_of_another() -> None:
    nodes = {
        "left": {"spec": "resnet18", "params": {"num_classes": 5}},
        "right": {"spec": "resnet18.yaml", "from": "image", "params": {"num_classes": 5}},
        "third": {
            "spec": "resnet50",
            "from": "image",
            "params": {"layers": [1, 1, 1, 1], "num_classes": 5},
        },
        "sum": {"op": "add", "from": ["left", "right", "third"]},
    }
    generated = graphbuild.emit(graphbuild.elaborate(graphbuild.read(spec(nodes, "sum"))))
    classes = [
        line.split("(")[0] for line in generated.source.splitlines() if line.startswith("class ")
    ]
    assert classes == [
        "class BasicBlock",
        "class Resnet18",
        "class Bottleneck",
        "class Resnet50",
        "class Net",
    ]
    ours = graphbuild.load(generated, init=False)

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left = models.resnet18(num_classes=5)
            self.right = models.resnet18(num_classes=5)
            self.third = models.ResNet(models.resnet.Bottleneck, [1, 1, 1, 1], num_classes=5)

        def forward(self, image: Tensor) -> Tensor:
            return self.left(image) + self.right(image) + self.third(image)

    compare(ours, Whole())


def test_blocks_of_both_files_may_have_the_same_name() -> None:
    block = {
        "nodes": {
            "fc": {"op": "Linear", "out_features": 4},
            "out": {"op": "add", "from": ["fc", "input"]},
        }
    }
    nodes = {
        "net": {"spec": "resnet18", "params": {"num_classes": 4, "layers": [1, 1, 1, 1]}},
        "more": {"op": "basic_block"},
        "net2": {"spec": "resnet50", "from": "image", "outputs": "layer1"},
    }
    made = graphbuild.read(spec(nodes, ["more", "net2"], blocks={"basic_block": block}))
    source = graphbuild.emit(graphbuild.elaborate(made)).source
    names = [
        line.split()[1].split("(")[0].rstrip(":")
        for line in source.splitlines()
        if line.startswith(("class ", "def "))
    ]
    assert len(set(names)) == len(names)
    assert {"BasicBlock", "Resnet18BasicBlock", "Resnet18", "Resnet50", "Net"} <= set(names)


# -- initialisation ------------------------------------------------------------------------------


def test_rules_inside_hold_inside_and_those_outside_go_first() -> None:
    nodes = {
        "own": {"op": "Conv2d", "out_channels": 3, "kernel_size": 1},
        "backbone": {"spec": "resnet18", "outputs": "layer1"},
        "dense": {"spec": "densenet121", "from": "own", "outputs": "features.denseblock1"},
    }
    rules = [
        {"match": "backbone.conv1", "weight": "zeros"},
        {"match": "BatchNorm2d", "bias": "ones"},
    ]
    with initializers() as last:
        model = graphbuild.compile(spec(nodes, ["backbone", "dense"], init=rules))
        found = last(model)
        written = last(
            type(graphbuild.compile(spec(nodes, ["backbone", "dense"], init=rules), init=False))()
        )
    assert written == found
    assert found["own.weight"][1]["a"] == 5**0.5  # as the layer does
    assert found["backbone.conv1.weight"] == ("zeros_", {})
    assert found["backbone.layer1.0.conv1.weight"][0] == "kaiming_normal_"
    assert found["backbone.layer1.0.conv1.weight"][1]["mode"] == "fan_out"
    assert found["dense.features.conv0.weight"][1]["mode"] == "fan_in"
    assert found["backbone.bn1.weight"] == ("constant_", {"val": 1})
    assert {v for k, v in ((k, v[0]) for k, v in found.items()) if k.endswith("bn1.bias")} == {
        "ones_"
    }


def test_each_parameter_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: dict[int, int] = {}
    keep = []
    for name in ("kaiming_normal_", "kaiming_uniform_", "constant_", "ones_", "zeros_", "uniform_"):
        function = getattr(nn.init, name)

        def count(tensor: Tensor, *args: Any, function: Any = function, **kwargs: Any) -> Tensor:
            if isinstance(tensor, nn.Parameter):
                counts[id(tensor)] = counts.get(id(tensor), 0) + 1
                keep.append(tensor)
            return function(tensor, *args, **kwargs)

        monkeypatch.setattr(nn.init, name, count)
    nodes = {"backbone": {"spec": "resnet18", "outputs": "layer1"}}
    model = graphbuild.compile(
        spec(nodes, "backbone", init=[{"match": "Conv2d", "weight": "ones"}])
    )
    assert {counts[id(parameter)] for parameter in model.parameters()} == {1}


# -- what people do with a module ---------------------------------------------------------------


@pytest.fixture(scope="module")
def net() -> nn.Module:
    nodes = {
        "backbone": {
            "spec": "resnet18",
            "outputs": {"low": "layer1", "mid": "layer2.0", "high": "layer2"},
        },
        "sum": {"op": "add", "from": ["backbone.mid", "backbone.high"]},
    }
    return graphbuild.compile(spec(nodes, {"sum": "sum", "low": "backbone.low"})).eval()


def same(left: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def test_it_copies_and_pickles(net: nn.Module) -> None:
    image = torch.randn(1, 3, 32, 32)
    assert same(copy.deepcopy(net)(image), net(image))
    assert same(pickle.loads(pickle.dumps(net))(image), net(image))
    assert type(net.backbone).__name__ == "Resnet18"
    assert type(net.backbone.layer2).__name__ == "Stage"


def test_it_compiles_without_graph_breaks(net: nn.Module) -> None:
    image = torch.randn(2, 3, 32, 32)
    assert same(torch.compile(net, fullgraph=True, backend="eager")(image), net(image))


def test_it_exports_with_a_free_batch_and_size(net: nn.Module) -> None:
    dim = torch.export.Dim
    free = {0: dim("batch", min=2), 2: 8 * dim("h", min=2), 3: 8 * dim("w", min=2)}
    program = torch.export.export(net, (torch.randn(2, 3, 32, 40),), dynamic_shapes=(free,))
    other = torch.randn(3, 3, 64, 48)
    found = program.module()(other)
    for key, value in net(other).items():
        torch.testing.assert_close(found[key], value)


# -- DeepLabv3 ----------------------------------------------------------------------------------


def deeplab(classes: int = 21, aux: bool = True) -> nn.Module:
    return models.segmentation.deeplabv3_resnet50(
        weights=None, weights_backbone=None, num_classes=classes, aux_loss=aux
    )


def test_deeplabv3_has_the_same_layout() -> None:
    with torch.device("meta"):
        for aux in (True, False):
            ours = graphbuild.compile("deeplabv3_resnet50", init=False, aux_loss=aux)
            assert layout(ours) == layout(deeplab(aux=aux))


def test_deeplabv3_without_the_second_head() -> None:
    theirs = deeplab(5, aux=False).eval()
    ours = graphbuild.compile("deeplabv3_resnet50", init=False, num_classes=5, aux_loss=False)
    ours.load_state_dict(theirs.state_dict())
    image = torch.randn(1, 3, 40, 48)
    found = ours.eval()(image)
    assert found["aux"] is None
    assert torch.equal(found["out"], theirs(image)["out"])


@pytest.mark.slow
def test_deeplabv3_gives_the_same() -> None:
    torch.manual_seed(0)
    theirs = deeplab(5)
    compare(graphbuild.compile("deeplabv3_resnet50", init=False, num_classes=5), theirs, (41, 48))
    ours = graphbuild.compile("deeplabv3_resnet50", init=False, num_classes=5)
    assert list(ours.eval()(torch.zeros(1, 3, 40, 56))) == ["out", "aux"]


def test_deeplabv3_is_initialised_alike() -> None:
    with initializers() as last:
        theirs = last(deeplab())
        ours = last(graphbuild.compile("deeplabv3_resnet50"))
    assert ours == theirs
