"""The public names: few, lazy, each stage useful alone."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest
import torch
from command import ROOT, barred, python

import graphbuild
from graphbuild import ops
from graphbuild.ops import Op

PROBE = {
    "graphbuild": 1,
    "name": "probe",
    "params": {"width": 8},
    "inputs": {"x": ["N", 16]},
    "nodes": {"fc": {"op": "Linear", "out_features": "$width"}, "act": "ReLU"},
}


def test_at_most_a_dozen_public_names() -> None:
    assert len(graphbuild.__all__) <= 12
    for name in graphbuild.__all__:
        value = getattr(graphbuild, name)
        assert name.startswith("__") or inspect.getdoc(value), name
        assert name in dir(graphbuild)


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'compilee'"):
        _ = graphbuild.compilee  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["elaborate", "emit", "load", "read", "check", "diff"])
def test_a_submodule_does_not_hide_the_function_of_its_name(name: str) -> None:
    module = importlib.import_module(f"graphbuild.{name}")
    assert inspect.ismodule(module)
    assert inspect.isfunction(getattr(graphbuild, name))


def test_importing_costs_nothing(tmp_path: Path) -> None:
    without = barred(tmp_path / "barred", "torch", "yaml", "pydantic", "networkx", "typer")
    script = "import graphbuild; print(graphbuild.__version__)"
    done = python("-c", script, cwd=tmp_path, without=without)
    assert done.stdout.strip() == graphbuild.__version__, done.stderr


def test_stages_without_torch(tmp_path: Path) -> None:
    script = """
import graphbuild
graph = graphbuild.elaborate(graphbuild.read("resnet18"))
print(graphbuild.summary(graph).totals.parameters, graphbuild.emit(graph).class_name)
print(graphbuild.check("resnet18"))
"""
    without = barred(tmp_path / "barred", "torch", "torchvision")
    done = python("-c", script, cwd=tmp_path, without=without)
    assert done.stdout == "11689512 Resnet18\n[]\n", done.stderr


def test_compile_is_its_stages() -> None:
    spec = graphbuild.read(PROBE)
    generated = graphbuild.emit(graphbuild.elaborate(spec, width=4))
    by_stage = graphbuild.load(generated)
    at_once = graphbuild.compile(PROBE, width=4)
    assert type(by_stage) is type(at_once)
    assert [p.shape for p in at_once.parameters()] == [(4, 16), (4,)]


def test_a_spec_by_path_name_and_mapping() -> None:
    path = ROOT / "specs" / "lenet5.yaml"
    for source in (path, str(path), "lenet5"):
        assert graphbuild.read(source).name == "lenet5"
    assert graphbuild.read(PROBE).name == "probe"


def test_a_mapping_is_read_as_it_is() -> None:
    # text that YAML would read as something else stays text, tuples are lists
    spec = graphbuild.read(
        {**PROBE, "params": {"text": "1e-5", "word": "on", "none": None, "sizes": (1, 2)}}
    )
    found = {str(key): str(value.value) for key, value in list(spec.params.items())[:3]}
    assert found == {"text": "1e-5", "word": "on", "none": "None"}
    assert all(isinstance(v.value, str) for v in list(spec.params.values())[:2])


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes"])
def test_a_mapping_that_yaml_cannot_hold(value: object) -> None:
    with pytest.raises(graphbuild.SpecError):
        graphbuild.read({**PROBE, "params": {"width": value}})


def test_errors_carry_findings() -> None:
    broken = {**PROBE, "nodes": {"fc": {"op": "Linaer", "out_features": "$width"}}}
    with pytest.raises(graphbuild.SpecError) as raised:
        graphbuild.compile(broken)
    (finding,) = raised.value.findings
    assert finding.code == "E111"
    assert finding.suggestion == "did you mean 'Linear'?"
    assert "Linaer" in str(raised.value)
    assert graphbuild.check(broken) == [finding]


def test_an_unknown_param() -> None:
    with pytest.raises(graphbuild.SpecError, match="did you mean 'width'"):
        graphbuild.compile(PROBE, widht=3)


def test_sizes_replace_the_example() -> None:
    graph = graphbuild.elaborate(graphbuild.read("resnet18"), {"H": 64, "W": 32, "N": 3})
    conv = graph.nodes[0].type
    assert getattr(conv, "shape", None) == (3, 64, 32, 16)


def test_summary_of_a_graph() -> None:
    graph = graphbuild.elaborate(graphbuild.read("densenet121"))
    rows = graphbuild.summary(graph, depth=1).rows
    assert [row.path for row in rows] == ["features", "relu", "pool", "flatten", "classifier"]


def test_a_registered_op_is_imported_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "doubling.py").write_text("def twice(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(ops, "_OPS", dict(ops._OPS))  # the other tests keep theirs
    graphbuild.register(Op("twice", "doubling.twice", (), lambda args, x: x))
    spec = {
        "graphbuild": 1,
        "inputs": {"x": ["N", 4]},
        "nodes": {"first": "twice", "rest": {"nodes": ["twice", "ReLU"]}},
    }
    source = graphbuild.emit(graphbuild.elaborate(graphbuild.read(spec))).source
    assert "\nimport doubling\n" in source
    assert graphbuild.compile(spec)(torch.ones(1, 4)).tolist() == [[4.0] * 4]
    with pytest.raises(ValueError, match="twice"):
        graphbuild.register(Op("twice", "doubling.twice", (), lambda args, x: x))


def test_what_is_read_already_is_not_read_again() -> None:
    for stage in (graphbuild.read, graphbuild.compile):
        with pytest.raises(TypeError, match="a bundled spec or a mapping, not a Spec"):
            stage(graphbuild.read("lenet5"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stage", "kind", "maker"),
    [
        ("elaborate", "Spec", "read"),
        ("summary", "Graph", "elaborate"),
        ("render", "Graph", "elaborate"),
        ("emit", "Graph", "elaborate"),
        ("load", "Generated", "emit"),
    ],
)
def test_a_stage_says_what_it_takes(stage: str, kind: str, maker: str) -> None:
    words = f"{stage} takes a {kind}, which graphbuild.{maker} gives, not a str"
    with pytest.raises(TypeError, match=words):
        getattr(graphbuild, stage)("net.yaml")


def test_diff_takes_two_graphs() -> None:
    graph = graphbuild.elaborate(graphbuild.read("mlp"))
    with pytest.raises(TypeError, match="diff takes a Graph, which"):
        graphbuild.diff(graph, "mlp")  # type: ignore[arg-type]
