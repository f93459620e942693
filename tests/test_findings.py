"""Broken specs, each with everything that is found in it: the code and the place.

A row is a spec's text and its findings in order, warnings included. `BODY` rows are the part below
a fixed head, which has five lines.
"""

from __future__ import annotations

import pytest

from graphbuild.elaborate import elaborate_with_findings
from graphbuild.errors import CODES, Finding, SpecError
from graphbuild.read import read_text

Found = list[tuple[str, int, int]]

HEAD = """\
graphbuild: 1
name: net
params: {width: 8}
inputs:
  image: [N, 3, H=32, W=32]
"""

# What is wrong with the text and its keys.
WHOLE: list[tuple[str, Found]] = [
    ("", [("E103", 1, 1)]),
    ("- a\n- b\n", [("E103", 1, 1)]),
    ("just text\n", [("E103", 1, 1)]),
    ("{}\n", [("E102", 1, 1)] * 3),
    ("graphbuild: 1\n", [("E102", 1, 1)] * 2),
    ("name: x\ninputs: {x: [N]}\nnodes: {a: ReLU}\n", [("E102", 1, 1)]),
    ("graphbuild: 1\ninputs: {x: [N]}\n", [("E102", 1, 1)]),
    ("graphbuild: 1\ninputs: {x: [N]}\nnode: {a: ReLU}\n", [("E101", 3, 1)]),
    ("graphbuild: 2\ninputs: {x: [N]}\nnodes: {a: ReLU}\n", [("E105", 1, 13)]),
    ("graphbuild: '1'\ninputs: {x: [N]}\nnodes: {a: ReLU}\n", [("E105", 1, 13)]),
    ("graphbuild: true\ninputs: {x: [N]}\nnodes: {a: ReLU}\n", [("E105", 1, 13)]),
    ("graphbuild:\ninputs: {x: [N]}\nnodes: {a: ReLU}\n", [("E105", 1, 12)]),
    ("graphbuild: 1\nname: a/b\ninputs: {x: [N]}\nnodes: {a: ReLU}\n", [("E104", 2, 7)]),
    ("graphbuild: 1\nname: [a]\ninputs: {x: [N]}\nnodes: {a: ReLU}\n", [("E103", 2, 7)]),
    ("graphbuild: 1\nname:\ninputs: {x: [N]}\nnodes: {a: ReLU}\n", [("E103", 2, 1)]),
    ("graphbuild: 1\ninputs: [b]\nnodes: {a: ReLU}\n", [("E103", 2, 9)]),
    ("graphbuild: 1\ninputs: [N, 3, 32, 32]\nnodes: {a: ReLU}\n", [("E103", 2, 9)]),
    (
        "graphbuild: 1\ninputs: {a: 3, b: {dtype: int64}}\nnodes: [ReLU]\n",
        [("E103", 2, 13), ("E102", 2, 16)],
    ),
    ("extends: densenet.yaml\nparams: {a: 1}\n", [("E102", 1, 1)]),
    ("graphbuild: 1\nextends: densenet.yaml\nparams: {a: 1}\n", [("E005", 2, 10)]),
    ("graphbuild: 1\na: 1\na: 2\n", [("E003", 3, 1)]),
    ("graphbuild: 1\ninputs: {}\nnodes: [ReLU]\n", [("E202", 3, 9)]),
    ("graphbuild: 1\nnodes: {a: $(f(1, 2))}\n", [("E122", 2, 12)]),
]

