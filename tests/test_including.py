"""Specs that are made of other files: what may be named, what is found, and where it is said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from command import run

import graphbuild
from graphbuild.errors import Finding, SpecError
from graphbuild.ir import Tensor
from graphbuild.read import read_text
from graphbuild.spec import Spec

HEAD = "graphbuild: 1\ninputs: {x: [N, 3, H=16, W=16]}\n"
SMALL = (
    HEAD + "params: {width: 4}\nnodes: {c: {op: Conv2d, out_channels: $width, kernel_size: 1}}\n"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "specs"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def found(text: str, **files: str) -> list[Finding]:
    """What is wrong with a spec, beside files (`small` stands for small.yaml)."""
    write({"net.yaml": text, **{f"{name}.yaml": body for name, body in files.items()}})
    return graphbuild.check("net.yaml")


def node(what: str) -> str:
    return HEAD + f"nodes: {{a: {{{what}}}}}\n"


def places(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(f.code, str(f.span)) for f in findings]


def shape(spec: Spec, **params: object) -> tuple[int, ...]:
    type_ = graphbuild.elaborate(spec, **params).type
    assert isinstance(type_, Tensor)
    return type_.shape


# -- which files --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["small", "small.yaml", "parts/deep", "parts/deep.yml", "resnet18"]
)
def test_what_a_name_means(here: Path, name: str) -> None:
    write({"small.yaml": SMALL, "parts/deep.yml": SMALL, "net.yaml": node(f"spec: {name}")})
    assert graphbuild.check("net.yaml") == []
    assert graphbuild.check(str(here / "net.yaml")) == []


def test_the_own_folder_comes_before_the_bundled_specs(here: Path) -> None:
    assert found(node("spec: resnet18"), resnet18=SMALL) == []
    (layer,) = graphbuild.summary(graphbuild.elaborate(graphbuild.read("net.yaml"))).rows
    assert layer.path == "a.c"


def test_a_file_that_is_named_in_a_folder_names_its_neighbours(here: Path) -> None:
    write({
        "net.yaml": node("spec: parts/one"),
        "parts/one.yaml": node("spec: two"),
        "parts/two.yaml": SMALL,
    })  # fmt: skip
    assert graphbuild.check("net.yaml") == []
    write({"parts/one.yaml": node("spec: ../small"), "small.yaml": SMALL})
    assert places(graphbuild.check("net.yaml")) == [("E005", "parts/one.yaml:3:19")]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../small.yaml", "leads out of the folder"),
        ("parts/../../small", "leads out of the folder"),
        ("/etc/passwd.yaml", "is not in the folder"),
        ("~/small", "is not in the folder"),
        ("C:/small", "is not in the folder"),
        (r"parts\small", "folders are parted by /"),
        ("https://example.org/small.yaml", "nothing is fetched"),
        ("$which", "is an expression"),
        ("smal", "did you mean 'small'?"),
        ("resnet1", "did you mean 'resnet18'?"),
        ("small.txt", "there is no spec 'small.txt'"),
        ("parts", "there is no spec 'parts'"),
        ("pipe", "there is no spec 'pipe'"),
        ("link", "is a link that leads out of the folder"),
        ("linked/small", "is a link that leads out of the folder"),
        ("bytes", "it is not UTF-8 text"),
    ],
)
def test_names_that_mean_nothing(here: Path, name: str, words: str) -> None:
    write({"../small.yaml": SMALL, "small.yaml": SMALL, "small.txt": SMALL, "parts/x.yaml": SMALL})
    os.mkfifo("pipe.yaml")  # reading it would not end
    Path("link.yaml").symlink_to("../small.yaml")
    Path("linked").symlink_to("..")
    Path("bytes.yaml").write_bytes(b"graphbuild: \xff")
    for text in (node(f"spec: '{name}'"), f"graphbuild: 1\nextends: '{name}'\n"):
        (finding,) = found(text)
        assert finding.code == "E005"
        assert words in str(finding)
        assert str(finding.span).startswith("net.yaml:")


def test_a_link_inside_the_folder_may_be_followed(here: Path) -> None:
    write({"parts/small.yaml": SMALL})
    Path("link.yaml").symlink_to("parts/small.yaml")
    assert found(node("spec: link")) == []


@pytest.mark.parametrize("name", ["lenet5", "lenet5.yaml"])
def test_what_is_no_file_has_bundled_specs_only(here: Path, name: str) -> None:
    write({"small.yaml": SMALL})
    text = "graphbuild: 1\ninputs: {x: [N, 1, 32, 32]}\nnodes: {a: {spec: %s}}\n"
    read_text(text % name)
    mapping: dict[str, Any] = {
        "graphbuild": 1,
        "inputs": {"x": ["N", 1, 32, 32]},
        "nodes": {"a": {"spec": name}},
    }
    assert graphbuild.check(mapping) == []
    with pytest.raises(SpecError, match="a spec that is no file has no folder to look in"):
        read_text(text % "small")


def test_an_extension_in_a_mapping() -> None:
    spec = graphbuild.read({"graphbuild": 1, "extends": "lenet5", "params": {"num_classes": 3}})
    assert shape(spec) == (1, 3)


# -- limits -------------------------------------------------------------------------------------


def test_cycles_tell_their_path(here: Path) -> None:
    (finding,) = found(node("spec: net"))
    assert finding.message == "specs that contain each other: net.yaml -> net.yaml"
    (finding,) = found(node("spec: one"), one=node("spec: two"), two=node("spec: one.yaml"))
    assert finding.code == "E006"
    assert finding.message == "specs that contain each other: one.yaml -> two.yaml -> one.yaml"
    assert str(finding.span) == "two.yaml:3:19"
    (finding,) = found("graphbuild: 1\nextends: one\n", one="graphbuild: 1\nextends: net\n")
    assert finding.message == "specs that contain each other: net.yaml -> one.yaml -> net.yaml"
    found(node("spec: one"), one="graphbuild: 1\nextends: two\n", two=node("spec: one"))
    assert "one.yaml -> two.yaml -> one.yaml" in graphbuild.check("net.yaml")[0].message


def test_how_deep_and_how_many(here: Path) -> None:
    deep = {f"d{i}": node(f"spec: d{i + 1}") for i in range(40)}
    (finding,) = found(node("spec: d0"), **deep)
    assert (finding.code, finding.expected) == ("E004", "at most 16 inside of each other")
    assert len(finding.notes) <= 20
    many = ", ".join(f"n{i}: {{spec: s{i}}}" for i in range(120))
    specs = {f"s{i}": SMALL for i in range(120)}
    findings = found(HEAD + f"nodes: {{{many}}}\n", **specs)
    assert {f.code for f in findings} == {"E004"}
    large = "#" * 1_500_000 + "\n" + SMALL
    text = HEAD + "nodes: {a: {spec: one}, b: {spec: two, from: x}}\noutputs: [a, b]\n"
    (finding,) = found(text, one=large, two=large)
    assert finding.expected == "at most 2,000,000 characters in all files but the first"


def test_specs_that_double_at_each_level_end_with_a_finding(here: Path) -> None:
    double = (
        "nodes: {a: {spec: d%d, from: x}, b: {spec: d%d, from: x}, s: {op: add, from: [a, b]}}\n"
    )
    files = {f"d{i}": HEAD + double % (i + 1, i + 1) for i in range(14)}
    files["d14"] = HEAD + "nodes: {s: ReLU}\n"
    assert found(node("spec: d0"), **files) == []  # 2 ** 15 calls, of which 15 are worked out
    wide = "params: {k: 1}\nnodes: {a: {spec: d%d, repeat: 50, params: {k: $(k * 50 + i)}}}\n"
    files = {f"d{i}": HEAD + wide % (i + 1) for i in range(5)}
    files["d5"] = HEAD + "params: {k: 1}\nnodes: {s: {op: mul, other: $k}}\n"
    assert [f.code for f in found(node("spec: d0"), **files)] == ["E004"]


# -- what is wrong inside ------------------------------------------------------------------------


def test_findings_stand_in_their_file_and_say_how_it_is_reached(here: Path) -> None:
    findings = found(
        node("spec: one"), one=node("spec: two"), two=HEAD + "nodes: {a: ReLu, b: $(}\n"
    )
    assert {str(f.span).split(":")[0] for f in findings} == {"two.yaml"}
    for finding in findings:
        assert [str(n.span) for n in finding.notes][-2:] == ["one.yaml:3:19", "net.yaml:3:19"]
    (finding,) = found(node("spec: one"), one=HEAD + "nodes: {a: ReLu}\n")
    assert (finding.code, str(finding.span)) == ("E111", "one.yaml:3:12")
    assert [str(n.span) for n in finding.notes] == ["net.yaml:3:19"]
    wrong = "params: {k: 1}\nnodes: {a: {op: Linear, out_features: 1}, b: {op: Conv2d, out_channels: 1, kernel_size: $k}, c: {op: add, from: [x, b]}}\n"
    findings = found(node("spec: one, params: {k: 3}"), one=HEAD + wrong)
    assert all("net.yaml" in str(f) for f in findings)


def test_a_mistake_is_told_once_however_often_its_spec_is_used(here: Path) -> None:
    text = (
        HEAD
        + "nodes: {a: {spec: one}, b: {spec: one, from: x}, c: {spec: one, from: x}}\noutputs: [a, b, c]\n"
    )
    assert len(found(text, one=HEAD + "nodes: {a: ReLu}\n")) == 1
    done = run("check", "net.yaml", "one.yaml", "net.yaml", cwd=here)
    assert done.returncode == 1
    assert done.stderr.count("E111") == 1
    assert done.stdout.splitlines() == [
        f"{name}: 1 error" for name in ("net.yaml", "one.yaml", "net.yaml")
    ]
    done = run("check", "net.yaml", "one.yaml", "--format", "json", cwd=here)
    assert done.stdout.count('"E111"') == 1


def test_warnings_of_a_spec_inside_are_its_own(here: Path) -> None:
    loose = HEAD + "params: {k: 1}\nnodes: {a: ReLU, b: {op: Tanh, from: x}}\n"
    assert found(node("spec: one"), one=loose) == []
    assert [f.code for f in graphbuild.check("one.yaml")] == ["W302", "W301"]
    extended = found("graphbuild: 1\nextends: one\n", one=loose)
    assert [f.code for f in extended] == ["W302", "W301"]
    assert all("net.yaml:2" in str(f) for f in extended)


# -- extends ------------------------------------------------------------------------------------

BASE = """\
graphbuild: 1
name: base
doc: The base
params: {width: int, act: ReLU, rate: 0.5, deep: true, none: null}
inputs: {x: [N, 3]}
nodes:
  l: {op: Linear, out_features: $width}
  a: {op: $act}
  d: {op: Dropout, p: $rate, if: $(deep and none is None)}
  e: Tanh
