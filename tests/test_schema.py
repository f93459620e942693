"""The JSON Schema: what is right passes a public validator, what is often mistyped fails it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from command import BUNDLED, ROOT
from jsonschema.exceptions import best_match

from graphbuild import ops
from graphbuild.elaborate import elaborate
from graphbuild.emit import emit
from graphbuild.errors import Source
from graphbuild.read import read_text
from graphbuild.schema import MODELINE, schema_text
from graphbuild.source import parse, plain
from graphbuild.spec import Block, DimRange, Expect, InputSpec, Spec
from graphbuild.spec.scope import EVERY, KINDS
from graphbuild.starter import starter

SCHEMA = json.loads(schema_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
HEAD = "graphbuild: 1\nname: net\ninputs: {image: [N, 3, H=32, W=32]}\n"


def errors(text: str) -> list[str]:
    data = plain(parse(Source("net.yaml", text)))
    return [error.message for error in VALIDATOR.iter_errors(data)]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_specs_fit(name: str) -> None:
    text = (ROOT / "specs" / f"{name}.yaml").read_text(encoding="utf-8")
    assert errors(text) == []
    assert text.startswith(f"{MODELINE}\n")


def test_the_schema_beside_the_specs_is_up_to_date(update_golden: bool) -> None:
    file = ROOT / "specs" / "graphbuild.schema.json"
    if update_golden:
        file.write_text(schema_text(), encoding="utf-8")
    assert file.read_text(encoding="utf-8") == schema_text()


NAMES = """\
graphbuild: 1
name: größe-2
inputs: {bild: [N, 3, Höhe=32, Breite=32]}
dims: {Höhe: {min: 8}}
params: {weite: 8}
blocks: {блок: {params: {каналы: int}, nodes: {c: {op: Conv2d, out_channels: $каналы, kernel_size: 1}}}}
nodes: {畳み込み: {op: блок, каналы: $weite}}
"""


def test_names_are_of_any_script() -> None:
    assert errors(NAMES) == []
    graph = elaborate(read_text(NAMES))
    assert "[N, 3, Höhe, Breite]" in emit(graph).source
    for wrong in (
        "name: a b",
        "params: {a-b: 1}",
        "params: {1a: 1}",
        "blocks: {Big: {nodes: [ReLU]}}",
    ):
        assert errors(f"{HEAD.replace('name: net', '')}nodes: [ReLU]\n{wrong}\n"), wrong


def test_the_starter_fits_and_compiles() -> None:
    assert errors(starter("my-net")) == []
    assert read_text(starter("my-net")).name == "my-net"


def test_it_has_every_key_of_the_language() -> None:
    definitions = SCHEMA["$defs"]
    assert set(SCHEMA["properties"]) >= set(Spec.keys) - {"rest"}
    assert set(definitions["block"]["properties"]) == set(Block.keys)
    assert set(definitions["dimension"]["properties"]) == set(DimRange.keys)
    assert set(definitions["input"]["else"]["properties"]) == set(InputSpec.keys)
    assert set(SCHEMA["properties"]["expect"]["properties"]) == set(Expect.keys)
    _, *rules = definitions["node"]["then"]["allOf"]
    for rule in rules:
        (kind,) = rule["if"]["required"]
        assert set(rule["then"]["properties"]) >= {*EVERY, *KINDS[kind]} - {"args"}


def test_it_has_every_op_with_its_arguments() -> None:
    for name in ops.names():
        op = ops.get(name)
        assert op is not None
        known = SCHEMA["$defs"][name]["properties"]
        assert set(known) == {argument.name for argument in op.arguments} - set(EVERY)
        assert SCHEMA["$defs"][name]["description"] == op.doc


# What is often mistyped, and what a validator says of it first.
MISTAKES = [
    ("nodes: {a: Conv2D}",
     "$.nodes.a: 'Conv2D' is not one of"),
    ("nodes: {a: {op: Conv2D, out_channels: 8}}",
     "$.nodes.a.op: 'Conv2D' is not one of"),
    ("nodes: {a: {op: Conv2d, out_chanels: 8, kernel_size: 3}}",
     "$.nodes.a: 'out_chanels' is not one of ['in_channels', 'out_channels'"),
    ("nodes: {a: {op: ReLU, form: image}}",
     "$.nodes.a: 'form' is not one of ['inplace', 'op', 'from'"),
    ("nodes: {a: {op: Conv2d, out_channels: wide, kernel_size: 3}}",
     "$.nodes.a.out_channels: 'wide' is not of type 'integer'"),
    ("nodes: {a: {op: Dropout, p: 1.5}}",
     "$.nodes.a.p: 1.5 is greater than the maximum of 1"),
    ("nodes: {a: {op: Conv2d, out_channels: 8, kernel_size: [3, 3, 3]}}",
     "$.nodes.a.kernel_size: [3, 3, 3] is too long"),
    ("nodes: {a: {op: Conv2d, out_channels: 8, kernel_size: 3, padding_mode: zero}}",
     "$.nodes.a.padding_mode: 'zero' is not one of ['zeros'"),
    ("nodes: {a: {op: pad, pad: [1, x]}}",
     "$.nodes.a.pad[1]: 'x' is not of type 'integer'"),
    ("nodes: {a: {from: image}}",
     "$.nodes.a: 'op' is a required property"),
    ("nodes: {a: {nodes: [ReLU], kernel_size: 3}}",
     "$.nodes.a: Additional properties are not allowed ('kernel_size' was unexpected)"),
    ("nodes: {a: {connect: densely, nodes: [ReLU]}}",
     "$.nodes.a.connect: 'densely' is not one of ['chain', 'dense', 'parallel']"),
    ("nodes: {a: {op: ReLU, repeat: -1}}",
     "$.nodes.a.repeat: -1 is less than the minimum of 0"),
    ("nodes: {}",
     "$.nodes: {} should be non-empty"),
    ("nodes: [ReLU]\nblock: {}",
     "$: Additional properties are not allowed ('block' was unexpected)"),
    ("nodes: [ReLU]\ngraphbuild: 2",
     "$.graphbuild: 1 was expected"),
    ("nodes: [ReLU]\ninputs: {x: {shape: [N], dtype: float}}",
     "$.inputs.x.dtype: 'float' is not one of ['float32'"),
    ("nodes: [ReLU]\ninputs: {x: {dtype: int64}}",
     "$.inputs.x: 'shape' is a required property"),
    ("nodes: [ReLU]\ndefaults: {Conv2d: {baes: false}}",
     "$.defaults.Conv2d: 'baes' is not one of ['in_channels'"),
    ("nodes: [b]\nblocks: {b: {params: {}}}",
     "$.blocks.b: 'nodes' is a required property"),
    ("nodes: [ReLU]\ninputs:",
     "$.inputs: None is not of type 'object'"),
    ("nodes: {a: {nodes: [{nodes: {b: {op: Linear, out_feature: 3}}}]}}",
     "$.nodes.a.nodes[0].nodes.b: 'out_feature' is not one of"),
    ("nodes: {a: {switch: image}}",
     "$.nodes.a: 'cases' is a required property"),
    ("nodes: {a: {mixture: image, cases: [{op: Lineer}]}}",
     "$.nodes.a.cases[0].op: 'Lineer' is not one of"),
]  # fmt: skip


@pytest.mark.parametrize(("mistake", "words"), MISTAKES)
def test_mistakes_fail(mistake: str, words: str) -> None:
    keys = {line.split(":")[0] for line in mistake.splitlines()}
    head = [line for line in HEAD.splitlines() if line.split(":")[0] not in keys]
    text = "\n".join([*head, mistake]) + "\n"
    worst = best_match(VALIDATOR.iter_errors(plain(parse(Source("net.yaml", text)))))
    assert worst is not None
    assert f"{worst.json_path}: {worst.message}".startswith(words)


@pytest.mark.parametrize(
    "nodes",
    [
        "{a: {op: Conv2d, out_channels: $(2 * 4), kernel_size: [3, 3]}, b: block}",
        "[{op: block, any: 1}, {nodes: [ReLU], repeat: {w: [1, 2]}}]",
        "{a: {op: ReLU, repeat: 3, share: true}, b: {share: a, from: image}}",
        "{a: {spec: x.yaml, params: {n: 1}, outputs: {o: p}}, b: {op: $act, when: $training}}",
        "{g: {route: index, cases: {op: ReLU, repeat: 3}}, m: {mixture: g, top_k: 1, cases: [ReLU]}}",
        "{c$(i): {op: concat, from: {concat: [a, b], dim: 1}, repeat: 2}}",
        "{p: {op: pad, pad: [0, $width]}, r: {op: reshape, shape: ['$(p.shape[0])', -1]}}",
        "{s: {switch: flag, cases: {true: ReLU, false: {nodes: [ReLU]}}}}",
    ],
)
def test_what_is_right_passes(nodes: str) -> None:
    assert errors(HEAD + f"nodes: {nodes}\n") == []


def test_nothing_refers_to_the_network() -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [r for item in value.values() for r in references(item)]
        return [r for item in value for r in references(item)] if isinstance(value, list) else []

    found = set(references(SCHEMA))
    assert found
    assert {r for r in found if not r.startswith("#/$defs/")} == set()
    assert {r.removeprefix("#/$defs/") for r in found} <= set(SCHEMA["$defs"])
