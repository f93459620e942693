"""What people write who come from other frameworks, and what they are told; several mistakes at once."""

from __future__ import annotations

import pytest
from test_findings import HEAD, Found, findings

CONV = "nodes: {a: {op: Conv2d, out_channels: 8, kernel_size: 3, %s}}\n"
PAIR = "nodes: {a: ReLU, b: {op: ReLU, from: image}, c: {op: add, from: %s}}\n"
ROWS: list[tuple[str, tuple[str, int, int], str]] = [
    # names of ops
    ("nodes: {a: torch.nn.ReLU}\n", ("E111", 6, 12), "did you mean 'ReLU'?"),
    ("nodes: {a: {op: nn.Dropout, p: 0.5}}\n", ("E111", 6, 17), "did you mean 'Dropout'?"),
    ("nodes: {a: {op: Dense, out_features: 3}}\n", ("E111", 6, 17), "did you mean 'Linear'?"),
    ("nodes: {a: BatchNorm}\n", ("E111", 6, 12), "did you mean 'BatchNorm2d'?"),
    ("nodes: {a: Sequential}\n", ("E111", 6, 12), "layers one after the other are a group: nodes: [...] in place of op"),
    ("nodes: {a: {op: Sequential, nodes: [ReLU]}}\n", ("E101", 6, 13), "leave op out: what has nodes is a group"),
    # names of arguments
    ("nodes: {a: {op: softmax, axis: 1}}\n", ("E112", 6, 26), "did you mean 'dim'?"),
    ("nodes: {a: {op: Dropout, rate: 0.5}}\n", ("E112", 6, 26), "did you mean 'p'?"),
    ("nodes: {a: {op: Linear, units: 8}}\n", ("E112", 6, 25), "did you mean 'out_features'?"),
    # values
    (CONV.replace("8,", "8.0,") % "bias: true", ("E114", 6, 39), "write 8"),
    (CONV.replace("8,", "'8',") % "bias: true", ("E114", 6, 39), "without quotes it is a number: 8"),
    (CONV % "bias: no", ("E114", 6, 64), "write false"),
    (CONV % "bias: Yes", ("E114", 6, 64), "write true"),
    ('nodes: {a: {op: ReLU, repeat: "3"}}\n', ("E103", 6, 31), "without quotes it is a number: 3"),
    ("nodes: {a: {op: ReLU, if: yes}}\n", ("E103", 6, 27), "write true"),
    ("nodes: {a: {op: ReLU, if: off}}\n", ("E103", 6, 27), "write false"),
    # how nodes are written
    ("nodes: {a: {type: ReLU}}\n", ("E102", 6, 9), "did you mean op in place of type?"),
    ("nodes:\n  - Conv2d: {out_channels: 8, kernel_size: 3}\n", ("E102", 7, 5), "write {op: Conv2d, ...} with the arguments beside it"),
    (PAIR % "[a b]", ("E201", 6, 66), "a comma is missing: [a, b]"),
    ("nodes: {g: {nodes: {r: ReLU, t: Tanh}, outputs: {main: r, aux: t}}}\noutputs: main\n", ("E201", 7, 10), "did you mean g.main?"),
    # keys of the spec
    ("nodes: {a: ReLU}\ntie: {a: b}\n", ("E101", 7, 1), "'tie' stands in a node"),
    ("layers: {a: ReLU}\n", ("E101", 6, 1), "did you mean 'nodes'?"),
    ("nodes: {a: ReLU}\nparameters: {a: 1}\n", ("E101", 7, 1), "did you mean 'params'?"),
    # expressions
    ("nodes: {a: {op: Dropout, p: $(max(0.1, 0.2))}}\n", ("E122", 6, 29), "write '$(max(0.1, 0.2))'"),
    ("nodes: {a: {op: Dropout, p: '$(max(0.1, 0.2)'}}\n", ("E122", 6, 30), "write '$(max(0.1, 0.2))'"),
    ("nodes:\n  a: {op: Dropout, p: $((width + 1}\n", ("E122", 7, 23), "write '$((width + 1))'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "hint"), ROWS, ids=[text for text, _, _ in ROWS])
def test_a_mistake_is_answered(text: str, place: tuple[str, int, int], hint: str) -> None:
    found = [finding for finding in findings(HEAD + text) if finding.code != "W302"]
    told = [(f.code, f.span and f.span.line, f.span and f.span.column) for f in found]
    assert told == [place], "\n\n".join(map(str, found))
    assert found[0].suggestion == hint


def test_same_padding_with_a_stride_says_which_padding_it_would_be() -> None:
    (found, *_) = findings(HEAD + CONV % "stride: 2, padding: same")
    assert (found.code, found.message) == (
        "E207",
        "Conv2d node 'a': padding: same needs a stride of 1; padding: 1 gives the size divided by the"
        " stride, rounded up",
    )
    for args, told in (
        ("kernel_size: [3, 5], stride: 2", "padding: [1, 2]"),
        ("kernel_size: 3, dilation: 2, stride: 2", "padding: 2"),
    ):
        text = CONV.replace("kernel_size: 3", args) % "padding: same"
        assert told in findings(HEAD + text)[0].message
        right = findings(HEAD + text.replace("padding: same", told))
        assert [f.code for f in right] == ["W302"]  # the param of the head
    even = CONV.replace("kernel_size: 3", "kernel_size: 4") % "stride: 2, padding: same"
    assert findings(HEAD + even)[0].message.endswith("needs a stride of 1")


# -- several at once ------------------------------------------------------------------------------

SEVERAL: list[tuple[str, Found]] = [
    (  # keys and kinds of values
        "nodes:\n  a: {opp: ReLU}\n  b: {op: ReLU, from: a}\n  d: {op: ReLU, doc: [1]}\n  c: {inplace: true}\nstuff: 1\nconnect: side\n",
        [("E101", 7, 7), ("E103", 9, 22), ("E102", 10, 3), ("E101", 11, 1), ("E103", 12, 10)],
    ),
    (  # ops and arguments, with what takes their values
        "nodes:\n  a: Conv2x\n  b: {op: Linear, out_features: 0}\n  c: {op: Dropout, q: 1}\n  d: {op: add, from: [b, c]}\n  e: {op: ReLU, from: nobody}\n  f: {op: Linear, out_features: 7, from: e}\n",
        [("E111", 7, 6), ("E115", 8, 33), ("E112", 9, 20), ("E201", 11, 23)],
    ),
    (  # shapes: what is broken has none to compare
        "nodes:\n  a: {op: Conv2d, out_channels: 4, kernel_size: 99, from: image}\n  b: {op: MaxPool2d, kernel_size: 2, from: a}\n  c: {op: Conv2d, out_channels: 5, kernel_size: 1, from: image}\n  d: {op: add, from: [c, image]}\n  e: {op: add, from: [b, d]}\n  f: {op: softmax, dim: 9, from: image}\n  g: {op: stack, from: [e, f]}\n",
        [("E207", 7, 3), ("E204", 10, 3), ("E207", 12, 3)],
    ),
    (  # inside of blocks and groups, and beside them
        "blocks:\n  b: {params: {k: int}, nodes: {x: {op: Conv2d, out_channels: $kk, kernel_size: 1}, y: ReLU}}\nnodes:\n  p: {op: b, k: 3}\n  q: {op: b, k: x}\n  r: {from: image, nodes: {s: {op: Tanh, from: outside}, t: ReLU}}\n  u: {op: concat, from: [p, q, r]}\n  v: {op: Conv3d, out_channels: 3, kernel_size: 1, from: image}\n",
        [("E123", 7, 64), ("E114", 10, 17), ("E201", 11, 48), ("E208", 13, 3)],
    ),
    (  # initialisation and expectations
        "nodes: {a: {op: Conv2d, out_channels: 8, kernel_size: 1}, b: {op: BatchNorm2d}}\ninit:\n  - {match: nope, weight: ones}\n  - {match: a, weight: sones}\n  - {match: b, bias: 3}\nexpect: {parameters: 1, outputs: {b: [N, 8, 32, 4]}}\n",
        [("E212", 8, 13), ("E212", 9, 24), ("E212", 10, 22), ("E210", 11, 22), ("E210", 11, 38)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SEVERAL)
def test_all_mistakes_of_a_stage_are_told_at_once(text: str, expected: Found) -> None:
    found = [finding for finding in findings(HEAD + text) if finding.is_error]
    told = [(f.code, f.span.line, f.span.column) for f in found if f.span is not None]
    assert told == expected, "\n\n".join(map(str, found))
    assert [place[1:] for place in told] == sorted(place[1:] for place in told)
