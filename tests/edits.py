"""One small spec and edits of it, for `diff`; what is said of each stands in golden/diff.txt."""

from __future__ import annotations

BASE = """
graphbuild: 1
name: base
params: {width: 8, depth: 2, classes: 10}
inputs:
  image: [N, 3, H=16, W=16]
  flag: {shape: [], dtype: bool}
dims: {H: {multiple: 4}}
defaults:
  ReLU: {inplace: false}
blocks:
  unit:
    params: {channels: int, stride: 1}
    nodes:
      conv: {op: Conv2d, out_channels: $channels, kernel_size: 3, stride: $stride, padding: 1, bias: false}
      norm: BatchNorm2d
      act: ReLU
  residual:
    params: {scale: 1}
    let: {inner: $(input.channels * scale)}
    nodes:
      one: {op: unit, channels: $inner}
      two: {op: unit, channels: $input.channels}
      sum: {op: add, from: [two, input]}
nodes:
  stem: {op: unit, channels: $width, from: image}
  body: {op: residual, repeat: $depth}
  down: {op: unit, channels: 16, stride: 2}
  path: {switch: flag, cases: {true: residual, false: Identity}}
  tail:
    nodes:
      - {op: Conv2d, out_channels: 12, kernel_size: 1}
      - ReLU
      - Dropout
  pool: {op: AdaptiveAvgPool2d, output_size: 1}
  flat: Flatten
  hidden: {op: Linear, out_features: 12}
  again: {share: hidden, from: hidden}
  head: {op: Linear, out_features: $classes, from: again}
outputs: {logits: head, features: flat}
init:
  - {match: Conv2d, weight: kaiming_normal}
"""

_LAST = BASE[BASE.index("  hidden:") : BASE.index("outputs:")]

# what is replaced by what
SAME: dict[str, dict[str, str]] = {
    "nothing": {},
    "a name": {"name: base": "name: other"},
    "a comment": {"blocks:": "# blocks\n\nblocks:"},
    "a doc": {"nodes:\n  stem": "doc: Text\nnodes:\n  stem"},
    "the name of a block": {"residual": "shortcut"},
    "a default written out": {"norm: BatchNorm2d": "norm: {op: BatchNorm2d, eps: 1.0e-5}"},
    "what is inferred written out": {"features: 12}": "features: 12, in_features: 12}"},
    "an operand written out": {"flat: Flatten": "flat: {op: Flatten, from: pool}"},
    "an expression for a number": {"channels: 16,": "channels: $(2 * 8),"},
    "a number for a param": {"out_features: $classes": "out_features: 10"},
    "a float for an int": {"scale: 1}": "scale: 1}", "name: base": "name: b"},
    "a param that nobody reads": {"classes: 10}": "classes: 10, unused: 1}"},
    "a node that is not built": {
        "flat: Flatten": "drop: {op: Dropout, if: false}\n  flat: Flatten"
    },
    "the order of keys": {
        "op: Linear, out_features: $classes": "out_features: $classes, op: Linear",
    },
}

EDITS: dict[str, dict[str, str]] = {
    "a param": {"classes: 10": "classes: 20"},
    "a param that much follows from": {"width: 8": "width: 12"},
    "the count of a repetition": {"depth: 2": "depth: 4"},
    "fewer turns": {"depth: 2": "depth: 1"},
    "an argument": {"kernel_size: 1}": "kernel_size: 1, bias: false}"},
    "an argument of a call of a block": {"channels: 16,": "channels: 24,"},
    "arguments in a block": {
        "kernel_size: 3, stride: $stride, padding: 1": "kernel_size: 5, stride: $stride, padding: 2"
    },
    "the default of a param of a block": {"scale: 1}": "scale: 2}"},
    "a let": {"input.channels * scale": "input.channels * 3"},
    "the defaults of an op": {"inplace: false": "inplace: true"},
    "another op": {"act: ReLU": "act: GELU"},
    "another op in a list": {"      - ReLU\n": "      - GELU\n"},
    "an op for a block": {"true: residual": "true: Identity"},
    "another block": {"{op: residual, repeat": "{op: unit, channels: $width, repeat"},
    "a node inserted": {"      act: ReLU": "      drop: {op: Dropout2d, p: 0.1}\n      act: ReLU"},
    "a node removed": {"      act: ReLU\n": ""},
    "inserted in a list": {"      - Dropout\n": "      - Tanh\n      - Dropout\n"},
    "inserted at the top of a list": {
        "      - {op: Conv2d, out": "      - BatchNorm2d\n      - {op: Conv2d, out"
    },
    "renamed": {"stem:": "first:"},
    "renamed in a block": {"conv: {op": "convolution: {op"},
    "renamed and changed": {
        "  head: {op: Linear, out_features: $classes": "  last: {op: Linear, out_features: 5",
        "logits: head": "logits: last",
    },
    "rewired": {"from: [two, input]": "from: [two, one]"},
    "operands in another order": {"from: [two, input]": "from: [input, two]"},
    "a mixed edge": {"op: add, from: [two, input]": "op: relu, from: {add: [two, input]}"},
    "moved": {
        "      norm: BatchNorm2d\n      act: ReLU\n": "      act: ReLU\n      norm: BatchNorm2d\n"
    },
    "registered in another order": {
        _LAST: "".join(
            _LAST.replace("12}\n", "12, from: flat}\n").splitlines(keepends=True)[at]
            for at in (2, 0, 1)
        )
    },
    "weights no longer shared": {"{share: hidden,": "{op: Linear, out_features: 12,"},
    "weights tied": {
        "{share: hidden, from: hidden}": "{op: Linear, out_features: 12, tie: {weight: hidden.weight}}"
    },
    "in training only": {
        "outputs:": "  extra: {op: Linear, from: flat, out_features: 3, when: $training}\noutputs:",
        "features: flat": "features: flat, extra: extra",
    },
    "another choice": {
        "flag: {shape: [], dtype: bool}": "flag: {shape: [N], dtype: bool}",
        "{switch: flag": "{route: flag",
    },
    "a case": {"false: Identity": "false: Tanh"},
    "in a group of its own": {
        _LAST: "  mlp:\n    nodes:\n" + _LAST.replace("  ", "      ").replace(":       ", ": "),
        "logits: head": "logits: mlp",
    },
    "an input": {"[N, 3, H=16": "[N, 4, H=16"},
    "an input renamed": {"image": "picture"},
    "an input more": {
        "  flag:": "  more: [N, 12]\n  flag:",
        "from: again": "from: {add: [again, more]}",
    },
    "a range": {"multiple: 4": "multiple: 8, max: 64"},
    "outputs": {"{logits: head, features: flat}": "{scores: head, features: hidden}"},
    "one output": {"{logits: head, features: flat}": "head"},
    "initialisation": {
        "weight: kaiming_normal}": "weight: {op: normal, std: 0.02}}\n  - {match: Linear, bias: zeros}"
    },
}


def edited(edit: dict[str, str]) -> str:
    """The text of the spec with an edit."""
    text = BASE
    for old, new in edit.items():
        text = text.replace(old, new)
    return text