BODY: list[tuple[str, Found]] = [
    # keys of the spec
    ("nodes: {a: ReLU}\nstuff: 1\n", [("E101", 7, 1)]),
    ("nodse: {a: {opp: ReLU}, b: {stride: 1}}\n", [("E101", 6, 1), ("E101", 6, 13), ("E102", 6, 25)]),
    ("nodes: {a: ReLU}\nrest: a\n", [("E101", 7, 1)]),
    ("nodes: {a: ReLU}\nconnect: serial\n", [("E103", 7, 10)]),
    ("nodes: {a: ReLU}\noutputs: [a, [a]]\n", [("E103", 7, 14)]),
    ("nodes: {a: ReLU}\noutputs:\n", [("E103", 7, 1)]),
    ("nodes: {a: ReLU}\ndoc: [a]\n", [("E103", 7, 6)]),
    ("nodes: ReLU\n", [("E103", 6, 8)]),
    ("nodes: {}\n", [("E103", 6, 8)]),
    # dims, defaults, expect, init
    ("dims: {K: {min: 2}}\nnodes: {a: ReLU}\n", [("E101", 6, 8)]),
    ("dims: {H: {min: 0, maximum: 3}}\nnodes: {a: ReLU}\n", [("E103", 6, 17), ("E101", 6, 20)]),
    ("dims: {H: {min: 40, multiple: 32, max: 50}}\nnodes: {a: ReLU}\n", [("E103", 6, 40)]),
    ("dims: {H: 32}\nnodes: {a: ReLU}\n", [("E103", 6, 11)]),
    ("defaults: {ReLU: true}\nnodes: {a: ReLU}\n", [("E103", 6, 18)]),
    ("nodes: {a: ReLU}\nexpect: {parameters: 1.5, output: 3}\n", [("E103", 7, 22), ("E101", 7, 27), ("E103", 7, 35)]),
    ("nodes: {a: ReLU}\nexpect: {outputs: {a: N}}\n", [("E103", 7, 23)]),
    ("nodes: {a: ReLU}\ninit: {match: ReLU}\n", [("E103", 7, 7)]),
    ("nodes: {a: ReLU}\ninit: [{weight: ones}, ones]\n", [("E102", 7, 9), ("E103", 7, 24)]),
    ("nodes: {a: ReLU}\ninit: [{match: '*', a: [ones], b: {std: 1}}]\n", [("E103", 7, 24), ("E103", 7, 35)]),
    # nodes
    ("nodes:\n  a:\n", [("E103", 7, 3)]),
    ("nodes:\n  a: [ReLU]\n", [("E103", 7, 6)]),
    ("nodes:\n  a: {inplace: true}\n", [("E102", 7, 3)]),
    ("nodes:\n  a: {OP: ReLU}\n", [("E101", 7, 7)]),
    ("nodes:\n  a: {op: }\n", [("E103", 7, 7)]),
    ("nodes:\n  a: {op: [ReLU]}\n", [("E103", 7, 11)]),
    ("nodes:\n  a: {op: ReLU, nodes: [ReLU], inplace: true}\n", [("E101", 7, 7), ("E101", 7, 32)]),
    ("nodes:\n  a: {nodes: [ReLU], args: {x: 1}, params: {}}\n", [("E101", 7, 22), ("E101", 7, 36)]),
    ("nodes:\n  a: {op: ReLU, if: [true], repeat: [1], from: }\n", [("E103", 7, 21), ("E103", 7, 37), ("E103", 7, 42)]),
    ("nodes:\n  a: {op: ReLU, repeat: {}, args: 3}\n", [("E103", 7, 25), ("E103", 7, 35)]),
    ("nodes:\n  a: {op: ReLU, repeat: {for: 3}}\n", [("E104", 7, 26)]),
    ("nodes:\n  a: {op: ReLU, inplace: true, args: {inplace: true}}\n", [("E106", 7, 39)]),
    ("nodes:\n  - ReLU\n  -\n  - {stride: 1}\n", [("E103", 8, 4), ("E102", 9, 6)]),
    # names
    ("params: {a: 1}\nnodes: {a: ReLU}\n", [("E003", 6, 1)]),
    ("let: {width: 1, max: 2, a-b: 3, for: 4}\nnodes: {a: ReLU}\n", [("E106", 6, 7), ("E104", 6, 17), ("E104", 6, 25), ("E104", 6, 33)]),
    ("nodes: {image: ReLU, a.b: ReLU, 'a b': ReLU, forward: ReLU}\n", [("E106", 6, 9), ("E104", 6, 22), ("E104", 6, 33), ("E104", 6, 46)]),
    ("nodes: {a: {nodes: {input: ReLU, append: ReLU, items: ReLU}}}\n", [("E106", 6, 21), ("E104", 6, 34)]),
    ("nodes: {a: {connect: dense, nodes: {append: ReLU, items: ReLU}}}\n", [("E104", 6, 51)]),
    ("nodes: {a: ReLU}\nblocks: {Big: {nodes: [ReLU]}, a-b: {nodes: [ReLU]}, a.b: {nodes: [ReLU]}}\n", [("E104", 7, 10), ("E104", 7, 32), ("E104", 7, 54)]),
    ("nodes: {a: ReLU}\nblocks: {b: {inputs: [x, x, [y]], nodes: {x: ReLU}}}\n", [("E106", 7, 26), ("E103", 7, 29), ("E106", 7, 43)]),
    ("nodes: {a: ReLU}\nblocks: {b: {}, c: [1], d: {nodes: [ReLU], inputs: 3}}\n", [("E102", 7, 10), ("E103", 7, 20), ("E103", 7, 52)]),
    # one kind of node, with the keys of that kind
    ("nodes:\n  a: {share: b, op: ReLU}\n  b: {switch: image, top_k: 2, cases: [ReLU]}\n  c: {route: image}\n  d: {spec: x.yaml, args: {}}\n", [("E101", 7, 7), ("E101", 8, 22), ("E102", 9, 3), ("E101", 10, 21)]),
    ("nodes:\n  a: {op: ReLU, tie: [x]}\n  b: {op: ReLU, repeat: 2, share: 3}\n  c: {mixture: [image], cases: {}}\n", [("E103", 7, 22), ("E101", 8, 28), ("E103", 9, 16), ("E103", 9, 32)]),
]  # fmt: skip

