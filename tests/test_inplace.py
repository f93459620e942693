"""Semantics 14: what an op in place may overwrite, also through blocks, views and defaults."""

from __future__ import annotations

import pytest
from test_elaborate import build, findings

ALLOWED = {
    "the only reader": """
nodes: {n: BatchNorm2d, r: {op: ReLU, inplace: true}, s: {op: add, from: [r, x]}}
""",
    "readers of what is left behind": """
nodes: {n: BatchNorm2d, r: {op: ReLU, inplace: true}, s: {op: add, from: [r, r]}}
""",
    "a view on the way": """
nodes: {n: BatchNorm2d, f: {op: flatten, start_dim: 1}, r: {op: ReLU, inplace: true}}
""",
    "through blocks and defaults": """
defaults: {ReLU: {inplace: true}}
blocks:
  act: {nodes: {r: ReLU}}
  unit: {nodes: {n: BatchNorm2d, a: act}}
nodes: {u: {op: unit, repeat: 3}, out: {op: add, from: [u, x]}}
""",
    "a fresh value on every turn": """
nodes: {u: {repeat: 3, nodes: [BatchNorm2d, {op: ReLU, inplace: true}]}}
""",
    "two in a row": """
nodes: {n: BatchNorm2d, a: {op: Dropout, inplace: true}, b: {op: Hardtanh, inplace: true}}
""",
    "the reader is another part": """
blocks: {two: {nodes: {a: BatchNorm2d, b: {op: BatchNorm2d, from: input}}, outputs: {a: a, b: b}}}
nodes: {t: two, r: {op: ReLU, inplace: true, from: t.a}, o: {op: add, from: [r, t.b]}}
""",
    "before a residual add": """
nodes:
  n: BatchNorm2d
  r: {op: ReLU, inplace: true}
  c: {op: Conv2d, out_channels: 8, kernel_size: 1}
  n2: BatchNorm2d
  o: {op: add, from: [n2, r]}
  r2: {op: ReLU, inplace: true}
""",
    "the rows that are copied for a case": """
nodes:
  n: BatchNorm2d
  p: {op: mean, dim: [2, 3]}
  w: {op: Linear, out_features: 2}
  k: {op: argmax, dim: 1}
  r: {route: k, from: n, cases: [{op: ReLU, inplace: true}, {op: Hardtanh, inplace: true}]}
  t: {op: ReLU, inplace: true}
  m: {mixture: w, top_k: 1, from: n, cases: [{op: ReLU, inplace: true}, Sigmoid]}
  o: {op: add, from: [n, m]}
outputs: [t, o]
""",
    "inside of a case": """
nodes:
  w: {op: mean, dim: [1, 2, 3]}
  c: {op: gt, other: 0.0}
  r: {route: c, from: x, cases: {true: {nodes: [BatchNorm2d, {op: ReLU, inplace: true}]}, false: Identity}}
""",
}


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed(name: str) -> None:
    build(ALLOWED[name])


