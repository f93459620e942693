"""The language: what the models hold, and what `read` makes of paths, names and mappings."""

from __future__ import annotations

import importlib
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from graphbuild.errors import SpecError
from graphbuild.read import bundled, read, read_text
from graphbuild.source import Map, Seq, Text
from graphbuild.spec import Spec

library = importlib.import_module("graphbuild.library")
reading = importlib.import_module("graphbuild.read")  # not the function of that name
HEAD = "graphbuild: 1\nname: net\ninputs: {x: [N, 3]}\n"


def spec(text: str) -> Spec:
    return read_text(HEAD + text)


def fails(source: Any) -> str:
    """The only finding of a source that cannot be read, as text."""
    with pytest.raises(SpecError) as caught:
        read(source)
    (finding,) = caught.value.findings
    assert finding.code == "E001"
    return str(finding)


# -- models -------------------------------------------------------------------------------------


def test_a_whole_spec() -> None:
    text = """\
graphbuild: 1
name: net
doc: A net.
params: {width: 8, kinds: [a, b], act: op}
let: {half: $(width // 2)}
inputs:
  image: [N, 3, H=224, $width]
  ids: {shape: [N, T], dtype: int64, doc: Word numbers}
dims: {H: {multiple: 32, min: 64}}
defaults: {Conv2d: {bias: false}}
blocks:
  body:
    params: {planes: int, stride: 1}
    inputs: [left, right]
    rest: conv
    nodes: {conv: Conv2d}
nodes:
  stem: ReLU
  body: {op: body, from: [stem, ids], planes: $width, if: $(width > 1), repeat: {s: [1, 2]}}
  group:
    connect: dense
    nodes:
      - {op: Conv2d, kernel_size: 3, args: {from: 1, repeat: 2}}
      - ReLU
    outputs: {a: "0", b: "1"}
outputs: [stem, group]
expect: {parameters: 12, outputs: {stem: [N, 3]}}
init:
  - {match: Conv2d, weight: {op: normal, std: 0.1}, bias: zeros}
"""
    made = read_text(text, "net.yaml")
    assert (made.name, made.doc, made.connect, made.listed) == ("net", "A net.", "chain", False)
    assert list(made.params) == ["width", "kinds", "act"]
    assert isinstance(made.params["kinds"], Seq)
    assert made.let == {"half": "$(width // 2)"}
    image, ids = made.inputs.values()
    assert (image.shape, image.dtype) == (["N", "3", "H=224", "$width"], "float32")
    assert (ids.shape, ids.dtype, ids.doc) == (["N", "T"], "int64", "Word numbers")
    assert made.dims["H"].model_dump() == {"multiple": 32, "min": 64, "max": None}
    assert made.defaults == {"Conv2d": {"bias": "false"}}
    body = made.blocks["body"]
    assert body.inputs == ("left", "right")
    assert (body.rest, body.params) == ("conv", {"planes": "int", "stride": "1"})
    (stem_name, stem), (_, call), (_, group) = made.nodes
    assert isinstance(stem_name, Text)
    assert (stem.op, stem.args, stem.group) == ("ReLU", {}, None)
    assert (call.op, call.from_, call.if_) == ("body", ["stem", "ids"], "$(width > 1)")
    assert call.args == {"planes": "$width"}
    assert isinstance(call.repeat, Map)
    assert group.op is None
    assert group.group is not None
    assert (group.group.connect, group.group.listed) == ("dense", True)
    assert [str(name) for name, _ in group.group.nodes] == ["0", "1"]
    assert group.group.nodes[0][1].args == {"kernel_size": "3", "from": "1", "repeat": "2"}
    assert group.group.outputs == {"a": "0", "b": "1"}
    assert made.outputs == ["stem", "group"]
    assert made.expect is not None
    assert made.expect.parameters == "12"
    assert made.expect.outputs == {"stem": ["N", "3"]}
    assert made.init[0].match == "Conv2d"
    assert made.init[0].parameters["bias"] == "zeros"
    assert made.source.text == text


def test_everything_knows_its_place() -> None:
    made = spec("nodes:\n  a: ReLU\n  b: {op: Conv2d, stride: [1, 2]}\n  c: {nodes: [ReLU]}\n")
    (_, a), (_, b), (_, c) = made.nodes
    assert [str(x.span) for x in (a, b, c)] == ["<text>:5:3", "<text>:6:3", "<text>:7:3"]
    ((stride, value),) = b.args.items()
    assert (str(stride.span), str(value.span)) == ("<text>:6:19", "<text>:6:27")
    assert a.op is not None
    assert str(a.op.span) == "<text>:5:6"
    assert c.group is not None
    assert str(c.group.nodes[0][1].span) == "<text>:7:15"
    assert str(made.inputs["x"].span) == "<text>:3:13"
    assert made.span.line == 1


