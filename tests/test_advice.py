"""Warnings about graphs that run but hardly do what was meant: when they come, and when not."""

from __future__ import annotations

import pytest
from test_formats import findings

HEAD = "graphbuild: 1\nname: net\ninputs: {x: [N, 8, H=8, W=8]}\n"
CONV = "{op: Conv2d, out_channels: 8, kernel_size: 1}"


def told(text: str) -> list[tuple[str, int]]:
    return [(f.code, f.span.line if f.span else 0) for f in findings(HEAD + text)]


# `expected` counts lines from the first one below the head.
DROPOUTS = [
    ("nodes: {d: Dropout}", 1),
    ("nodes: {d: dropout}", 1),
    ("nodes:\n  d: Dropout2d\n  f: {op: flatten, start_dim: 1}", 2),
    ("nodes:\n  d: Dropout\n  i: {op: ReLU, if: false}", 2),
    ("nodes: {g: {nodes: [ReLU, Dropout]}}", 1),
    ("blocks:\n  b: {nodes: [ReLU, Dropout]}\nnodes: {a: b, c: b}", 2),
    ("nodes:\n  d: Dropout\n  r: ReLU\noutputs: {features: d, r: r}", 2),
    ("nodes: {g: {connect: parallel, nodes: {a: ReLU, b: Dropout}}}\noutputs: g.b", 1),
    ("nodes: {d: {op: Dropout, p: 0}}", None),
    ("nodes: {d: {op: Dropout, if: false}, r: ReLU}", None),
    ("nodes: {d: Dropout, r: ReLU}", None),
    ("blocks:\n  b: {nodes: [ReLU, Dropout]}\nnodes: {a: b, c: ReLU}", None),
]


@pytest.mark.parametrize(("text", "line"), DROPOUTS)
def test_dropout_on_an_output(text: str, line: int | None) -> None:
    assert told(text) == ([] if line is None else [("W304", line + 3)])


BIASES = [
    (f"nodes: {{c: {CONV}, n: BatchNorm2d}}", 1),
    (f"nodes:\n  g: {{nodes: [ReLU, {CONV}]}}\n  h: {{nodes: [BatchNorm2d, ReLU]}}", 2),
    (f"blocks:\n  b:\n    nodes:\n      c: {CONV}\n      n: BatchNorm2d\nnodes: {{a: b, d: b}}", 4),
    (f"blocks:\n  b: {{nodes: [{CONV}]}}\nnodes: {{a: b, n: BatchNorm2d, c: b, m: BatchNorm2d}}", 2),
    (f"nodes: {{g: {{repeat: 3, nodes: [{CONV}, BatchNorm2d]}}}}", 1),
    ("nodes:\n  f: {op: flatten, start_dim: 2}\n  l: {op: Linear, out_features: 4, in_features: 64}\n"
     "  n: BatchNorm1d\ninputs: {x: [N, 8, 8, 8]}", 3),
    # said, not needed, or not only for the norm
    (f"nodes: {{c: {CONV[:-1]}, bias: false}}, n: BatchNorm2d}}", None),
    (f"nodes: {{c: {CONV[:-1]}, bias: true}}, n: BatchNorm2d}}", None),
    (f"defaults: {{Conv2d: {{bias: true}}}}\nnodes: {{c: {CONV}, n: BatchNorm2d}}", None),
    (f"nodes: {{c: {CONV}, r: ReLU, n: BatchNorm2d}}", None),
    (f"nodes: {{c: {CONV}, n: BatchNorm2d, s: {{op: add, from: [c, n]}}}}", None),
    (f"nodes: {{c: {CONV}, n: BatchNorm2d}}\noutputs: [c, n]", None),
    (f"blocks:\n  b: {{nodes: [{CONV}]}}\nnodes: {{a: b, n: BatchNorm2d, c: b}}", None),
    (f"blocks:\n  b:\n    outputs: {{c: c, n: n}}\n    nodes: {{c: {CONV}, n: BatchNorm2d}}\n"
     "nodes: {a: b, s: {op: add, from: [a.c, a.n]}}", None),
    (f"blocks:\n  b: {{nodes: {{n: BatchNorm2d, s: {{op: add, from: [n, input]}}}}}}\n"
     f"nodes: {{c: {CONV}, a: b}}", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), BIASES)
def test_a_bias_in_front_of_a_batch_norm(text: str, line: int | None) -> None:
    head = HEAD if "inputs:" not in text else "\n".join(HEAD.splitlines()[:2]) + "\n"
    found = [(f.code, f.span.line if f.span else 0) for f in findings(head + text)]
    shift = len(head.splitlines())
    assert found == ([] if line is None else [("W305", line + shift)])
