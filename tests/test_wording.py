"""How emitted source says things, where it could say them in more than one way."""

from __future__ import annotations

from proof import built, prove

from graphbuild.emit import emit

BRANCHES = """
params: {base: 2}
inputs: {x: [N, 4, H=8, W=8]}
blocks:
  split:
    params: {dim: int}
    nodes:
      a: {op: Conv2d, from: input, out_channels: $(dim * 4), kernel_size: 1}
      b: {op: Conv2d, from: input, out_channels: $dim, kernel_size: 1}
      c: {op: Conv2d, from: input, out_channels: $(2 * dim), kernel_size: 1}
      out: {op: concat, from: [a, b, c]}
nodes:
  one: {op: split, dim: $base}
  two: {op: split, dim: $(base * 3)}
  head: {op: Conv2d, out_channels: 1, kernel_size: 1}
"""


def test_multiples_of_one_size_are_one_multiple() -> None:
    source = prove(BRANCHES).source
    assert "-> [N, dim * 7, H, W]" in source
    assert "Split(base * 7, base * 3)" in source
    assert "nn.Conv2d(base * 21, 1, kernel_size=1)" in source


SOMETIMES = """
inputs: {x: [N, 4, H=8, W=8]}
blocks:
  residual:
    params: {channels: int}
    let: {same: $(input.channels == channels)}
    nodes:
      conv: {op: Conv2d, out_channels: $channels, kernel_size: 1}
      drop: {op: Dropout, if: $same}
      sum: {op: add, from: [drop, input], if: $same}
  stage:
    params: {channels: int}
    nodes: [{op: residual, channels: $channels, repeat: 2}]
nodes:
  one: {op: stage, channels: 4}
  two: {op: stage, channels: 8}
"""


def test_a_block_that_is_a_chain_where_an_if_fails_is_one_class() -> None:
    source = prove(SOMETIMES).source
    assert source.count("class ") == 2
    assert source.count("def stage(") == 1
    assert "for i in range(2)" in source


def test_a_flag_has_the_name_of_its_condition() -> None:
    source = prove(SOMETIMES).source
    assert "self.same = same" in source
    assert "if self.same:" in source
    assert "has_sum" not in source


DECIDED = """
inputs: {x: [N, 4, H=8, W=8]}
nodes:
  layer$(k + 1):
    repeat: {k: 2}
    nodes:
      - {op: Conv2d, out_channels: 4, kernel_size: 3, padding: 1, stride: $(2 if k > 0 and i == 0 else 1), repeat: 2}
"""


def test_a_condition_that_a_number_decides_is_not_written() -> None:
    source = prove(DECIDED).source
    assert "False" not in source
    assert "stride=2 if i == 0 else 1" in source


REPEATED = """
inputs: {x: [N, 4, H=8, W=8]}
blocks:
  stage:
    params: {depth: int}
    nodes:
      layer-$(i + 1): {op: Conv2d, out_channels: 4, kernel_size: 1, repeat: $depth}
nodes:
  one: {op: stage, depth: 2}
  two: {op: stage, depth: 3}
"""


def test_children_of_one_repetition_are_one_dict() -> None:
    source = prove(REPEATED).source
    assert 'f"layer-{i + 1}": nn.Conv2d(' in source
    assert "**" not in source


EITHER = """
inputs: {x: [N, 4, H=8, W=8]}
blocks:
  layer:
    params: {smooth: bool}
    nodes:
      - {op: Conv2d, out_channels: 4, kernel_size: 1}
      - {op: GELU, if: $smooth}
      - {op: ReLU, if: $(not smooth)}
nodes:
  one: {op: layer, smooth: true}
  two: {op: layer, smooth: false}
"""


def test_of_two_items_one_is_there() -> None:
    assert "nn.GELU() if smooth else nn.ReLU()" in prove(EITHER).source


VISION = """
inputs: {x: [N, 4, H=8, W=8]}
nodes:
  conv: {op: Conv2d, out_channels: 4, kernel_size: 1}
  drop: {op: StochasticDepth, p: 0.5, mode: row}
"""


def test_a_layer_of_torchvision_is_imported_beside_torch() -> None:
    source = emit(built(VISION)).source
    assert "needs torch and torchvision." in source
    assert "\nimport torchvision.ops\nfrom torch import" in source
    assert 'torchvision.ops.StochasticDepth(0.5, "row")' in source
