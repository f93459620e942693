"""A spec to start from: small, complete, and with one thing of each kind to change."""

from __future__ import annotations

import re

from graphbuild.schema import MODELINE
from graphbuild.spec.error import VERSION

NAME = re.compile(r"[^\W\d][\w-]{0,99}")

_TEXT = """\
{modeline}
graphbuild: {version}
name: {name}
doc: What it is, in a sentence
params: {{width: 16, depth: 2, num_classes: 10}}
inputs:
  image: [N, 3, H=32, W=32]           # N, H and W are free; 32 is an example

defaults: {{Conv2d: {{bias: false}}}}

blocks:
  residual:
    params: {{channels: int, stride: 1}}
    nodes:                            # a node takes the node above it, unless it has `from`
      conv1: {{op: Conv2d, out_channels: $channels, kernel_size: 3, stride: $stride, padding: 1}}
      norm1: BatchNorm2d              # what the input determines is inferred
      relu1: ReLU
      conv2: {{op: Conv2d, out_channels: $channels, kernel_size: 3, padding: 1}}
      norm2: BatchNorm2d
      shortcut:                       # not built where `if` is false
        from: input
        if: $(stride != 1 or input.channels != channels)
        nodes: [{{op: Conv2d, out_channels: $channels, kernel_size: 1, stride: $stride}}]
      sum: {{op: add, from: [norm2, shortcut]}}
      relu2: ReLU

nodes:
  stem: {{op: Conv2d, out_channels: $width, kernel_size: 3, padding: 1}}
  stage1: {{op: residual, channels: $width, repeat: $depth}}
  stage2: {{op: residual, channels: $(width * 2), stride: $(2 if i == 0 else 1), repeat: $depth}}
  pool: {{op: AdaptiveAvgPool2d, output_size: 1}}
  flatten: {{op: flatten, start_dim: 1}}
  head: {{op: Linear, out_features: $num_classes}}

expect: {{outputs: {{head: [N, $num_classes]}}}}
"""


def starter(name: str) -> str:
    """The text of the spec; ValueError where `name` cannot name a class and a file."""
    if not NAME.fullmatch(name):
        raise ValueError(f"not a name for a spec: {name!r}; letters, digits, - and _")
    return _TEXT.format(modeline=MODELINE, version=VERSION, name=name)