expect: {outputs: {d: [N, $width]}, parameters: 4}
"""


def test_an_extension_has_other_params_name_doc_and_expectations(here: Path) -> None:
    child = (
        "graphbuild: 1\nextends: base\nparams: {width: 7, act: Tanh}\nexpect: {parameters: 28}\n"
    )
    assert found(child, base=BASE) == []
    spec = graphbuild.read("net.yaml")
    assert (spec.name, spec.doc) == ("net", "The base")
    assert shape(spec) == (1, 7)
    assert shape(spec, width=9) == (1, 9)
    write(
        {
            "third.yml": "graphbuild: 1\nextends: net.yaml\nname: other\ndoc: Mine\nparams: {deep: false}\n"
        }
    )
    third = graphbuild.read("third.yml")
    assert (third.name, third.doc, third.expect) == ("other", "Mine", None)
    source = graphbuild.emit(graphbuild.elaborate(third)).source
    assert "from third.yml" in source
    assert "nn.Tanh()" in source
    assert "Dropout" not in source
    done = run("summary", "third.yml", "--set", "width=5", cwd=here)
    assert "N×5" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("params: {widht: 3, width: 2}\n", [("E101", "net.yaml:3:10")]),
        ("params: {width: wide}\n", [("E103", "net.yaml:3:17")]),
        ("params: {width: int}\n", [("E103", "net.yaml:3:17")]),
        ("params: {width: 2, act: Relu}\n", [("E103", "net.yaml:3:25")]),
        ("params: {width: 2, rate: high, deep: 3}\n", [("E103", "net.yaml:3:26"), ("E103", "net.yaml:3:38")]),
        ("params: {width: $(rate)}\n", [("E123", "net.yaml:3:19")]),
        ("params: {width: 2, rate: 2.0}\n", [("E115", "base.yaml:9:23")]),
        ("expect: {parameters: 1}\n", [("E113", "base.yaml:4:10")]),
        ("params: {width: 2}\nexpect: {parameters: 1}\n", [("E210", "net.yaml:4:22")]),
        ("nodes: {a: ReLU}\nlet: {b: 3}\n", [("E101", "net.yaml:3:1"), ("E101", "net.yaml:4:1")]),
        ("parms: {a: 3}\n", [("E101", "net.yaml:3:1")]),
        ("name: a/b\ndoc: [a]\nparams: 3\n", [("E104", "net.yaml:3:7"), ("E103", "net.yaml:4:6"), ("E103", "net.yaml:5:9")]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_extension(
    here: Path, text: str, wanted: list[tuple[str, str]]
) -> None:
    findings = found("graphbuild: 1\nextends: base\n" + text, base=BASE)
    assert places(findings) == wanted, "\n\n".join(map(str, findings))
    for finding in findings:
        if str(finding.span).startswith("base"):
            assert finding.notes[-1].span is not None
            assert str(finding.notes[-1].span) == "net.yaml:2:10"


def test_an_extension_keeps_the_kinds_of_its_params(here: Path) -> None:
    found("graphbuild: 1\nextends: base\nparams: {width: 2, none: 4}\n", base=BASE)
    assert [f.code for f in graphbuild.check("net.yaml", width="x")] == ["E103"]
    assert [f.code for f in graphbuild.check("net.yaml", act="Nothing")] == ["E103"]
    assert graphbuild.check("net.yaml", none="a word", act=None) == []  # null takes any


# -- nodes --------------------------------------------------------------------------------------

TWO = """\
graphbuild: 1
params: {c: 3, features: int}
inputs: {image: [B, $c, Y=8, X=8], ids: {shape: [B, 5], dtype: int64}}
dims: {Y: {multiple: 8}}
blocks: {inner: {nodes: [ReLU]}}
nodes:
  e: {op: Embedding, from: ids, num_embeddings: 9, embedding_dim: $features}
  p: {op: AdaptiveAvgPool2d, from: image, output_size: 1}
  f: {op: flatten, start_dim: 1}
  l: {op: inner, from: f}
