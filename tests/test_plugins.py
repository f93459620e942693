"""Ops of one's own: registered by a plugin, and run on the meta device where they have no rule."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from command import barred, run

import graphbuild
from graphbuild import ops
from graphbuild.check import verify
from graphbuild.ops.base import Argument, Op

MODULE = """
import torch
from torch import nn

import graphbuild
from graphbuild.ops import Op
from graphbuild.ops.base import Argument


def again(x, times=2):
    return torch.cat([x] * times, dim=1)


def halves(x):
    return x[..., ::2], x[..., ::2].long()


class Scale(nn.Module):
    def __init__(self, features, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features)) if bias else None
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        return x * self.weight


def scalar(x):
    return 3


if graphbuild.ops.get("again") is None:
    last = {"features": lambda args, shapes: shapes[0][-1]}
    features = (Argument("features", "Positive"), Argument("bias", "bool", True))
    graphbuild.register(Op("again", "plugged.again", (Argument("times", "Positive", 2),), None))
    graphbuild.register(Op("halves", "plugged.halves", (), None, outputs=("even", "whole")))
    graphbuild.register(Op("Scale", "plugged.Scale", features, None, infer=last))
    graphbuild.register(Op("scalar", "plugged.scalar", (), None))
    graphbuild.register(Op("missing", "plugged.missing", (), None))
"""
SPEC = """\
graphbuild: 1
name: probe
inputs: {x: [N, L=4, 8]}
nodes:
  a: {op: again, times: 3}
  b: Scale
  c: {op: Linear, out_features: 2}
  d: {op: halves, from: b}
  e: {op: Linear, out_features: 2, from: d.even}
outputs: [c, d.whole, e]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "plugged.py").write_text(MODULE)
    (tmp_path / "probe.yaml").write_text(SPEC)
    return tmp_path


@pytest.fixture
def plugged(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(here)
    monkeypatch.setattr(ops, "_OPS", dict(ops._OPS))  # the other tests keep theirs
    monkeypatch.delitem(__import__("sys").modules, "plugged", raising=False)
    __import__("plugged")
    return here


def test_shapes_dtypes_and_parameters_are_those_of_the_op(plugged: Path) -> None:
    graph = graphbuild.elaborate(graphbuild.read(plugged / "probe.yaml"))
    verify(graph)
    assert graph.dims is not None
    shown = {n.name: getattr(n.type, "shapes", None) for n in graph.nodes}
    assert graph.dims.show_shape(shown["a"] or ()) == "N×L*3×8"
    assert [i.dtype for i in graph.by_name["d"].type.items] == ["float32", "int64"]  # type: ignore[union-attr]
    assert graphbuild.summary(graph).totals.parameters == 8 + 8 + 18 + 10
    model = graphbuild.compile(plugged / "probe.yaml")
    c, whole, e = model(torch.rand(2, 5, 8))
    assert (c.shape, whole.dtype, e.shape) == ((2, 15, 2), torch.int64, (2, 15, 2))
    assert sum(p.numel() for p in model.parameters()) == 44


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("{op: Scale, features: 3}", "features of Scale node 'a' does not fit its input"),
        ("scalar", "gives int, where tensors are wanted"),
        ("missing", "cannot be run on these operands: module 'plugged' has no attribute 'missing'"),
        ("{op: again, from: s}", "cannot be run on these operands: "),
    ],
)
def test_what_it_cannot_take_is_a_finding(plugged: Path, node: str, message: str) -> None:
    text = SPEC.split("nodes:")[0] + f"nodes:\n  s: {{op: sum}}\n  a: {node}\n"
    text = text if "from" in node else text.replace("  s: {op: sum}\n", "")
    (plugged / "probe.yaml").write_text(text)
    (found,) = graphbuild.check(plugged / "probe.yaml")
    assert message in found.message
    assert found.code in ("E204", "E207")


def test_a_rule_is_not_run_on_the_meta_device(plugged: Path) -> None:
    ops.register(Op("known", "plugged.missing", (Argument("n", "int", 1),), lambda args, x: x))
    assert not graphbuild.check(
        {"graphbuild": 1, "inputs": {"x": ["N", 4]}, "nodes": {"a": "known"}}
    )


# -- the command line -----------------------------------------------------------------------------


def test_plugin(here: Path) -> None:
    assert run("check", "probe.yaml", cwd=here).returncode == 1
    done = run("summary", "probe.yaml", "--plugin", "plugged", cwd=here)
    assert done.returncode == 0, done.stderr
    assert "N×L*3×8" in done.stdout
    done = run("compile", "probe.yaml", "--plugin", "plugged", cwd=here)
    assert done.returncode == 0, done.stderr
    source = (here / "probe.py").read_text()
    assert "needs torch and plugged." in source
    assert "self.b = plugged.Scale(features=8)" in source
    assert run("check", "probe.yaml", "--plugin", "plugged", cwd=here).returncode == 0


def test_a_plugin_that_cannot_be_imported_is_wrong_usage(here: Path) -> None:
    (here / "broken.py").write_text("1 / 0\n")
    for name, told in (("nothing_here", "ModuleNotFoundError"), ("broken", "ZeroDivisionError")):
        done = run("check", "probe.yaml", "--plugin", name, cwd=here)
        assert done.returncode == 2
        assert told in done.stderr
        assert "Traceback" not in done.stderr


def test_without_torch_an_op_needs_a_rule(here: Path) -> None:
    module = MODULE.replace("import torch\nfrom torch import nn", "class nn: Module = object")
    (here / "plugged.py").write_text(module)
    without = barred(here / "barred", "torch")
    done = run("check", "probe.yaml", "--plugin", "plugged", cwd=here, without=without)
    assert done.returncode == 1
    assert "has no shape rule, so it takes torch to know its shape" in done.stderr
