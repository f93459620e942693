"""What is said of ops in place, and what is not said, against what happens when the model runs.

A model with ops in place is compared with the same model without them: its values, its gradients,
in training and in evaluation, and whether the input is still what it was. That nothing is said is
right if none of them differs. A finding is right if one does, or autograd refuses, in some order of
execution: a reader that happens to come before the overwrite is a reader all the same.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from test_elaborate import HEAD
from test_inplace import ALLOWED, REFUSED
from torch import nn

import graphbuild
from graphbuild import inplace
from graphbuild.elaborate import elaborate_with_findings
from graphbuild.ir import Graph
from graphbuild.read import read_text


def elaborated(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Graph, bool]:
    """The graph of a spec, whatever is said of ops in place, and whether something is said."""
    found = elaborate_with_findings(read_text(text, "net.yaml"))[1]
    errors = {finding.code for finding in found if finding.is_error}
    assert errors <= {"E209"}, found
    with monkeypatch.context() as patch:
        patch.setattr(inplace, "findings", lambda graph: [])
        graph = elaborate_with_findings(read_text(text, "net.yaml"))[0]
    assert graph is not None
    return graph, bool(errors)


def trial(model: nn.Module, x: torch.Tensor, training: bool) -> Iterator[torch.Tensor]:
    """Outputs and gradients of one pass, and the input as it is behind it."""
    leaf = x.clone().requires_grad_()
    x = leaf * 1  # of a leaf autograd would refuse every overwrite
    torch.manual_seed(1)
    out = model.train(training)(x)
    outputs = list(out) if isinstance(out, tuple | list) else [out]
    yield from (output.detach().clone() for output in outputs)
    loss = sum(((output + 1) ** 2).sum() for output in outputs)
    model.zero_grad()
    if isinstance(loss, torch.Tensor) and loss.requires_grad:
        loss.backward()
    yield from (p.grad.clone() for p in (leaf, *model.parameters()) if p.grad is not None)
    yield x.detach()


def breaks(text: str, graph: Graph, x: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether ops in place change what a model does."""
    plain, _ = elaborated(text.replace("inplace: true", "inplace: false"), monkeypatch)
    model = graphbuild.load(graphbuild.emit(graph))
    reference = graphbuild.load(graphbuild.emit(plain))
    reference.load_state_dict(model.state_dict())
    for training in (True, False):
        expected = list(trial(reference, x, training))
        try:
            found = list(trial(model, x, training))
        except RuntimeError as error:
            if "inplace" not in str(error) and "in-place" not in str(error):
                raise
            return True
        if len(found) != len(expected) or not all(map(alike, found, expected)):
            return True
    return False


def alike(a: torch.Tensor, b: torch.Tensor) -> bool:
    """The same but for rounding, which a derivative from a result has other than from an input."""
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-3, atol=1e-4, equal_nan=True)


def hasty(graph: Graph) -> Iterator[Graph]:
    """The graph with one of its ops in place as early as it can be, for each of them."""
    for writer in graph.nodes:
        if "inplace" not in writer.args:
            continue
        first, stack = set[str](), [writer.name]
        while stack:
            name = stack.pop()
            if name in graph.by_name and name not in first:
                first.add(name)
                stack += [edge.source for edge in graph.by_name[name].operands]
        early = [p for p in graph.order if graph.nodes[p].name in first]
        late = [p for p in graph.order if graph.nodes[p].name not in first]
        yield replace(graph, order=(*early, *late))


def whole(text: str) -> str:
    return HEAD + text.lstrip("\n") + "\n"


def image(graph: Graph) -> torch.Tensor:
    (given,) = graph.inputs
    torch.manual_seed(0)
    return torch.randn(3, *given.type.shape[1:])  # type: ignore[union-attr]


# Refused since something reads the value, though it has done so before in any order.
READ_BEFORE = {
    "a reader that comes first",
    "a reader inside of the block that made it",
    "what a switch gives its cases",
    "what is routed after the rows were copied",
}


@pytest.mark.parametrize("name", [*ALLOWED, *REFUSED])
def test_the_table(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = whole(ALLOWED[name] if name in ALLOWED else REFUSED[name][0])
    graph, refused = elaborated(text, monkeypatch)
    assert refused == (name in REFUSED)
    if name not in READ_BEFORE:
        assert breaks(text, graph, image(graph), monkeypatch) == refused


# Ops whose overwriting shows in values for nearly every input, and readers of several kinds.
WRITERS = ["ReLU", "ELU", "LeakyReLU", "Dropout", "SiLU", "Mish", "CELU, alpha: 2.0"]

READERS = ["Sigmoid", "Tanh", "BatchNorm2d", "Identity", "sin", "Conv2d, out_channels: 8, kernel_size: 1, bias: true"]  # fmt: skip
VIEWS = ["permute, dims: [0, 1, 3, 2]", "reshape, shape: ['$(x.shape[0])', 8, 4, 4]", "roll, shifts: [1], dims: [2]"]  # fmt: skip


def drawn(seed: int) -> str:
    """A random spec in which ops in place stand among readers, views and merges."""
    choose = random.Random(seed)
    names = ["first"]
    lines = ["  first: {op: BatchNorm2d, from: x}"]
    for number in range(choose.randint(2, 6)):
        recent = names[-3:]
        source = choose.choice(recent)
        kind = choose.random()
        if kind < 0.45:
            op = f"{choose.choice(WRITERS)}, inplace: true, from: {source}"
        elif kind < 0.65:
            op = f"{choose.choice(READERS)}, from: {source}"
        elif kind < 0.75:
            op = f"{choose.choice(VIEWS)}, from: {source}"
        else:
            op = f"add, from: [{source}, {choose.choice(recent)}]"
        names.append(f"n{number}")
        lines.append(f"  n{number}: {{op: {op}}}")
    used = {name for line in lines for name in re.findall(r"\bn\d+|first", line.split("from:")[1])}
    ends = [name for name in names if name not in used]
    return "\n".join(
        [
            *HEAD.splitlines()[:2],
            "inputs: {x: [N=3, 8, 4, 4]}",
            "nodes:",
            *lines,
            f"outputs: [{', '.join(ends)}]",
            "",
        ]
    )


@pytest.mark.parametrize("part", range(6))
def test_random_specs(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {True: 0, False: 0}
    for seed in range(part * 40, part * 40 + 40):
        text = drawn(seed)
        graph, refused = elaborated(text, monkeypatch)
        broken = breaks(text, graph, image(graph), monkeypatch)
        if refused and not broken:
            others = hasty(graph)
            broken = any(breaks(text, other, image(graph), monkeypatch) for other in others)
        assert broken == refused, text
        told[refused] += 1
    assert min(told.values()) >= 2  # both happen