CONV = (
    "nodes: {a: {op: Conv2d, out_channels: $width, kernel_size: 1, bias: true}, "
    "b: {op: BatchNorm2d, eps: $(0.001 / width)}}\n"
)

# What is wrong with the graph.
GRAPH: list[tuple[str, Found]] = [
    # rules of initialisation that cannot apply
    (CONV + "init: [{match: a}]\n", [("E102", 7, 9)]),
    (CONV + "init: [{match: a, bias: xavier_uniform}]\n", [("E212", 7, 25)]),
    (CONV + "init: [{match: BatchNorm2d, weight: kaiming_normal}]\n", [("E212", 7, 37)]),
    (CONV + "init: [{match: '*', weight: orthogonal}]\n", [("E212", 7, 29)]),
    (CONV + "init: [{match: b, weight: ones}, {match: '*', weight: orthogonal}]\n", []),
    (CONV + "init: [{match: BatchNorm2d, weight: ones}, {match: '*', weight: orthogonal}]\n", []),
    (CONV + "init: [{match: Conv2d, weight: eye}, {match: b, weight: dirac}]\n", [("E212", 7, 32), ("E212", 7, 57)]),
    (CONV + "init: [{match: a, weight: {op: dirac, groups: 3}}]\n", [("E212", 7, 27)]),
    (CONV + "init: [{match: a, weight: {op: normal, std: -1}}]\n", [("E212", 7, 45)]),
    (CONV + "init: [{match: a, weight: {op: uniform, a: 2}, bias: {op: uniform, b: -1}}]\n", [("E212", 7, 44), ("E212", 7, 71)]),
    (CONV + "init: [{match: a, weight: {op: trunc_normal, std: 0}}]\n", [("E212", 7, 51)]),
    (CONV + "init: [{match: a, weight: {op: normal, mean: .nan}}]\n", [("E212", 7, 46)]),
    ("nodes: {a: {op: mean, dim: [2, 3]}, b: {op: mean, from: image, dim: [1, 2, 3]}, c: {op: add, from: [a, b]}}\n", [("E204", 6, 81)]),
    # each thing once, and nothing about what is unused beside an error
    ("blocks: {b: {nodes: [ReLU]}}\nnodes: {a: ReLu}\n", [("E111", 7, 12)]),
    ("defaults: {Conv2d: {baes: 1}}\n" + CONV, [("E112", 6, 21)]),
    ("defaults: {b: {kk: 1}}\nblocks: {b: {params: {k: 1}, nodes: [ReLU]}}\nnodes: {a: b}\n", [("E112", 6, 16)]),
    ("nodes: {a: ReLU, c: {op: relu, from: {concta: [a, a], dim: 1}}}\n", [("E201", 6, 39)]),
    ("blocks: {b: {inputs: [p, q], nodes: [ReLU, Tanh]}}\nnodes: {a: {op: b, from: [image, image]}}\n", [("E202", 6, 38)]),
    ("blocks: {b: {inputs: [p, q], connect: parallel, nodes: [ReLU, Tanh]}}\nnodes: {a: {op: b, from: [image, image]}}\n", [("E202", 6, 57)]),
    # places
    (CONV + "expect: {parameters: 1}\n", [("E210", 7, 22)]),
    ("nodes:\n  a:\n    op: Dropout\n    p: >-\n      $(1 +\n      widht)\n", [("E123", 11, 7)]),
    # a param that hides a node: a warning where another node reads the name
    ("nodes: {width: {op: ELU, alpha: $(1 / width)}}\n", []),
    ("nodes: {width: ReLU, b: {op: ELU, alpha: $(1 / width)}}\n", [("W303", 6, 9)]),
    ("blocks: {b: {let: {v: 4}, nodes: {g: {nodes: {v: ReLU, w: {op: Dropout, p: $(1 / v)}}}}}}\nnodes: {a: b, c: {op: ELU, alpha: $(1 / width)}}\n", [("W303", 6, 47)]),
    # a block that contains itself, called or not; each way around once
    ("blocks: {b: {nodes: [b]}}\nnodes: {a: ReLU}\n", [("E211", 6, 22)]),
    ("blocks: {b: {nodes: [b]}}\nnodes: {a: b}\n", [("E211", 6, 22)]),
    ("blocks: {b: {nodes: [{nodes: [c]}]}, c: {nodes: [ReLU, b, d]}, d: {nodes: [ReLU]}}\nnodes: {a: d}\n", [("E211", 6, 56)]),
    ("blocks: {b: {nodes: [b, b]}, c: {nodes: [d, b]}, d: {nodes: [ReLU]}}\nnodes: {a: ReLU}\n", [("E211", 6, 22), ("E211", 6, 25)]),
    # when
    ("nodes:\n  a: {op: ReLU, when: }\n  b: {op: ReLU, when: [true]}\n", [("E103", 7, 17), ("E103", 8, 23)]),
    ("nodes:\n  a: {op: ReLU, when: training}\n  b: {op: ReLU, when: 'not training'}\n", [("E103", 7, 23), ("E103", 8, 23)]),
    ("nodes:\n  a: {op: ReLU, when: '$(training and)'}\n", [("E121", 7, 37)]),
    ("nodes:\n  a: {op: ReLU, whn: $training}\n", [("E112", 7, 17), ("E123", 7, 23)]),
    ("let: {training: 1}\nnodes: {training: ReLU}\n", [("E104", 6, 7), ("E104", 7, 9)]),
    ("blocks: {b: {params: {training: 1}, inputs: [training], nodes: [ReLU]}}\nnodes: {a: {op: b, repeat: {training: 2}}}\n", [("E104", 6, 23), ("E104", 6, 46), ("E104", 7, 29)]),
    ("nodes:\n  a: {op: ReLU, if: $training}\n  b: {op: Dropout, p: $(0.5 if training else 0)}\n  c: {op: ReLU, repeat: $(1 + training)}\n", [("E123", 7, 22), ("E123", 8, 32), ("E123", 9, 31)]),
    ("let: {t: $(not training)}\nnodes: {a: ReLU}\n", [("E123", 6, 16)]),
    ("nodes:\n  a: {op: ReLU, when: $(trainin)}\n", [("E123", 7, 25)]),
    ("nodes:\n  a: {op: ReLU, when: $(image.height > 3)}\n", [("E208", 7, 23)]),
    ("nodes:\n  a: {op: ReLU, when: $training}\n  b: ReLU\n", [("E213", 8, 3)]),
    ("nodes:\n  a: {op: ReLU, when: $training}\n  b: {op: Tanh, when: $(not training)}\n", [("E213", 8, 3)]),
    ("nodes:\n  a: {op: ReLU, when: $training}\n  b: {op: Tanh, from: a, when: $(not training)}\n", [("E213", 8, 32)]),
    ("nodes:\n  a: {op: ReLU, when: $training}\n  b: {op: sub, from: [image, a]}\n", [("E213", 8, 3)]),
    ("nodes:\n  a: {op: ReLU, when: $training}\n  b: {op: relu, from: {sub: [image, a]}}\n", [("E213", 8, 3)]),
    ("nodes:\n  a: {op: ReLU, when: false}\n  b: {op: sub, from: [image, a]}\n", [("E213", 8, 3)]),
    ("nodes:\n  a: {op: ReLU, when: $training}\n  b: {op: concat, from: [image, a]}\n", [("E204", 8, 3)]),
    ("nodes:\n  a: {op: ReLU, when: $training}\n  b: {op: Conv2d, from: {concat: [a, image]}, out_channels: 3, kernel_size: 1}\n", [("E204", 8, 25)]),
    ("blocks: {b: {inputs: [p, q], nodes: {r: {op: relu, from: p}, s: {op: sub, from: [r, q]}}}}\nnodes:\n  a: {op: ReLU, when: $training}\n  c: {op: b, from: [image, a]}\n", [("E213", 9, 3)]),
    ("blocks: {b: {nodes: [{op: ReLU, when: $training}]}}\nnodes: {a: b, c: Tanh}\n", [("E213", 7, 15)]),
    ("nodes:\n  a:\n    connect: dense\n    nodes: {b: ReLU, c: {op: ReLU, when: $training}}\n", [("E204", 9, 22)]),
    ("nodes:\n  a: {op: ReLU, when: $training}\n  b: {op: interpolate, from: image, size: '$([a.height, 4])'}\n", [("E213", 8, 43)]),
    ("nodes:\n  a: {op: ReLU, when: false}\n  b: {op: Conv2d, from: image, out_channels: $(a.channels), kernel_size: 1}\n", [("E213", 8, 46)]),
    ("nodes:\n  a: {op: ReLU, when: $(i > 0), repeat: 2}\n", [("E213", 7, 3)]),
    ("nodes:\n  a: {op: ReLU, when: false}\n  b: {op: ReLU, from: a, whatever: 1}\n", [("E112", 8, 26)]),
    ("nodes:\n  a: {op: chunk, chunks: 3, dim: 1, when: $training}\n  b: {op: sub, from: [image, a.0]}\n", [("E213", 8, 3)]),
    # names
    ("blocks: {class: {nodes: [ReLU]}, max: {nodes: [ReLU]}}\nnodes: {a: ReLU}\n", [("E104", 6, 10), ("E104", 6, 34)]),
    ("let: {a: $b, b: $width}\nnodes: {a: {op: Dropout, p: $(a - b)}}\n", [("E123", 6, 10)]),
    ("blocks: {double: {nodes: [{op: LeakyReLU, negative_slope: $(1 / width)}]}}\nnodes: {a: double}\n", []),
    ("blocks: {b: {params: {width: 1}, nodes: [{op: LeakyReLU, negative_slope: $(1 / width)}]}}\nnodes: {a: {op: b, width: $width}}\n", []),
]  # fmt: skip