outputs: {e: e, l: l}
"""
OUTER = """\
graphbuild: 1
inputs: {x: [N, 3, H=16, W=16], t: {shape: [N, 5], dtype: int64}, u: {shape: [M, 5], dtype: int64}}
nodes:
"""


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("  a: {spec: two, from: [x, t], params: {features: 4}}\n", []),
        ("  a: {spec: two, from: {ids: t, image: x}, params: {features: 4}}\n", []),
        ("  a: {spec: two, from: [x, t]}\n", ["E113 4:3"]),
        ("  a: {spec: two, from: [x, t], params: {features: 4, cc: 3}}\n", ["E112 4:54"]),
        ("  a: {spec: two, from: [x, t], params: {features: x}}\n", ["E114 4:51"]),
        ("  a: {spec: two, from: [x, t], params: {features: $x.height}}\n", ["E208 4:51"]),
        ("  a: {spec: two, from: [x, t], params: {features: $(}}\n", ["E122 4:51"]),
        ("  a: {spec: two, params: {features: 4}}\n", ["E202 4:3"]),
        ("  a: {spec: two, from: x, params: {features: 4}}\n", ["E205 4:3"]),
        ("  a: {spec: two, from: {image: x, idds: t}, params: {features: 4}}\n", ["E201 4:35"]),
        ("  a: {spec: two, from: [x, x], params: {features: 4}}\n", ["E206 4:28"]),
        ("  a: {spec: two, from: [t, t], params: {features: 4}}\n", ["E206 4:25"]),
        ("  a: {spec: two, from: [x, t], params: {features: 4, c: 4}}\n", ["E207 4:25"]),
        ("  f: {op: flatten, from: x, start_dim: 2}\n  a: {spec: two, from: [f, t], params: {features: 4}}\n", ["E207 5:25"]),
        ("  c: {op: Conv2d, from: x, out_channels: 3, kernel_size: 4}\n  a: {spec: two, from: [c, t], params: {features: 4}}\n", ["E207 5:25"]),
        ("  a: {spec: two, from: [x, u], params: {features: 4}}\n", ["E207 4:28"]),
        ("  c: {op: chunk, from: x, chunks: 3, dim: 1}\n  a: {spec: two, from: [c, t], params: {features: 4, c: 1}}\n", ["E202 5:25"]),
        ("  a: {spec: two, from: [x, t], params: {features: 4}, outputs: lll}\n", ["E201 4:64"]),
        ("  a: {spec: two, from: [x, t], params: {features: 4}, outputs: l.0.x}\n", ["E201 4:64"]),
        ("  a: {spec: two, from: [x, t], params: {features: 4}, outputs: {m: e.weight}}\n", ["E201 4:68"]),
        ("  a: {spec: two, from: [x, t], params: {features: 4}, outputs: {m: image, n: l.0}}\n", []),
        ("  a: {spec: two, from: [x, t], params: {features: 4}, outputs: [e, 'f$(1)']}\n", ["E201 4:68"]),
        ("  a: {spec: two, from: [x, t], args: {features: 4}}\n", ["E101 4:32"]),
        ("  a: {spec: two, op: ReLU, from: [x, t]}\n", ["E101 4:7"]),
        ("  a: {spec: [two]}\n", ["E103 4:13"]),
        ("  a: {spec: two, params: [4], outputs: }\n", ["E103 4:26", "E103 4:31"]),
        ("  a: {nodes: [{spec: two, from: input, params: {features: 4}}], from: x}\n", ["E205 4:15"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_node(here: Path, text: str, wanted: list[str]) -> None:
    findings = [f for f in found(OUTER + text, two=TWO) if f.is_error]
    told = [f"{f.code} {f.span.line}:{f.span.column}" for f in findings if f.span]
    assert told == wanted, "\n\n".join(map(str, findings))


def test_a_block_of_one_spec_is_none_of_the_other(here: Path) -> None:
    text = (
        OUTER
        + "  a: {spec: two, from: [x, t], params: {features: 4}}\n  b: {op: inner, from: a.l}\n"
    )
    (finding,) = found(text, two=TWO)
    assert (finding.code, finding.message) == ("E111", "unknown op 'inner'")


def test_what_does_not_lead_to_a_value_is_not_looked_at(here: Path) -> None:
    """A head that cannot take this size is no matter where it is cut off."""
    head = "  c: {op: Conv2d, out_channels: 4, kernel_size: 3}\n  f: Flatten\n  l: {op: Linear, out_features: 2}\n"
    text = HEAD + "nodes:\n" + head
    assert "E208" in {f.code for f in found(node("spec: one"), one=text)}
    assert found(node("spec: one, outputs: c"), one=text) == []


def test_expectations_of_a_spec_inside_are_not_checked(here: Path) -> None:
    text = SMALL + "expect: {parameters: 16, outputs: {c: [N, 4, H, W]}}\n"
    assert found(node("spec: one, params: {width: 5}"), one=text) == []


def test_what_cannot_be_cut(here: Path) -> None:
    inner = """\
