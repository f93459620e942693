"""Vision transformers, and what took after them, against torchvision's, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from references import initializers, layout, models, same_tensors, train_step
from torch import Tensor, nn

import graphbuild


class Case(NamedTuple):
    spec: str
    reference: Callable[[], nn.Module]
    params: dict[str, Any]
    sizes: tuple[tuple[int, int], ...]


SMALL_VIT = Case(
    "vit_b_16",
    lambda: models.VisionTransformer(32, 8, 3, 2, 12, 20, dropout=0.1, num_classes=7),
    {
        "image_size": 32, "patch_size": 8, "num_layers": 3, "num_heads": 2, "hidden_dim": 12,
        "mlp_dim": 20, "dropout": 0.1, "num_classes": 7,
    },
    ((32, 32),),
)  # fmt: skip
SMALL_SWIN = Case(
    "swin_t",
    lambda: models.SwinTransformer(
        [4, 4], 12, [2, 1, 3, 1], [1, 2, 3, 4], [4, 4], dropout=0.1, attention_dropout=0.2,
        stochastic_depth_prob=0.3, num_classes=7,
    ),
    {
        "width": 12, "depths": [2, 1, 3, 1], "heads": [1, 2, 3, 4], "window": 4, "dropout": 0.1,
        "attention_dropout": 0.2, "drop_path": 0.3, "num_classes": 7,
    },
    ((96, 70), (64, 64), (97, 130), (16, 224)),
)  # fmt: skip
SWIN = Case("swin_t", models.swin_t, {}, ((64, 64), (97, 130), (28, 224), (224, 224)))
VIT = Case("vit_b_16", models.vit_b_16, {}, ((224, 224),))
SMALL_CONVNEXT = Case(
    "convnext_tiny",
    lambda: models.ConvNeXt(
        [
            models.convnext.CNBlockConfig(8, 12, 2),
            models.convnext.CNBlockConfig(12, 16, 1),
            models.convnext.CNBlockConfig(16, 20, 3),
            models.convnext.CNBlockConfig(20, None, 1),
        ],
        stochastic_depth_prob=0.3, layer_scale=0.5, num_classes=7,
    ),
    {
        "widths": [8, 12, 16, 20], "depths": [2, 1, 3, 1], "layer_scale": 0.5, "drop_path": 0.3,
        "num_classes": 7,
    },
    ((64, 64), (97, 130)),
)  # fmt: skip
CONVNEXT = Case("convnext_tiny", models.convnext_tiny, {}, ((64, 96), (97, 130)))
SMALL = [
    pytest.param(SMALL_VIT, id="small vit"),
    pytest.param(SMALL_SWIN, id="small swin"),
    pytest.param(SMALL_CONVNEXT, id="small convnext"),
]
FULL = [
    pytest.param(VIT, id="vit_b_16", marks=pytest.mark.slow),
    pytest.param(SWIN, id="swin_t", marks=pytest.mark.slow),
    pytest.param(CONVNEXT, id="convnext_tiny", marks=pytest.mark.slow),
]


NORMAL = {"mean": 0.0, "std": 0.02, "generator": None}


def pair(case: Case) -> tuple[nn.Module, nn.Module]:
    """Ours and theirs with the same weights, none of them zero."""
    ours = graphbuild.compile(case.spec, init=False, **case.params)
    theirs = case.reference()
    for parameter in theirs.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@pytest.mark.parametrize("case", [*SMALL, *FULL])
def test_equal_torchvisions(case: Case) -> None:
    ours, theirs = pair(case)
    assert layout(ours) == layout(theirs)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    ours.eval()
    theirs.eval()
    with torch.no_grad():
        for number, size in enumerate(case.sizes):
            for batch in (1, 3) if number == 0 else (2,):
                image = torch.randn(batch, 3, *size)
                assert torch.equal(ours(image), theirs(image)), image.shape
    image = torch.randn(2, 3, *case.sizes[0])
    same_tensors(train_step(ours, image), train_step(theirs, image))


@pytest.mark.parametrize("case", [*SMALL, *FULL])
def test_parameters_are_initialised_alike(case: Case) -> None:
    with initializers() as last:
        reference = case.reference()
        theirs = last(reference)
        for model in (
            graphbuild.compile(case.spec, **case.params),
            type(graphbuild.compile(case.spec, init=False))(**case.params),  # the source alone
        ):
            for key, ours in last(model).items():
                if key == "encoder.pos_embedding":  # a method of the tensor draws it there
                    assert (ours, theirs[key]) == (("normal_", NORMAL), None)
                elif "self_attention" in key:  # it has its initialisers from elsewhere
                    continue
                elif ours is None:  # made of one number
                    assert torch.equal(model.get_parameter(key), reference.get_parameter(key)), key
                else:
                    assert ours == theirs[key], key


@pytest.mark.slow
def test_windows_compile_without_graph_breaks() -> None:
    model = graphbuild.compile("swin_t", width=12, depths=[2, 1, 1, 1], heads=[1, 2, 2, 2]).eval()
    image = torch.randn(2, 3, 72, 104)
    compiled = torch.compile(model, fullgraph=True, backend="eager", dynamic=False)
    assert torch.equal(compiled(image), model(image))


def test_a_transformer_is_exported_with_a_free_batch() -> None:
    model = graphbuild.compile(SMALL_VIT.spec, **SMALL_VIT.params).eval()
    dims = ({0: torch.export.Dim("batch", min=2)},)
    program = torch.export.export(model, (torch.randn(2, 3, 32, 32),), dynamic_shapes=dims)
    image: Tensor = torch.randn(5, 3, 32, 32)
    torch.testing.assert_close(program.module()(image), model(image))