# What is refused: the spec, the place of the op in place, and one of the notes about who reads it.
REFUSED = {
    "a reader of the same value": (
        "nodes:\n  n: BatchNorm2d\n  r: {op: ReLU, inplace: true}\n  o: {op: add, from: [n, r]}",
        (6, 3),
        "o reads it",
    ),
    "a reader that comes first": (
        "nodes:\n  n: BatchNorm2d\n  c: Sigmoid\n  r: {op: ReLU, inplace: true, from: n}\n"
        "  o: {op: add, from: [c, r]}",
        (7, 3),
        "c reads it",
    ),
    "the spec's own input": (
        "nodes:\n  r: {op: ReLU, inplace: true}",
        (5, 3),
        "whoever calls the model would find it changed",
    ),
    "the spec's own input, through a view and a block": (
        "blocks: {a: {nodes: {r: {op: ReLU, inplace: true}}}}\n"
        "nodes: {f: {op: flatten, start_dim: 1}, u: a}",
        (4, 22),
        "reached from u",
    ),
    "the producer's backward": (
        "nodes:\n  s: Sigmoid\n  r: {op: ReLU, inplace: true}",
        (6, 3),
        "the backward of s reads it",
    ),
    "the producer's backward, in place before": (
        "nodes:\n  n: BatchNorm2d\n  s: {op: ReLU, inplace: true}\n  r: {op: Dropout, inplace: true}",
        (7, 3),
        "the backward of s reads it",
    ),
    "the producer inside of a block": (
        "blocks: {b: {nodes: {n: BatchNorm2d, s: Sigmoid}}}\n"
        "nodes: {u: b, r: {op: ReLU, inplace: true}}",
        (5, 15),
        "the backward of u.s reads it",
    ),
    "an output": (
        "nodes:\n  n: BatchNorm2d\n  r: {op: ReLU, inplace: true}\noutputs: [n, r]",
        (6, 3),
        "it is an output as well",
    ),
    "through a view": (
        "nodes:\n  n: BatchNorm2d\n  f: {op: flatten, start_dim: 1}\n"
        "  r: {op: ReLU, inplace: true}\n  g: {op: flatten, start_dim: 1, from: n}\n"
        "  o: {op: add, from: [r, g]}",
        (7, 3),
        "o reads it",
    ),
    "through an absent node": (
        "nodes:\n  n: BatchNorm2d\n  d: {op: Sigmoid, if: false}\n  r: {op: ReLU, inplace: true}\n"
        "  o: {op: add, from: [r, d]}",
        (7, 3),
        "o reads it",
    ),
    "inside of a block, by its caller": (
        "blocks:\n  act: {nodes: {r: {op: ReLU, inplace: true}}}\n"
        "nodes: {n: BatchNorm2d, a: act, o: {op: add, from: [n, a]}}",
        (5, 17),
        "o reads it",
    ),
    "by the caller's defaults": (
        "defaults: {ReLU: {inplace: true}}\nnodes: {n: BatchNorm2d, r: ReLU, "
        "o: {op: add, from: [n, r]}}",
        (5, 25),
        "o reads it",
    ),
    "a reader inside of the block that made it": (
        "blocks: {b: {nodes: {n: BatchNorm2d, s: Sigmoid}, outputs: {n: n, s: s}}}\n"
        "nodes: {u: b, r: {op: ReLU, inplace: true, from: u.n}, o: {op: add, from: [r, u.s]}}",
        (5, 15),
        "u.s reads it",
    ),
    "a sibling in a parallel group": (
        "nodes:\n  n: BatchNorm2d\n  p: {connect: parallel, nodes: {a: {op: ReLU, inplace: true}, "
        "b: Sigmoid}}\n  c: concat",
        (6, 34),
        "p.b reads it",
    ),
    "the running concat": (
        "nodes:\n  n: BatchNorm2d\n  d: {connect: dense, nodes: {a: {op: ReLU, inplace: true}, "
        "b: ReLU}}",
        (6, 31),
        "d.a.concat reads it",
    ),
    "parts that share their storage": (
        "nodes:\n  n: BatchNorm2d\n  c: {op: chunk, chunks: 2, dim: 1}\n"
        "  r: {op: ReLU, inplace: true, from: c.0}\n  o: {op: add, from: [r, c.1]}",
        (7, 3),
        "o reads it",
    ),
    "the same operand twice": (
        "blocks:\n  two:\n    inputs: [a, b]\n    nodes:\n"
        "      r: {op: ReLU, inplace: true, from: a}\n      o: {op: add, from: [r, b]}\n"
        "nodes: {n: BatchNorm2d, t: {op: two, from: [n, n]}}",
        (8, 7),
        "t.o reads it",
    ),
    "what a mixture gives its cases": (
        "nodes:\n  n: BatchNorm2d\n  p: {op: mean, dim: [2, 3]}\n  w: {op: Linear, out_features: 2}\n"
        "  m: {mixture: w, from: n, cases: {a: {op: ReLU, inplace: true}, b: Sigmoid}}",
        (8, 36),
        "m.b reads it",
    ),
    "what a mixture gives to a case that hands it on": (
        "nodes:\n  n: BatchNorm2d\n  p: {op: mean, dim: [2, 3]}\n  w: {op: Linear, out_features: 2}\n"
        "  m: {mixture: w, from: n, cases: {a: Identity, b: {op: ReLU, inplace: true}}}",
        (8, 49),
        "m.a reads it",
    ),
    "what a switch gives its cases": (
        "nodes:\n  n: BatchNorm2d\n  p: {op: mean, dim: [0, 1, 2, 3]}\n  w: {op: gt, other: 0.0}\n"
        "  s: {switch: w, from: n, cases: {true: {op: ReLU, inplace: true}, false: Sigmoid}}",
        (8, 35),
        "torch.cond, which a switch becomes when it is exported, takes no such case",
    ),
    "what a switch hands on": (
        "nodes:\n  n: BatchNorm2d\n  p: {op: mean, dim: [0, 1, 2, 3]}\n  w: {op: gt, other: 0.0}\n"
        "  s: {switch: w, from: n, cases: {true: ReLU, false: Identity}}\n"
        "  r: {op: ReLU, inplace: true}\n  o: {op: add, from: [r, n]}",
        (9, 3),
        "o reads it",
    ),
    "the backward of a case of a switch": (
        "nodes:\n  n: BatchNorm2d\n  p: {op: mean, dim: [0, 1, 2, 3]}\n  w: {op: gt, other: 0.0}\n"
        "  s: {switch: w, from: n, cases: {true: ReLU, false: Sigmoid}}\n"
        "  r: {op: Dropout, inplace: true}",
        (9, 3),
        "the backward of s.true reads it",
    ),
    "what is routed after the rows were copied": (
        "nodes:\n  n: BatchNorm2d\n  p: {op: mean, dim: [1, 2, 3]}\n  w: {op: gt, other: 0.0}\n"
        "  s: {route: w, from: n, cases: {true: ReLU, false: Sigmoid}}\n"
        "  r: {op: ReLU, inplace: true, from: n}\n  o: {op: add, from: [r, s]}",
        (9, 3),
        "s.true reads it",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    text, place, note = REFUSED[name]
    found = [f for f in findings(text) if f.is_error]
    assert [f.code for f in found] == ["E209"]
    assert found[0].span is not None
    assert (found[0].span.line, found[0].span.column) == place
    assert note in [n.message for n in found[0].notes]
    assert found[0].suggestion == "write inplace: false here"


def test_a_shared_block_is_told_once_with_its_call() -> None:
    found = findings("""
blocks:
  act: {nodes: {r: {op: ReLU, inplace: true}}}
nodes:
  n: BatchNorm2d
  a: act
  b: {op: act, from: n}
  o: {op: add, from: [a, b]}
""")
    assert [(f.code, f.span and f.span.line) for f in found] == [("E209", 6)]
    notes = [n.message for n in found[0].notes]
    assert "b.r reads it" in notes
    assert "reached from a" in notes