# Nodes that choose at run time; below HEAD's five lines and these.
CHOOSERS = """\
nodes:
  n: {op: mean, dim: [2, 3]}
  all: {op: mean, from: image}
  flag: {op: gt, other: 0.0}
  which: {op: argmax, from: image}
  index: {op: argmax, from: n, dim: 1}
  gate: {op: softmax, from: n, dim: 1}
"""
USED = "outputs: [a, all, n, index, gate, flag, which]\n"

ROUTED: list[tuple[str, Found]] = [
    # what chooses
    ("switch: n, cases: [ReLU, Tanh]", [("E206", 13, 15)]),
    ("switch: index, cases: [ReLU, Tanh]", [("E207", 13, 15)]),
    ("switch: nobody, cases: [ReLU, Tanh]", [("E201", 13, 15)]),
    ("route: gate, cases: [ReLU, Tanh, ReLU]", [("E206", 13, 14)]),
    ("route: which, cases: [ReLU, Tanh]", [("E207", 13, 14)]),
    ("mixture: index, cases: [ReLU, Tanh]", [("E206", 13, 16)]),
    ("mixture: all, cases: [ReLU, Tanh]", [("E207", 13, 16)]),
    ("mixture: gate, cases: [ReLU, Tanh]", [("E204", 13, 16)]),
    ("mixture: gate, cases: {op: Linear, out_features: 3, repeat: 4}", [("E204", 13, 16)]),
    ("mixture: gate, top_k: 4, cases: [ReLU, Tanh, ReLU]", [("E115", 13, 29)]),
    ("mixture: gate, top_k: 0, cases: [ReLU, Tanh, ReLU]", [("E115", 13, 29)]),
    ("mixture: gate, top_k: 1.5, cases: [ReLU, Tanh, ReLU]", [("E114", 13, 29)]),
    ("mixture: gate, top_k: $(image.height), cases: [ReLU, Tanh, ReLU]", [("E208", 13, 29)]),
    # the cases
    ("switch: flag, cases: [ReLU, Tanh]", [("E214", 13, 3)]),
    ("switch: flag, cases: {true: ReLU, False: Tanh}", [("E214", 13, 3)]),
    ("switch: which, cases: {true: ReLU, false: Tanh}", [("E214", 13, 3)]),
    ("switch: which, cases: {'1': ReLU, '0': Tanh}", [("E214", 13, 30), ("E214", 13, 41)]),
    ("switch: which, cases: []", [("E103", 13, 29)]),
    ("switch: which, cases: {op: ReLU, repeat: 0}", [("E214", 13, 3)]),
    ("route: index, cases: [ReLU]", [("E214", 13, 3)]),
    ("route: index, cases: [ReLU, {op: Linear, out_features: 4}]", [("E204", 13, 3)]),
    ("route: index, cases: [ReLU, {op: mean, dim: 1}]", [("E204", 13, 3)]),
    ("route: index, cases: [ReLU, {op: gt, other: 0}]", [("E206", 13, 3)]),
    ("route: index, cases: [{op: mean, dim: 0}, {op: sum, dim: 0}]", [("E204", 13, 3)]),
    ("route: index, cases: [ReLU, {op: chunk, chunks: 3, dim: 1}]", [("E202", 13, 35)]),
    ("route: index, cases: [ReLU, {op: getitem, index: [':']}]", [("E214", 13, 35)]),
    ("route: index, cases: [ReLU, {op: $(None)}]", [("E214", 13, 35)]),
    (
        "route: index, cases: [ReLU, {op: Tanh, if: true}, {op: Tanh, from: n}]",
        [("E101", 13, 46), ("E101", 13, 68)],
    ),
    ("route: index, cases: [ReLU, {switch: flag, cases: [ReLU, ReLU]}]", [("E101", 13, 36)]),
    ("route: index, cases: [ReLU, {nodes: {t: {op: Tanh, when: $training}}}]", [("E213", 13, 35)]),
    # the data
    ("route: index, from: which, cases: [ReLU, Tanh]", [("E204", 13, 3)]),
    ("route: index, from: {input: n, other: n}, cases: [ReLU, Tanh]", [("E201", 13, 38)]),
    ("route: index, from: [n, n], cases: [add, ReLU]", [("E205", 13, 48)]),
    # the keys
    ("route: index, top_k: 2, cases: [ReLU, Tanh]", [("E101", 13, 21)]),
    ("mixture: gate, cases: [ReLU, {opp: Tanh}]", [("E101", 13, 37)]),
]


