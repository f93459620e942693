"""One parameter under two keys: it stays one whatever is done to the module."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from command import python
from safetensors.torch import load_file, load_model, save_model
from torch import Tensor, nn

import graphbuild
from graphbuild.elaborate import elaborate
from graphbuild.read import read_text
from graphbuild.report import report

HEAD = "graphbuild: 1\nname: net\n"
TEXT = """
inputs: {ids: {shape: [N, T=4], dtype: int64}}
nodes:
  transformer:
    nodes:
      embed: {op: Embedding, num_embeddings: 11, embedding_dim: 6}
      drop: {op: Dropout, p: 0.0}
  layers: {op: Linear, out_features: 6, repeat: 2}
  same: {op: Linear, out_features: 6, tie: {weight: layers.0.weight}}
  chain: {op: Linear, out_features: 6, tie: {weight: same.weight}}
  head: {op: Linear, out_features: 11, bias: false, tie: {weight: transformer.embed.weight}}
expect: {parameters: 162}
"""
TIED = {
    "same.weight": "layers.0.weight",
    "chain.weight": "layers.0.weight",
    "head.weight": "transformer.embed.weight",
}


class Handwritten(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.transformer = nn.Module()
        self.transformer.embed = nn.Embedding(11, 6)
        self.layers = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))
        self.same = nn.Linear(6, 6)
        self.chain = nn.Linear(6, 6)
        self.head = nn.Linear(6, 11, bias=False)
        self.same.weight = self.chain.weight = self.layers[0].weight
        self.head.weight = self.transformer.embed.weight

    def forward(self, ids: Tensor) -> Tensor:
        x = self.layers(self.transformer.embed(ids))
        return self.head(self.chain(self.same(x)))


def compiled(text: str = TEXT, *, init: bool = True) -> nn.Module:
    generated = graphbuild.emit(elaborate(read_text(HEAD + text, "net.yaml")))
    return graphbuild.load(generated, init=init)


def is_tied(model: nn.Module) -> None:
    for tied, source in TIED.items():
        assert model.get_parameter(tied) is model.get_parameter(source), tied
    names = [name for name, _ in model.named_parameters()]
    assert not set(names) & set(TIED)  # each parameter is yielded once
    assert set(model.state_dict()) == {*names, *TIED}  # but stands in the state under both keys


def ids() -> Tensor:
    return torch.randint(0, 11, (2, 4), generator=torch.Generator().manual_seed(0))


def test_equals_the_handwritten_module() -> None:
    theirs, ours = Handwritten(), compiled()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    is_tied(ours)
    steps = []
    for model in (ours, theirs):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for _ in range(2):
            optimizer.zero_grad()
            model(ids()).sin().sum().backward()
            optimizer.step()
        steps.append([*(p.grad for p in model.parameters()), *model.state_dict().values()])
    assert all(torch.equal(a, b) for a, b in zip(*steps, strict=True))
    is_tied(ours)


def meta() -> nn.Module:
    with torch.device("meta"):
        return type(compiled())()


def overwriting(model: nn.Module) -> nn.Module:
    """Moved as torch does it where a tensor cannot take another's data in its place."""
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        return model.to(torch.float64)
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(False)


SURVIVES: dict[str, Callable[[nn.Module], nn.Module]] = {
    "nothing": lambda model: model,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "to": lambda model: model.to(torch.float64),
    "half": lambda model: model.half(),
    "to, with new parameters": overwriting,
    "to_empty": lambda model: model.to_empty(device="cpu"),
    "meta": lambda _: meta(),
    "meta, then to_empty": lambda _: meta().to_empty(device="cpu"),
    "inside another": lambda model: nn.Sequential(model.to("meta")).to_empty(device="cpu")[0],
    "share_memory": lambda model: model.share_memory(),
    "without drawing": lambda _: compiled(init=False),
    "requires_grad": lambda model: model.requires_grad_(False),
    "a copy of a copy": lambda model: copy.deepcopy(pickle.loads(pickle.dumps(model))),
}


@pytest.mark.parametrize("what", SURVIVES)
def test_survives(what: str) -> None:
    model = SURVIVES[what](compiled())
    is_tied(model)
    # and once more: what keeps the ties has come along
    model.load_state_dict(compiled().state_dict(), assign=True)
    is_tied(model)


