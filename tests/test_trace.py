"""Errors of a model that runs name the node, its place in the spec, the source and what went in."""

from __future__ import annotations

import copy
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest
import torch
from command import python
from torch import Tensor, nn

import graphbuild
from graphbuild.emit.generated import Generated
from graphbuild.read import read_text

SPEC = """\
graphbuild: 1
name: net
inputs: {image: [N, 3, H=32, W=32], other: [N, 8, H, W]}
blocks:
  double:
    nodes:
      a: {op: Conv2d, out_channels: 8, kernel_size: 1}
      s: {op: add, from: [a, input]}
nodes:
  conv: {op: Conv2d, from: image, out_channels: 8, kernel_size: 3}
  stage: {op: double, repeat: 2}
  tail:
    nodes:
      - ReLU
      - {op: Conv2d, out_channels: 8, kernel_size: 1}
  pad: {op: pad, pad: [1, 1, 1, 1]}
  sum: {op: add, from: [pad, other]}
"""
RIGHT = torch.randn(2, 3, 16, 16), torch.randn(2, 8, 16, 16)


@pytest.fixture(scope="module")
def model() -> Any:
    return graphbuild.load(emitted())


def emitted() -> Generated:
    return graphbuild.emit(graphbuild.elaborate(read_text(SPEC, "net.yaml")))


def told(model: nn.Module, *inputs: Tensor) -> str:
    with pytest.raises(RuntimeError) as caught:
        model(*inputs)
    return "".join(traceback.format_exception_only(caught.value))


def test_a_function(model: Any) -> None:
    text = told(model, torch.zeros(1, 3, 16, 16), torch.zeros(1, 8, 9, 16))
    assert "net.yaml:17:3: raised in sum\n   17 |   sum: {op: add" in text
    assert "  other is 1×8×9×16, float32, on cpu" in text
    assert " of the source: " in text
    assert text.startswith("RuntimeError: The size of tensor")  # the error is torch's own


def test_a_layer_deep_inside(model: Any) -> None:
    model = copy.deepcopy(model)
    model.stage[1].a = nn.Conv2d(5, 8, 1)
    text = told(model, *RIGHT)
    assert "net.yaml:7:7: raised in stage.1.a (Conv2d)" in text
    assert "  input is 2×8×14×14, float32, on cpu" in text


def test_a_layer_of_a_sequential(model: Any) -> None:
    model = copy.deepcopy(model)
    model.tail[1] = nn.Conv2d(5, 8, 1)
    text = told(model, *RIGHT)
    assert "net.yaml:15:9: raised in tail.1 (Conv2d)\n   15 |       - {op: Conv2d" in text
    assert "  input is 2×8×14×14, float32, on cpu" in text
    assert "of the source: x = self.tail(x)" in text


def test_a_block_that_is_called_by_itself(model: Any) -> None:
    text = told(model.stage[0], torch.zeros(1, 4, 8, 8))
    assert "net.yaml:7:7: raised in a (Conv2d)" in text
    assert "  input is 1×4×8×8" in text


def test_a_part_of_a_larger_model(model: Any) -> None:
    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, *inputs: Tensor) -> Any:
            return self.inner(*inputs)

    text = told(Outer(), torch.zeros(1, 3, 16, 16), torch.zeros(1, 8, 9, 16))
    assert text.count("raised in") == 1
    assert "raised in sum" in text


def test_a_wrong_call(model: Any) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'other'"):
        model(RIGHT[0])


def test_a_copy_and_a_pickle_tell_it_too(model: Any) -> None:
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert "net.yaml:10:3" in told(twin, torch.zeros(1, 4, 8, 8), torch.zeros(1, 8, 8, 8))


def test_in_another_process_the_source_is_told(model: Any, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    script = """
import pickle, torch
model = pickle.load(open("model.pkl", "rb"))
model(torch.zeros(1, 4, 8, 8), torch.zeros(1, 8, 8, 8))
"""
    done = python("-c", script, cwd=tmp_path)
    assert done.returncode == 1
    assert "\nraised in conv (Conv2d)\n  line " in done.stderr
    assert "  input is 1×4×8×8, float32, on cpu" in done.stderr


def test_what_cannot_be_built() -> None:
    source = emitted()
    broken = source.source.replace("nn.Conv2d(3, 8, kernel_size=3)", "nn.Conv2d(3, 8, 3, groups=2)")
    assert broken != source.source
    with pytest.raises(ValueError, match="divisible") as caught:
        graphbuild.load(Generated(broken, source.class_name, "net", source.lines, source.graph))
    text = "".join(traceback.format_exception_only(caught.value))
    assert "net.yaml:10:3: raised while Net is built\n" in text


def test_nothing_stands_in_the_way(model: Any) -> None:
    plain = nn.Module.__call__(model, *RIGHT)
    assert torch.equal(model(*RIGHT), plain)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    assert torch.equal(compiled(*RIGHT), plain)
    for strict in (True, False):
        exported = torch.export.export(model, RIGHT, strict=strict).module()
        assert torch.equal(exported(*RIGHT), plain)
    assert torch.equal(torch.jit.script(model)(*RIGHT), plain)
    assert torch.equal(torch.jit.trace(model, RIGHT)(*RIGHT), plain)
    assert torch.equal(torch.fx.symbolic_trace(model)(*RIGHT), plain)
    assert torch.equal(nn.DataParallel(model)(*RIGHT), plain)
    weights = {name: value * 2 for name, value in model.state_dict().items()}
    called = torch.func.functional_call(model, weights, RIGHT)
    twin = copy.deepcopy(model)
    twin.load_state_dict(weights)
    assert torch.equal(called, twin(*RIGHT))


def test_hooks_run_as_ever(model: Any) -> None:
    seen = []
    handles = [
        module.register_forward_hook(lambda m, i, o: seen.append(m)) for module in model.modules()
    ]
    model(*RIGHT)
    for handle in handles:
        handle.remove()
    assert set(seen) == set(model.modules())


def test_many_networks_are_compiled_in_one_process() -> None:
    torch._dynamo.reset()
    for width in range(1, torch._dynamo.config.recompile_limit + 3):
        data = {
            "graphbuild": 1, "name": "probe", "inputs": {"x": ["N", 4]},
            "nodes": {"a": {"op": "Linear", "out_features": width}},
        }  # fmt: skip
        model = torch.compile(graphbuild.compile(data), backend="eager", fullgraph=True)
        assert model(torch.rand(2, 4)).shape == (2, width)