def routed(text: str) -> str:
    given = "" if "from:" in text.split("cases:")[0] else ", from: n"
    return HEAD + CHOOSERS + f"  a: {{{text}{given}}}\n" + USED


# One of each code that the tables above leave out, and further ways to be wrong.
MORE: list[tuple[str, Found]] = [
    ("nodes: {a: [ReLU}\n", [("E002", 6, 17)]),
    ("nodes: {a: &a ReLU}\n", [("E002", 6, 12)]),
    ("doc: \u202etxet\nnodes: {a: ReLU}\n", [("E002", 6, 6)]),
    ("nodes: {a: {repeat: 9999, nodes: {b: {op: ReLU, repeat: 9999}}}}\n", [("E004", 1, 1)]),
    ("nodes: {a: Conv2d}\n", [("E113", 6, 9), ("E113", 6, 9)]),
    ("blocks: {b: {params: {k: int}, nodes: [ReLU]}}\nnodes: {a: b}\n", [("E113", 7, 9)]),
    ("nodes: {a: {op: ELU, alpha: $(1 / 0)}}\n", [("E124", 6, 31)]),
    ("nodes: {a: {op: ELU, alpha: $(9 ** 9 ** 9)}}\n", [("E124", 6, 31)]),
    ("nodes: {a: {op: ReLU, repeat: -1}}\n", [("E124", 6, 31)]),
    ("nodes: {a: {op: add, from: [image, b]}, b: {op: ReLU, from: a}}\n", [("E203", 6, 9)]),
    ("nodes: {a: {op: ReLU, from: a}}\n", [("E203", 6, 9)]),
    ("nodes: {n: BatchNorm2d, r: {op: ReLU, inplace: true}, o: {op: add, from: [n, r]}}\n", [("E209", 6, 25)]),
    ("nodes: {a: ReLU, b: {op: ReLU, from: image}}\nparams2: 1\n", [("E101", 7, 1)]),
    ("nodes: {a: ReLU, b: {op: Tanh, from: image}}\n", [("W302", 3, 10), ("W301", 6, 9)]),
    ("nodes: {a: Dropout}\n", [("W302", 3, 10), ("W304", 6, 9)]),
    ("nodes: {a: {op: Conv2d, out_channels: $width, kernel_size: 1}, b: BatchNorm2d}\n", [("W305", 6, 9)]),
    # each thing once, and nothing about what follows from it
    ("nodes: {a: ReLu, b: {op: add, from: [a, image]}, c: {op: Linear, out_features: 2}}\n", [("E111", 6, 12)]),
    ("nodes: {a: {op: ReLU, from: x}, b: {op: Conv2d, out_channels: 8, kernel_size: 99}}\n", [("E201", 6, 29)]),
    ("nodes: {a: {op: Conv2d, out_channels: 8, kernel_size: 99}, b: Tahn, c: ReLU}\n", [("E207", 6, 9), ("E111", 6, 63)]),
    ("blocks: {b: {nodes: [ReLu]}}\nnodes: {x: b, y: b, z: {op: add, from: [x, y]}}\n", [("E111", 6, 22)]),
]  # fmt: skip


