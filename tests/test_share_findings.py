"""Wrong uses of `share`, `share: true` and `tie`: the code and the place, and some of the words."""

from __future__ import annotations

import pytest
from test_findings import HEAD, Found, findings

LAYER = "nodes:\n  a: {op: Conv2d, out_channels: 3, kernel_size: 1}\n"
LAYER3 = "nodes:\n  a: {op: Conv2d, out_channels: 8, kernel_size: 3}\n"
CHOICE = "nodes:\n  p: {op: mean, dim: [2, 3]}\n  k: {op: argmax, dim: 1}\n"
BLOCK = "blocks: {b: {nodes: {c: {op: Conv2d, out_channels: $input.channels, kernel_size: 3, padding: 1}, n: BatchNorm2d}}}\n"

ROWS: list[tuple[str, Found]] = [
    ("nodes: {b: {share: a}, a: {op: Linear, out_features: 4}}\n", [("E201", 6, 20)]),
    ("nodes: {a: {share: a}}\n", [("E201", 6, 20)]),
    ("nodes: {stem: ReLU, b: {share: stam}}\n", [("E201", 6, 32)]),
    ("nodes: {stem: ReLU, b: {share: image}}\n", [("E201", 6, 32)]),
    ("nodes: {stem: relu, b: {share: stem}}\n", [("E201", 6, 32)]),
    ("nodes: {stem: ReLU, b: {share: stem}, c: {share: b}}\n", [("E201", 6, 50)]),
    ("nodes: {stem: ReLU, g: {nodes: [{share: stem}]}}\n", [("E201", 6, 41)]),
    ("nodes: {g: {nodes: {in: ReLU}}, b: {share: g.in}}\n", [("E201", 6, 44)]),
    ("nodes: {a: {op: ReLU, if: false}, b: {share: a}}\n", [("E201", 6, 35)]),
    ("nodes: {g: {nodes: [ReLU, {op: Tanh, if: false}, {share: 1}]}}\n", [("E201", 6, 58)]),
    ("nodes: {a: {op: ReLU, if: false}, b: {share: a, if: false}}\n", [("W302", 3, 10)]),
    (LAYER3 + "  b: {share: a}\n", [("E204", 8, 3)]),
    (BLOCK + "nodes:\n  a: b\n  c: {op: Conv2d, out_channels: 5, kernel_size: 1}\n  d: {share: a}\n", [("E204", 10, 3)]),
    ("blocks: {b: {nodes: {c: {op: Conv2d, out_channels: 4, kernel_size: 1, if: $(input.channels > 3)}, d: {op: Conv2d, out_channels: 5, kernel_size: 1}}}}\nnodes: {a: b, c: {share: a}}\n", [("E204", 7, 15)]),
    ("blocks: {b: {nodes: {c: {op: ReLU, repeat: $input.channels}}}}\nnodes: {a: b, d: {op: Conv2d, out_channels: 4, kernel_size: 1}, c: {share: a}}\n", [("E204", 7, 65)]),
    ("nodes: {a: {op: Conv2d, out_channels: 3, kernel_size: 1, in_channels: 3}, d: {op: Conv2d, out_channels: 4, kernel_size: 1}, c: {share: a}}\n", [("E204", 6, 125)]),
    ("nodes: {a: {op: Linear, out_features: 3, from: z}, b: {share: a, from: image}, z: {op: add, from: [b, b]}}\n", [("E203", 6, 9)]),
    ("nodes: {a: ReLU, b: {share: a, inplace: true}}\n", [("E101", 6, 32)]),
    ("nodes: {a: {share: [b]}}\n", [("E103", 6, 20)]),
    ("nodes: {a: {share: }}\n", [("E103", 6, 13)]),
    ("nodes: {a: ReLU, b: {share: a, from: [image, image]}}\n", [("E205", 6, 18)]),
    ("nodes: {a: {op: Dropout, p: $(1 / 0)}, b: {share: a}}\n", [("E124", 6, 31)]),
    ("nodes: {a: {op: Dropout, p: $wdith}, b: {share: a}}\n", [("E123", 6, 30)]),
    ("nodes: {a: {op: ReLU, share: true}}\n", [("E102", 6, 9)]),
    ("nodes: {a$(i): {op: ReLU, share: true, repeat: 2}}\n", [("E104", 6, 9)]),
    ("nodes: {a: {op: ReLU, share: true, repeat: {k: [1, 2]}}}\n", [("E103", 6, 44)]),
    ("nodes: {a: {op: Dropout, p: $(i / 9), share: true, repeat: 2}}\n", [("E123", 6, 9)]),
    ("nodes: {a: {share: true, repeat: 2, nodes: [{op: Dropout, p: $(i / 9)}]}}\n", [("E123", 6, 9)]),
    ("nodes: {a: {share: true, repeat: 2, nodes: [{op: ELU, alpha: $(i / 9), repeat: 2}]}}\n", [("W302", 3, 10)]),
    ("nodes: {a: {op: Conv2d, out_channels: 3, kernel_size: 3, share: true, repeat: 2}}\n", [("E204", 6, 9)]),
    ("nodes: {a: {op: Conv2d, out_channels: 4, kernel_size: 3, padding: 1, share: true, repeat: 2}}\n", [("E204", 6, 9)]),
    ("nodes: {a: {op: argmax, dim: 1, keepdim: true, share: true, repeat: 2}}\n", [("E204", 6, 9)]),
    ("nodes: {a: {op: eq, other: 0, share: true, repeat: 2}}\n", [("E204", 6, 9)]),
    ("nodes: {a: {op: chunk, chunks: 1, dim: 0, share: true, repeat: 2}}\n", [("E204", 6, 9)]),
    ("nodes: {a: {op: ReLU, share: true, repeat: -1}}\n", [("E124", 6, 44)]),
    ("nodes: {a: {op: ReLU, share: true, repeat: two}}\n", [("E103", 6, 44)]),
    ("nodes: {a: {op: ReLU, share: yes, repeat: 2}}\n", [("E101", 6, 23)]),
    ("nodes: {a: {op: ReLU, share: b, repeat: 2}}\n", [("E101", 6, 23)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weigth: a.weight}}\n", [("E201", 8, 58)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: b.weight}}\n", [("E203", 8, 66)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: c.weight}}\n  c: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: d.weight}}\n  d: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: c.weight}}\n", [("E203", 9, 66)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 2, tie: {weight: a.weight}}\n", [("E204", 8, 66)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 3, bias: false, tie: {bias: a.bias}}\n", [("E201", 8, 71)]),
    ("nodes:\n  a: {op: Conv2d, kernel_size: 1, out_channels: 3, bias: false}\n  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {bias: a.bias}}\n", [("E201", 8, 64)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: aa.weight}}\n", [("E201", 8, 66)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: a}}\n", [("E201", 8, 66)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: a.weihgt}}\n", [("E201", 8, 66)]),
    (LAYER + "  g: {nodes: {l: {op: Conv2d, kernel_size: 1, out_channels: 3}}}\n  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: g}}\n", [("E201", 9, 66)]),
    (LAYER + "  g: {nodes: {l: {op: Conv2d, kernel_size: 1, out_channels: 3}}}\n  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: l.weight}}\n", [("E201", 9, 66)]),
    (LAYER + "  r: ReLU\n  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: r.weight}}\n", [("E201", 9, 66)]),
    (LAYER + "  s: {share: a}\n  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: s.weight}}\n", [("E201", 9, 66)]),
    (LAYER + "  s: {op: Conv2d, kernel_size: 1, out_channels: 3, if: false}\n  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: s.weight}}\n", [("E201", 9, 66)]),
    (LAYER + "  g: {tie: {weight: a.weight}, nodes: [{op: Conv2d, kernel_size: 1, out_channels: 3}]}\n", [("E101", 8, 7)]),
    ("blocks: {b: {nodes: [{op: Conv2d, kernel_size: 1, out_channels: 3}]}}\n" + LAYER + "  g: {tie: {weight: a.weight}, op: b}\n", [("E201", 9, 3)]),
    (LAYER + "  b: {op: relu, tie: {weight: a.weight}}\n", [("E201", 8, 3)]),
    (LAYER + "  b: {op: ReLU, tie: {weight: a.weight}}\n", [("E201", 8, 23)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: a.weight}\n", [("E103", 8, 57)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: [a]}}\n", [("E103", 8, 66)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: $(a}}\n", [("E122", 8, 66)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 3, tie: {weight: l$k.weight}}\n", [("E121", 8, 67)]),
    (LAYER + "  b: {op: BatchNorm2d}\n  c: {op: BatchNorm2d, tie: {running_mean: b.running_mean}}\n", [("E201", 9, 30)]),
    (LAYER + "  b: {op: Conv2d, kernel_size: 1, out_channels: 3, repeat: 2, tie: {weight: b.0.weight}}\n", [("E203", 8, 77)]),
    (LAYER + "  b: {op: Conv2d, out_channels: 3, kernel_size: 1, tie: {weight: a.weight}}\ninit: [{match: b, weight: ones, bias: ones}]\n", [("E212", 9, 19)]),
    (LAYER + "  b: {op: Conv2d, out_channels: 3, kernel_size: 1, tie: {weight: a.weight}}\ninit: [{match: '*', weight: ones}]\n", [("W302", 3, 10)]),
    ("nodes: {t: {op: parameter, shape: [3, 1, 1]}, u: {share: t}, a: {op: add, from: [image, t]}}\n", [("E201", 6, 58)]),
    ("nodes: {t: {op: buffer, value: 1.0}, u: {op: buffer, from: t, repeat: 2, share: true}, a: {op: add, from: [image, u]}}\n", [("E205", 6, 38)]),
    (CHOICE + "  m: {route: k, from: p, cases: {a: {op: Linear, out_features: 4}, b: {share: a}}}\n", [("E101", 9, 68)]),
    (CHOICE + "  m: {route: k, from: p, cases: {a: {op: Linear, out_features: 3, repeat: 2, share: true}, b: ReLU}}\n", [("E101", 9, 34)]),
    (CHOICE + "  m: {route: k, from: p, cases: [ReLU, Tanh, ReLU]}\n  n: {share: m}\n", [("E201", 10, 14)]),
    ("nodes: {a: {op: ReLU, when: false}, b: {share: a, from: image}}\n", [("E201", 6, 37)]),
    ("nodes: {t: {op: parameter, shape: [3, 3, 1, 1], dtype: float64}, c: {op: Conv2d, from: image, out_channels: 3, kernel_size: 1, tie: {weight: t}}, s: {op: sum, from: t}, a: {op: mul, from: [c, s]}}\n", [("E206", 6, 142)]),
    ("nodes: {c: {op: Conv2d, from: image, out_channels: 3, kernel_size: 1}, t: {op: parameter, shape: [3, 3, 1, 1], tie: {value: c.weight}}, s: {op: sum, from: t}, a: {op: mul, from: [c, s]}}\n", [("E201", 6, 72)]),
    ("nodes: {tie_weights: ReLU}\n", [("E104", 6, 9)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ROWS, ids=[repr(text[-60:]) for text, _ in ROWS])
def test_findings(text: str, expected: Found) -> None:
    found = findings(HEAD + text)
    places = [(f.code, f.span.line, f.span.column) for f in found if f.span]
    assert places == expected, "\n\n".join(map(str, found))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nodes: {b: {share: a}, a: ReLU}\n", "'a' comes later in the file"),
        ("nodes: {b: {share: a}, a: ReLU}\n", "put it above 'b'"),
        ("nodes: {stem: ReLU, b: {share: stam}}\n", "did you mean 'stem'?"),
        ("nodes: {stem: ReLU, b: {share: stem}, c: {share: b}}\n", "say share: stem"),
        ("nodes: {stem: ReLU, g: {nodes: [{share: stem}]}}\n", "a node of another scope"),
        ("nodes: {a: {op: ReLU, if: false}, b: {share: a}}\n", "give both the same `if`"),
        (LAYER3 + "  b: {share: a}\n", "in_channels differs\n"),
        (LAYER3 + "  b: {share: a}\n", "expected  3\n  found     8\n  a  takes N×3×H×W  (net.yaml:7)\n  b  takes N×8×H-2×W-2  (net.yaml:8)"),
        (BLOCK + "nodes:\n  a: b\n  c: {op: Conv2d, out_channels: 5, kernel_size: 1}\n  d: {share: a}\n", "in_channels differs in 'a.c'"),
        ("nodes: {a: {op: Linear, out_features: 3, from: z}, b: {share: a, from: image}, z: {op: add, from: [b, b]}}\n", "b shares a"),
        ("nodes: {a: {op: Conv2d, out_channels: 4, kernel_size: 3, share: true, repeat: 2}}\n", "expected  N×3×H×W\n  found     N×4×H-2×W-2"),
        ("nodes: {a: {op: eq, other: 0, share: true, repeat: 2}}\n", "found     N×3×H×W bool"),
        ("nodes: {a: {op: Dropout, p: $(i / 9), share: true, repeat: 2}}\n", "'i' has no value where all turns are one module"),
        (LAYER + "  b: {op: Conv2d, out_channels: 3, kernel_size: 1, tie: {weight: aa.weight}}\n", "did you mean 'a.weight'?"),
        (LAYER + "  g: {nodes: {l: {op: Conv2d, out_channels: 3, kernel_size: 1}}}\n  b: {op: Conv2d, out_channels: 3, kernel_size: 1, tie: {weight: l.weight}}\n", "did you mean 'g.l.weight'?"),
        (LAYER + "  s: {share: a}\n  b: {op: Conv2d, out_channels: 3, kernel_size: 1, tie: {weight: s.weight}}\n", "say a.weight"),
        (LAYER + "  b: {op: Conv2d, out_channels: 3, kernel_size: 1, tie: {weigth: a.weight}}\n", "did you mean 'weight'?"),
        (LAYER + "  b: {op: Conv2d, out_channels: 2, kernel_size: 1, tie: {weight: a.weight}}\n", "expected  [2, 3, 1, 1]\n  found     [3, 3, 1, 1]"),
    ],
)  # fmt: skip
def test_words(text: str, words: str) -> None:
    assert words in "\n".join(map(str, findings(HEAD + text)))


def test_a_fixed_size_does_not_fit_a_free_one() -> None:
    text = """
graphbuild: 1
inputs: {template: [N, 3, 16, 16], search: [N, 3, H=32, W=32]}
blocks:
  up: {nodes: {c: {op: Conv2d, out_channels: 3, kernel_size: 1}, u: {op: interpolate, size: '$([input.height * 2, input.width * 2])'}}}
nodes: {a: {op: up, from: template}, b: {share: a, from: search}}
outputs: [a, b]
"""
    (found,) = findings(text)
    assert "size differs in 'a.u'" in found.message
    assert findings(text.replace("16, 16", "H2=16, W2=16")) == []
    swapped = text.replace("from: template", "from: x").replace("from: search", "from: template")
    assert findings(swapped.replace("from: x", "from: search")) == []
