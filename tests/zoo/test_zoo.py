"""Each bundled spec gives the model that torchvision has by the same name, bit for bit."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import torch
from references import (
    FAMILY,
    MEMBERS,
    SLOW,
    ZOO,
    Case,
    every,
    initializers,
    layout,
    models,
    same_tensors,
    train_step,
    values,
)
from torch import Tensor, nn

import graphbuild

BATCHES = (1, 3)
SIZES = ((64, 64), (96, 80))


def pair(case: Case) -> tuple[nn.Module, nn.Module]:
    """Ours and theirs with the same weights."""
    ours = graphbuild.compile(case.spec, init=False, **case.params)
    theirs = case.reference()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def images(channels: int = 3) -> Iterator[Tensor]:
    torch.manual_seed(0)
    for batch, size in itertools.product(BATCHES, SIZES):
        yield torch.randn(batch, channels, *size)


@every(ZOO + MEMBERS + FAMILY)
def test_state_dict_has_the_same_layout(case: Case) -> None:
    with torch.device("meta"):
        theirs = case.reference()
        ours = graphbuild.compile(case.spec, init=False, **case.params)
    assert layout(ours) == layout(theirs)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]


@every(ZOO + MEMBERS + FAMILY, slow=("vgg16", *SLOW))
@torch.no_grad()
def test_outputs_are_equal(case: Case) -> None:
    ours, theirs = pair(case)
    ours.eval()
    theirs.eval()
    for image in images():
        for own, other in zip(values(ours(image)), values(theirs(image)), strict=True):
            assert torch.equal(own, other), image.shape


@every(ZOO + MEMBERS + FAMILY, slow=("vgg16", "alexnet", *SLOW))
def test_gradients_and_statistics_are_equal(case: Case) -> None:
    ours, theirs = pair(case)
    image = torch.randn(2, 3, 72, 64, generator=torch.Generator().manual_seed(0))
    same_tensors(train_step(ours, image), train_step(theirs, image))


@every(ZOO, slow=("vgg16",))
def test_parameters_are_initialised_alike(case: Case) -> None:
    with initializers() as last:
        theirs = last(case.reference())
        ours = last(graphbuild.compile(case.spec, **case.params))
        written = last(type(graphbuild.compile(case.spec, init=False, **case.params))())
    assert ours == theirs
    assert written == theirs  # the source alone, without `load`


@pytest.mark.parametrize("name", ["resnet18", "googlenet"])
def test_initial_values_have_the_same_distribution(name: str) -> None:
    case = next(case for case in ZOO if case.spec == name)
    torch.manual_seed(0)
    theirs = dict(case.reference().named_parameters())
    for key, parameter in graphbuild.compile(case.spec).named_parameters():
        std = theirs[key].std()
        if std == 0:  # a constant
            assert torch.equal(parameter, theirs[key]), key
        else:
            error = 8 * std / parameter.numel() ** 0.5
            assert abs(parameter.mean() - theirs[key].mean()) <= error, key
            assert abs(parameter.std() - std) <= error, key


@pytest.mark.parametrize("aux", [True, False])
def test_googlenet_gives_its_heads_by_name(aux: bool) -> None:
    case = Case(
        "googlenet",
        lambda: models.googlenet(aux_logits=aux, init_weights=True),
        {"aux_logits": aux},
    )
    ours, theirs = (model.eval() for model in pair(case))
    image = torch.randn(2, 3, 64, 64)
    found = ours(image)
    assert list(found) == ["logits", "aux2", "aux1"]
    assert torch.equal(found["logits"], theirs(image))
    assert found["aux1"] is found["aux2"] is None
    torch.manual_seed(0)
    found = ours.train()(image)
    torch.manual_seed(0)
    wanted = theirs.train()(image)
    if aux:
        assert torch.equal(found["logits"], wanted.logits)
        assert torch.equal(found["aux2"], wanted.aux_logits2)
        assert torch.equal(found["aux1"], wanted.aux_logits1)
    else:
        assert torch.equal(found["logits"], wanted)
        assert found["aux1"] is found["aux2"] is None


class HandwrittenLenet5(nn.Module):
    """The reference of the one spec that torchvision does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.c5 = nn.Conv2d(16, 120, 5)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = nn.functional.avg_pool2d(torch.tanh(self.c1(image)), 2)
        x = nn.functional.avg_pool2d(torch.tanh(self.c3(x)), 2)
        x = torch.tanh(self.c5(x)).flatten(1)
        return self.output(torch.tanh(self.f6(x)))


def test_lenet5() -> None:
    case = Case("lenet5", HandwrittenLenet5)
    ours, theirs = pair(case)
    assert layout(ours) == layout(theirs)
    for batch in BATCHES:
        image = torch.randn(batch, 1, 32, 32)
        assert torch.equal(ours(image), theirs(image))
        same_tensors(train_step(ours, image), train_step(theirs, image))
        ours.zero_grad()
        theirs.zero_grad()
    with initializers() as last:
        assert last(graphbuild.compile("lenet5")) == last(HandwrittenLenet5())