nodes:
  pair: {connect: parallel, from: x, nodes: {left: {nodes: [ReLU, Tanh]}, right: Tanh}}
  sum: {op: add, from: [pair.left, pair.right]}
  down: {op: sum, from: sum, if: false}
  path: {switch: flag, from: down, cases: {true: {nodes: [ReLU]}, false: Tanh}}
outputs: [sum, path]
"""
    head = HEAD.replace("inputs: {", "inputs: {flag: {shape: [], dtype: bool}, ")
    text = head + "nodes: {a: {spec: one, from: [flag, x], outputs: PATH}}\n"
    cases = {
        "[pair.left.0, pair]": "'pair' are taken all together",
        "down.0": "'down' of 'one' is not built",
        "path.true.0": "not every one runs",
        "pair.middle": "known there: left, right",
        "pair.left.2": "'left' of 'pair' has no part '2'",
        "summ": "did you mean 'sum'?",
    }
    for path, words in cases.items():
        errors = [f for f in found(text.replace("PATH", path), one=head + inner) if f.is_error]
        assert [f.code for f in errors] == ["E201"], path
        assert words in str(errors[0])
    for path in ("[pair.left.0, pair.left, sum]", "[pair.right, pair.left.1]", "path", "pair"):
        assert [
            f for f in found(text.replace("PATH", path), one=head + inner) if f.is_error
        ] == [], path


def test_a_spec_without_inputs(here: Path) -> None:
    inner = "graphbuild: 1\ninputs: {}\nnodes: {p: {op: parameter, shape: [3, 1, 1], init: ones}}\n"
    text = HEAD + "nodes: {a: {spec: one}, b: {op: mul, from: [x, a]}}\n"
    assert found(text, one=inner) == []
    image = torch.rand(2, 3, 4, 4)
    assert torch.equal(graphbuild.compile("net.yaml")(image), image)
    for what in ("spec: one, from: x", "spec: one, from: x, repeat: 2"):
        (error,) = found(node(what), one=inner)
        assert (error.code, error.message) == ("E205", "one takes no inputs")