@pytest.mark.parametrize("assign", [True, False])
@pytest.mark.parametrize("missing", ["none", "tied", "source"])
@pytest.mark.parametrize("prefix", ["", "0."])
def test_loads_from_one_key_or_both(assign: bool, missing: str, prefix: str) -> None:
    other, model = compiled(), compiled()
    state = {
        f"{prefix}{name}": value.clone()
        for name, value in other.state_dict().items()
        if name not in {"none": (), "tied": TIED, "source": TIED.values()}[missing]
    }
    whole = nn.Sequential(model) if prefix else model
    found = whole.load_state_dict(state, strict=missing == "none", assign=assign)
    is_tied(model)
    # told as of any module: safetensors counts on it
    assert set(found.missing_keys) == whole.state_dict().keys() - state.keys()
    assert not found.unexpected_keys
    assert torch.equal(model(ids()), other(ids()))


@pytest.mark.parametrize("assign", [True, False])
def test_where_both_keys_differ_the_source_wins(assign: bool) -> None:
    model, state = compiled(), compiled().state_dict()
    state["head.weight"] = state["head.weight"] + 1
    model.load_state_dict(state, assign=assign)
    is_tied(model)
    assert torch.equal(model.get_parameter("head.weight"), state["transformer.embed.weight"])


def test_what_is_missing_is_still_told() -> None:
    state = compiled().state_dict()
    del state["head.weight"], state["transformer.embed.weight"], state["same.bias"]
    with pytest.raises(RuntimeError, match=r"Missing.*transformer\.embed\.weight"):
        compiled().load_state_dict(state)
    found = compiled().load_state_dict(state, strict=False)
    assert set(found.missing_keys) >= {"transformer.embed.weight", "head.weight", "same.bias"}


def test_pickles_into_another_process(tmp_path: Path) -> None:
    model = compiled()
    torch.save(model, tmp_path / "model.pt")
    script = (
        "import torch; m = torch.load('model.pt', weights_only=False)\n"
        "assert m.head.weight is m.transformer.embed.weight\n"
        "m.load_state_dict(m.state_dict(), assign=True)\n"
        "assert m.head.weight is m.transformer.embed.weight\n"
        "print(sum(p.numel() for p in m.parameters()))"
    )
    ran = python("-c", script, cwd=tmp_path)
    assert (ran.stdout.strip(), ran.returncode) == ("162", 0), ran.stderr


@pytest.mark.parametrize("assign", [True, False])
def test_safetensors(tmp_path: Path, assign: bool) -> None:
    model, other, file = compiled(), compiled(), str(tmp_path / "model.safetensors")
    save_model(model, file)
    state = load_file(file)
    assert len(state) == len(model.state_dict()) - 3  # each parameter once, under one of its keys
    load_model(other, file)
    is_tied(other)
    third = compiled()
    third.load_state_dict(state, strict=False, assign=assign)
    is_tied(third)
    assert torch.equal(other(ids()), model(ids()))
    assert torch.equal(third(ids()), model(ids()))


def test_shards() -> None:
    """As FSDP does it, in a group of one process."""
    distributed = torch.distributed
    if not distributed.is_available():
        pytest.skip("this torch is built without torch.distributed")
    from torch.distributed.fsdp import fully_shard

    store = distributed.HashStore()
    distributed.init_process_group("gloo", rank=0, world_size=1, store=store)
    try:
        whole = compiled()
        model = copy.deepcopy(whole)
        fully_shard(model)
        is_tied(model)
        for one in (whole, model):
            one(ids()).sin().sum().backward()
        is_tied(model)
        for mine, other in zip(whole.parameters(), model.parameters(), strict=True):
            assert isinstance(mine.grad, Tensor)
            assert torch.equal(mine.grad, other.grad.full_tensor())  # type: ignore[union-attr,operator]
        is_tied(model.to_empty(device="cpu"))
    finally:
        distributed.destroy_process_group()


def test_compiles_and_exports() -> None:
    model = compiled().eval()
    wanted = model(ids())
    found = torch.compile(model, fullgraph=True, backend="aot_eager")(ids())
    assert torch.allclose(found, wanted)
    program = torch.export.export(model, (ids(),))
    assert torch.allclose(program.module()(ids()), wanted)
    assert torch.equal(torch.jit.script(model)(ids()), wanted)
    torch._dynamo.reset()


def test_is_counted_and_shown_once() -> None:
    told = report(elaborate(read_text(HEAD + TEXT, "net.yaml")))
    assert told.totals.parameters == 162
    assert sum(row.counts.parameters for row in told.rows) == 162
    rows = {row.path: row for row in told.rows}
    assert rows["head"].what == "Linear, tied to transformer.embed.weight"
    assert (rows["head"].counts.parameters, rows["same"].counts.parameters) == (0, 6)
    (head,) = (row for row in told.to_dict()["rows"] if row["path"] == "head")
    assert head["ties"] == {"head.weight": "transformer.embed.weight"}