ROWS = WHOLE + [(HEAD + text, found) for text, found in BODY + GRAPH + MORE]
ROWS += [(routed(text), found) for text, found in ROUTED]


def findings(text: str) -> tuple[Finding, ...] | list[Finding]:
    try:
        return elaborate_with_findings(read_text(text, "net.yaml"))[1]
    except SpecError as error:
        return error.findings


@pytest.mark.parametrize(("text", "expected"), ROWS, ids=[repr(text[-60:]) for text, _ in ROWS])
def test_findings(text: str, expected: Found) -> None:
    found = findings(text)
    places = [(f.code, f.span.line, f.span.column) if f.span else (f.code, 0, 0) for f in found]
    assert places == expected, "\n\n".join(map(str, found))
    for finding in found:
        assert finding.code in CODES
        assert str(finding).startswith("net.yaml:")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nodes: {a: ReLU}\nparms: {}\n", "did you mean 'params'?"),
        ("nodes: {a: ReLU}\nconnect: dens\n", "did you mean 'dense'?"),
        ("nodes: {a: {opp: ReLU}}\n", "did you mean 'op'?"),
        ("nodes: {a: {node: [ReLU]}}\n", "did you mean 'nodes'?"),
        ("nodes: {a: {inplace: true}}\n", "'a' has no op"),
        ("nodes: [ReLU, {inplace: true}]\n", "item 1 (counted from 0) of 'nodes' has no op"),
        ("nodes: {a: [ReLU]}\n", "a group is {nodes: [...]}"),
        ("nodes: [{act: ReLU}]\n", "leave out 'act:', or the dashes of the list"),
        ("nodes:\n  - act: {op: ReLU}\n", "leave out 'act:', or the dashes of the list"),
        ("nodes: [{Conv2d: {out_channels: 8}}]\n", "write {op: Conv2d, ...} with the arguments beside it"),
        ("nodes: {a: {op: Linear, out_features: $width * 2}}\n", "did you mean $(width * 2)?"),
        ("nodes: {a: {op: Linear, out_features: 2 - $width}}\n", "did you mean $(2 - width)?"),
        ("nodes: {a-$width: ReLU}\n", "write $(width)"),
        ("nodes: {a: {op: ReLU, repeat: [1]}}\n", "repeat: {item: [...]}"),
        ("nodes: {a: {op: ReLU, if: }}\n", "found     nothing"),
        ("nodes: {a: ReLU}\ndims: {h: {}}\n", "no input has a dimension 'h'"),
        ("nodes: {image: ReLU}\n", "it is defined here already  (net.yaml:5)"),
        ("nodes: {a: ReLU}\nlet: 3\n", "expected  a mapping\n  found     the number 3"),
        ("nodes:\n  p: {op: mean, dim: [2, 3]}\n  g: {op: Linear, out_features: 3}\n  m: {mixture: g, from: p, cases: [ReLU, Tanh]}\n", "did you mean out_features: 2 in g?"),
        ("nodes:\n  g: {op: mean, dim: [2, 3]}\n  m: {mixture: g, cases: [ReLU, Tanh, ReLU]}\n", "the node above, 'g', is what it chooses by"),
        ("nodes:\n  p: {op: mean, dim: [2, 3]}\n  k: {op: argmax, dim: 1}\n  m: {route: k, from: p, cases: {deep: {op: Linear, out_features: 4}, wide: {nodes: [{op: Linear, out_features: 5}, ReLU]}}}\n", "  deep  N×4  (net.yaml:9)\n  wide  N×5  (net.yaml:9)\n  sizes differ in dimension 1 (4 and 5); did you mean out_features: 4 in wide.0?"),
        ("nodes:\n  p: {op: mean, dim: [2, 3]}\n  m: {route: p, from: image, cases: [ReLU, Tanh]}\n", "weights take `mixture`; an index comes of {op: argmax, dim: 1}"),
        ("nodes: {a: {op: ReLU, when: training}}\n", "did you mean $training?"),
        ("nodes: {a: {op: ReLU, when: not training}}\n", "did you mean $(not training)?"),
        ("nodes: {a: {op: ReLU, if: $training}}\n", "the mode of the module is known in a `when` alone"),
        ("nodes: {a: {op: ReLU, when: $training}, b: Tanh}\n", "a is there in training only, by its `when: $training`  (net.yaml:6)"),
        ("nodes: {a: {op: ReLU, when: $training}, b: {op: Tanh, from: a}, c: {op: sub, from: [b, image]}}\n", "b is there in training only, by that of a `when: $training`"),
        ("nodes: {a: {op: ReLU, when: $training}, b: {op: concat, from: [image, a]}}\n", "in training    N×6×H×W\n  in evaluation  N×3×H×W"),
        ("nodes: {width: ReLU, b: {op: ELU, alpha: $(1 / width)}}\n", "they read this one  (net.yaml:3)"),
        (CONV + "init: [{match: a, bias: xavier_normal}]\n", "at least 2 dimensions\n  found     the shape [8]"),
        (CONV + "init: [{match: a, weight: 3}]\n", "write {op: constant, val: 3}"),
        (CONV + "init: [{match: a, weight: ones}, {wieght: ones}]\n", "item 1 (counted from 0) of 'init'"),
        ("nodes: {f: flatten, l: {op: Linear, out_features: 2}}\n", "write start_dim: 1 in 'f'"),
        ("nodes: {f: Flatten, d: Dropout, l: {op: Linear, out_features: 2}}\n", "put {op: AdaptiveAvgPool2d, output_size: 1} in front of 'f', or"),
        ("nodes: {f: {op: flatten, start_dim: 2}, l: {op: LSTM, hidden_size: 2}}\n", "\n  fix the input size (write 32 for H"),
        ("nodes: {l: {op: Linear, out_features: 2}}\n", "and {op: flatten, start_dim: 1} in front of it"),
        ("nodes: {}\n", "at least one node\n  found     an empty mapping"),
        ("nodes:\n  a ReLU\n", "a colon is missing: a: ReLU"),
        ("nodes: {a: ReLU, b ReLU}\n", "E002 a key without a colon"),
        ("nodes: {a: {<<: {op: ReLU}}}\n", "YAML's merge keys are not used in specs"),
        ("let: {a: $b, b: $a}\nnodes: {a: ReLU}\n", "a `let` reads only those above it"),
        ("nodes: {a: {op: Dropout, p: $(width.5)}}\n", "write width[5]"),
        ("nodes:\n  a:\n    op: Dropout\n    p: $((width + 2)\n", "no matching `)`\n"),
        ("nodes: {a: ReLU}\nblocks: {for: {nodes: [ReLU]}}\n", "it is a word of Python's own"),
        ("nodes: {a: ReLU, c: {op: relu, from: {concta: [a, a], dim: 1}}}\n", "did you mean 'concat'?"),
        ("nodes: {x: {op: $a, repeat: {a: [ReLU, Tanh]}}}\n", "one op is chosen for all turns"),
        ("nodes: {d$(i): ReLU}\n", "it counts the turns of a node with `repeat`"),
        ("nodes: {a: {op: Conv2d, out_channels: width * 2, kernel_size: 1}}\n", "did you mean $(width * 2)?"),
        ("nodes: {a: {op: Conv2d, out_channels: width, kernel_size: 1}}\n", "did you mean $width?"),
        ("blocks: {b: {let: {width: 1}, nodes: [ReLU]}}\nnodes: {a: b}\n", "the let 'width' hides the spec's param of this name"),
    ],
)  # fmt: skip
def test_words(text: str, words: str) -> None:
    assert words in "\n".join(map(str, findings(HEAD + text)))


def test_pooling_is_no_advice_where_the_channels_are_free() -> None:
    text = "nodes: {f: Flatten, l: {op: Linear, out_features: 2}}\n"
    (found,) = findings(HEAD.replace("N, 3, H", "N, C=3, H") + text)
    assert (found.suggestion or "").startswith("fix the input size")


def test_an_operand_that_stands_twice_is_listed_once() -> None:
    text = "nodes: {a: {op: MultiheadAttention, num_heads: 5, from: [image, image, image]}}\n"
    (found,) = findings(HEAD.replace("3, H=32, W=32", "32, 32") + text)
    assert [note.message for note in found.notes] == ["image  N×32×32"]


def test_the_table_has_every_code() -> None:
    told = {code for _, found in ROWS for code, _, _ in found}
    assert told >= set(CODES) - {"E001", "E005", "E006"}  # these take files: see test_explain
    assert len(ROWS) >= 120
