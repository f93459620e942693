"""What findings say beyond code and place, and rules that no table row elsewhere pins down."""

from __future__ import annotations

from typing import Any

import pytest

from graphbuild.check import verify
from graphbuild.elaborate import elaborate, elaborate_with_findings
from graphbuild.errors import Finding, Source, Span, SpecError
from graphbuild.ir import Graph
from graphbuild.read import read_text
from graphbuild.visible import visible

HEAD = "graphbuild: 1\nname: net\nparams: {width: 8}\ninputs: {image: [N, 3, H=32, W=32]}\n"


def findings(text: str, head: str = HEAD, **params: Any) -> list[Finding]:
    found = elaborate_with_findings(read_text(head + text, "net.yaml"), params)[1]
    return [finding for finding in found if finding.code != "W302"]


def test_a_finding_names_every_call_it_was_reached_from() -> None:
    (found,) = findings("""\
blocks:
  inner:
    params: {c: int}
    nodes: {a: {op: Conv2d, out_channels: $c, kernel_size: 1}, s: {op: add, from: [a, input]}}
  outer: {nodes: {m: {op: inner, c: 5}}}
nodes:
  x: {op: inner, from: image, c: 4}
  y: {op: outer, from: image}
outputs: [x, y]
""")
    assert (found.code, str(found.span)) == ("E204", "net.yaml:8:64")
    reached = [(n.message, n.span and n.span.line) for n in found.notes if "reached" in n.message]
    assert reached == [("reached from x", 11), ("reached from y.m", 9)]


def test_expected_sizes_are_compared_at_every_size_of_the_input() -> None:
    body = "nodes: {a: {op: Conv2d, out_channels: 3, kernel_size: 1, stride: %s}}\n"
    expect = "expect: {outputs: {a: [N, 3, %s, %s]}}\n"
    assert findings(body % 2 + expect % ("⌈H/2⌉", "$(ceil(W / 2))")) == []
    # right at the example, wrong at other sizes
    for wrong in (("16", "⌈W/2⌉"), ("⌊H/2⌋", "⌈W/2⌉"), ("⌈H/2⌉", "$(W // 2)")):
        assert [f.code for f in findings(body % 2 + expect % wrong)] == ["E210"], wrong
    swapped = findings(body % 1 + expect % ("W", "H"))
    assert [(f.code, f.found) for f in swapped] == [("E210", "N×3×H×W")]


def test_a_part_of_what_has_nodes_is_said_by_its_outputs() -> None:
    (found,) = findings("nodes: {a: {nodes: {c: ReLU}}, b: {op: ReLU, from: a.c}}")
    assert (found.code, found.suggestion) == ("E201", "its `outputs` say what it gives")
    for single in ("{op: ReLU}", "{op: ReLU, repeat: 2}", "{repeat: 2, nodes: [ReLU]}"):
        (found,) = findings(f"nodes: {{a: {single}, b: {{op: ReLU, from: a.0}}}}")
        assert (found.code, found.suggestion) == ("E201", None)


@pytest.mark.parametrize(
    ("name", "ours"), [("view", "reshape"), ("mm", "matmul"), ("cat", "concat")]
)
def test_other_names_of_torch_lead_to_ours(name: str, ours: str) -> None:
    (found,) = findings(f"nodes: [{name}]")
    assert (found.code, found.suggestion) == ("E111", f"did you mean {ours!r}?")


def test_a_default_means_what_it_says_where_it_stands() -> None:
    graph = elaborate(
        read_text(
            HEAD
            + """\
defaults: {Conv2d: {out_channels: $width, kernel_size: 1}}
blocks: {b: {params: {width: 5}, nodes: {c: Conv2d, d: {op: Conv2d, out_channels: $width}}}}
nodes: {a: b}
""",
            "net.yaml",
        )
    )
    verify(graph)
    block = graph.by_name["a"].call
    assert isinstance(block, Graph)
    assert [n.args["out_channels"].value for n in block.nodes] == [8, 5]
    # not `$width`, which is the block's own there
    spelt = {name: block.by_name[name].args["out_channels"].expr for name in "cd"}
    assert [type(tree).__name__ for tree in spelt.values()] == ["Constant", "Name"]


def test_a_loop_variable_that_hides_a_param_of_its_block_is_a_warning() -> None:
    found = findings("""\
blocks:
  b:
    params: {k: 1}
    nodes: {c: {op: Conv2d, out_channels: $k, kernel_size: 1, repeat: {k: [1, 2]}}}
nodes: {a: {op: b, k: 3}}
""")
    assert [(f.code, f.span and f.span.line) for f in found] == [("W303", 8)]


def test_one_name_has_one_example_size() -> None:
    head = "graphbuild: 1\nname: net\ninputs: {a: [N, H=7], b: [N, H=8]}\n"
    (found,) = findings("nodes: {s: {op: add, from: [a, b]}}\n", head)
    assert (found.code, found.span and found.span.column) == ("E103", 30)
    assert [note.message for note in found.notes] == ["H=7"]


@pytest.mark.parametrize("value", [object(), {1, 2}, b"8", [object()]])
def test_a_param_takes_plain_data_only(value: object) -> None:
    head = HEAD.replace("width: 8", "extra: null")
    (found,) = findings("nodes: {a: {op: relu, if: $(extra is None)}}\n", head, extra=value)
    assert (found.code, found.expected) == ("E103", "plain data")


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    assert visible("\x1b[31mred\x07\x9b1m\r") == "\\x1b[31mred\\x07\\x9b1m\\x0d"
    assert visible("\u202eab\u200b\U000e0041") == "\\u202eab\\u200b\\U000e0041"
    for text in ("a\tb\nc × ⌈H/2⌉", "全角\u3000空白", "é😀"):
        assert visible(text) == text


def test_the_carets_stand_below_what_is_written_out() -> None:
    line = "a: \u200bx\u200b"
    span = Span(Source("net.yaml", line), 1, 4, 1, 6)
    assert str(Finding("E103", "wrong\x1b", span)).splitlines() == [
        "net.yaml:1:4: E103 wrong\\x1b",
        "    1 | a: \\u200bx\\u200b",
        "      |    ^^^^^^^",
    ]


def test_carets_stand_under_wide_characters_and_accents() -> None:
    text = "nodes:\n  層: {op: ReLu}\n  e\u0301: {op: ReLu}\n"
    shown = [str(finding).splitlines()[1:3] for finding in findings(text)]
    # a terminal shows the first name in two columns, the accent of the second in none
    assert [carets.index("^") - line.index("ReLu") for line, carets in shown] == [1, -1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nodes: [ReLU]\nrepeat: 3\n", "'repeat' stands in a node"),
        ("blocks: {b: {nodes: [ReLU], from: x}}\nnodes: [b]\n", "'from' stands in a node"),
        ("nodes: {a: ReLU, b: {share: a, tie: {w: a.w}}}\n", "its keys are from, if, when"),
        ("nodes: [ReLU]\ndims: {N: {from: 3}}\n", "its keys are"),
    ],
)
def test_a_key_of_a_node_stands_in_one_of_its_kind(text: str, told: str) -> None:
    with pytest.raises(SpecError) as raised:
        read_text(HEAD + text)
    suggestions = [finding.suggestion or "" for finding in raised.value.findings]
    assert any(told in suggestion for suggestion in suggestions)
    if "stands" not in told:
        assert not any("stands in a node" in suggestion for suggestion in suggestions)