def test_a_spec_is_a_value() -> None:
    made = spec("nodes: {a: {op: Conv2d, stride: 2}}")
    with pytest.raises(ValueError, match="frozen"):
        made.name = "other"
    copy = pickle.loads(pickle.dumps(made))
    assert copy == made
    assert copy.nodes[0][1].span == made.nodes[0][1].span


@pytest.mark.parametrize(
    ("file", "name"),
    [("my_net.yaml", "my_net"), ("a/b/my.net-2.yaml", "my_net-2"), ("<text>", "text"), ("é", "é")],
)
def test_a_spec_without_a_name_is_called_like_its_file(file: str, name: str) -> None:
    assert read_text("graphbuild: 1\ninputs: {x: [N]}\nnodes: {a: ReLU}", file).name == name


@pytest.mark.parametrize("depth", [1, 5, 20])
def test_groups_in_groups(depth: int) -> None:
    inner = "ReLU"
    for _ in range(depth):
        inner = f"{{nodes: {{g: {inner}}}}}"
    node = spec(f"nodes: {{g: {inner}}}").nodes[0][1]
    for _ in range(depth):
        assert node.group is not None
        node = node.group.nodes[0][1]
    assert node.op == "ReLU"


# -- sources ------------------------------------------------------------------------------------

PLAIN = {
    "graphbuild": 1,
    "name": "net",
    "params": {"rate": 1e-5, "words": ["1e-5", "no", "0o17", "", "null", 7, None, True]},
    "inputs": {"x": ("N", 3)},
    "nodes": {"a$(i + 1)": {"op": "Conv2d", "kernel_size": "$(max(1, 2))", "repeat": 2}},
}


def test_a_mapping_means_what_it_holds() -> None:
    made = read(PLAIN)
    assert made.source.name == "<mapping>"
    assert made.params["rate"].value == 1e-5
    words = [item.value for item in made.params["words"]]
    assert words == PLAIN["params"]["words"]
    assert made.nodes[0][1].args["kernel_size"] == "$(max(1, 2))"


def test_an_object_that_stands_twice_in_a_mapping() -> None:
    shared = {"op": "ReLU"}
    assert len(read({**PLAIN, "nodes": {"a": shared, "b": shared}}).nodes) == 2


def test_a_mapping_that_is_no_data() -> None:
    assert "object has no YAML form" in fails({"nodes": object()})
    assert "set has no YAML form" in fails({"nodes": {1, 2}})
    endless: dict[str, Any] = {}
    endless["nodes"] = endless
    assert "not plain data" in fails(endless)


def test_paths(tmp_path: Path) -> None:
    file = tmp_path / "my_net.yaml"
    file.write_text(
        "\ufeff\ufeffgraphbuild: 1\r\ninputs: {x: [N]}\r\nnodes: {a: ReLU}\r\n", "utf-8"
    )
    for source in (file, str(file)):
        made = read(source)
        assert (made.name, made.source.name) == ("my_net", str(file))
        assert made.nodes[0][0].span.column == 9


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "x.yaml"
    binary.write_bytes(b"a: 1\nb: \xff\n")
    assert "not UTF-8 text (byte 9, line 2)" in fails(binary)
    assert "no such file" in fails(tmp_path / "none.yaml")
    assert "is a directory" in fails(tmp_path)
    assert "is a directory" in fails(str(tmp_path) + os.sep)
    assert "cannot be read" in fails("a\x00b.yaml")
    assert "cannot be read" in fails("x" * 5000 + ".yaml")


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("#" * 4_000_001)
    with pytest.raises(SpecError, match="E004 the text has more than 2,000,000 characters"):
        read(file)


def test_bundled_specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "resnet50.yaml").write_text(HEAD + "nodes: {a: ReLU}\n")
    for module in (reading, library):
        monkeypatch.setattr(module, "bundled", lambda: {"resnet50": tmp_path / "resnet50.yaml"})
    assert read("resnet50").name == "net"
    assert "did you mean 'resnet50'?" in fails("resnet5")
    assert "bundled are resnet50" in fails("")
    assert "did you mean 'resnet50'?" in fails("specs/resnet5.yaml")


def test_every_bundled_spec_is_read() -> None:
    for name in bundled():
        assert read(name).name == name


def test_a_great_many_mistakes_are_cut_short() -> None:
    text = "nodes:\n" + "".join(f"  n{i}:\n" for i in range(5000))
    with pytest.raises(SpecError) as caught:
        spec(text)
    assert len(caught.value.findings) == 200