INNER = """
graphbuild: 1
name: inner
params: {depth: 2}
inputs: {ids: {shape: [N, T], dtype: int64}}
nodes:
  embed: {op: Embedding, num_embeddings: 11, embedding_dim: 6}
  layers: {op: Linear, out_features: 6, repeat: $depth}
  last: {op: Linear, out_features: 6, tie: {weight: 'layers.$(depth - 1).weight'}}
  head: {op: Linear, out_features: 11, bias: false, tie: {weight: embed.weight}}
init:
  - {match: Linear, weight: {op: constant, val: 2}}
  - {match: Embedding, weight: {op: constant, val: 3}}
"""
OUTER = """
graphbuild: 1
name: outer
inputs: {ids: {shape: [N, T=4], dtype: int64}}
nodes:
  a: {spec: inner, from: ids}
  b: {spec: inner, from: ids, params: {depth: 3}}
  again: {share: a, from: ids}
  low: {spec: inner, from: ids, outputs: last}
  out: {op: Linear, from: low, out_features: 11, tie: {weight: b.embed.weight}}
  sum: {op: add, from: [a, b, again, out]}
"""


def test_specs_inside_have_ties_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "inner.yaml").write_text(INNER, encoding="utf-8")
    (tmp_path / "outer.yaml").write_text(OUTER, encoding="utf-8")
    graph = elaborate(graphbuild.read(tmp_path / "outer.yaml"))
    assert {tie.path: tie.source for tie in graph.ties} == {
        "a.last.weight": "a.layers.1.weight",
        "a.head.weight": "a.embed.weight",
        "b.last.weight": "b.layers.2.weight",
        "b.head.weight": "b.embed.weight",
        "low.last.weight": "low.layers.1.weight",
        "out.weight": "b.embed.weight",
    }
    model: Any = graphbuild.load(graphbuild.emit(graph))
    for one in (model, copy.deepcopy(model), model.to("meta").to_empty(device="cpu")):
        for tie in graph.ties:
            assert one.get_parameter(tie.path) is one.get_parameter(tie.source)
    assert sum(p.numel() for p in model.parameters()) == report(graph).totals.parameters
    model.init_weights()
    assert (model.a.head.weight == 3).all()
    assert (model.out.weight == 3).all()
    assert (model.b.last.weight == 2).all()


# -- initialisation -------------------------------------------------------------------------------

RULES = """
init:
  - {match: Linear, weight: {op: constant, val: 2}, bias: zeros}
  - {match: Embedding, weight: {op: constant, val: 3}}
"""
PATHS = """
init:
  - {match: 'layers.*', weight: {op: constant, val: 2}}
  - {match: 'trans*', weight: {op: constant, val: 3}}
  - {match: Linear, weight: {op: constant, val: 5}, bias: zeros}
"""


@pytest.mark.parametrize("rules", [RULES, PATHS])
def test_the_rules_of_the_source_draw_it(rules: str) -> None:
    model: Any = compiled(TEXT + rules)
    for found in (model, type(model)(), model.init_weights() or model):
        assert (found.head.weight == 3).all()
        assert (found.chain.weight == 2).all()
        assert (found.chain.bias == 0).all()


@pytest.mark.parametrize(
    "others", ["", "  attn: {op: MultiheadAttention, num_heads: 1, from: [up, up, up]}\n"]
)
def test_the_layer_of_the_source_draws_it(others: str) -> None:
    """Also where the tied layer comes first, and where layers draw in their constructors."""
    text = """
inputs: {x: [N, 3, 50]}
nodes:
  first: {op: Linear, out_features: 50, tie: {weight: later.weight}}
  up: {op: Linear, out_features: 50}
"""
    text += others + "  later: {op: Bilinear, from: [up, up], out_features: 1}\n"
    text = text.replace(
        "{op: Bilinear, from: [up, up], out_features: 1}",
        "{op: Linear, out_features: 50, from: up}",
    )
    drawn: list[str] = []

    def reset(layer: nn.Module) -> None:
        drawn.append("drawn")
        original(layer)

    original = nn.Linear.reset_parameters
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Linear, "reset_parameters", reset)
        model: Any = compiled(text + "outputs: [first, later]\n")
    assert model.first.weight is model.later.weight
    assert 0.05 < model.later.weight.std() < 0.1  # uniform within 1 / sqrt(50)
    assert model.first.bias.abs().max() > 0
