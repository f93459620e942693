"""Emitted source as a module: executed as written, initialised once, able to travel."""

from __future__ import annotations

import copy
import inspect
import io
import linecache
import pickle
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from graphbuild.emit.generated import Generated
from graphbuild.load import load, load_source

NET = '''\
"""A small network, as emitting it would give."""

import torch
from torch import Tensor, nn


class Block(nn.Sequential):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, in_channels, kernel_size=3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(in_channels)


class Branches(nn.ModuleDict):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self["left"] = Block(in_channels)
        self["right"] = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.values()], 1)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, kernel_size=3)
        self.branches = Branches(4)
        self.head = nn.Linear(8, 2)
        self.init_weights()

    def init_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
            elif isinstance(module, nn.Linear):
                nn.init.constant_(module.bias, 5.0)

    def forward(self, image: Tensor) -> Tensor:
        x = self.branches(self.stem(image))
        return self.head(x.mean([2, 3]))


def twice(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
    return output * 2
'''


def net(**options: bool) -> nn.Module:
    return load(Generated(NET, "Net", "net"), **options)


def one(layer: str, rules: str = "pass", **options: bool) -> nn.Module:
    """A module whose only layer is written as given."""
    source = (
        "import torch\nfrom torch import nn\n\n\n"
        "class One(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        f"        self.layer = {layer}\n"
        "        self.init_weights()\n\n"
        "    def init_weights(self):\n"
        f"        {rules}\n"
    )
    return load(Generated(source, "One", "one"), **options)


IMAGE = torch.randn(2, 3, 8, 8)


# ---- the text is the module


def test_equal_texts_share_a_module() -> None:
    assert type(net()) is type(net())
    assert load_source(NET, "net") is sys.modules[type(net()).__module__]
    assert type(load(Generated(NET + "\n", "Net", "net"))) is not type(net())


def test_source_is_found() -> None:
    model = net()
    assert inspect.getsource(type(model.branches)).startswith("class Branches(nn.ModuleDict):")
    assert inspect.getsource(type(model).forward).strip().startswith("def forward(self, image")
    assert inspect.getsource(inspect.getmodule(type(model))) == NET
    linecache.clearcache()
    assert "class Net" in inspect.getsource(type(model))


def test_a_traceback_shows_the_line() -> None:
    with pytest.raises(RuntimeError) as caught:
        net()(torch.randn(2, 4, 8, 8))
    text = "".join(traceback.format_exception(caught.value))
    assert "x = self.branches(self.stem(image))" in text
    assert 'File "<graphbuild net>.' in text


def test_a_text_that_fails_leaves_nothing_behind() -> None:
    before = set(sys.modules)
    with pytest.raises(ZeroDivisionError):
        load_source("1 / 0", "broken")
    assert set(sys.modules) == before


def test_any_name_will_do() -> None:
    assert load_source("x = 1\n", "my-net v2.1").x == 1


# ---- initialisation


class Written(TorchFunctionMode):
    """Notes which parameters are written into, and how often."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[int, int] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name.endswith("_") and not name.endswith("__") and name != "requires_grad_":
            target = (*args, *kwargs.values())[0]
            if isinstance(target, nn.Parameter):
                self.counts[id(target)] = self.counts.get(id(target), 0) + 1
        return func(*args, **kwargs)


def test_each_parameter_is_drawn_once() -> None:
    with Written() as written:
        model = net()
    counts = {n: written.counts.get(id(p), 0) for n, p in model.named_parameters()}
    assert set(counts.values()) == {1}, counts


def test_without_init_nothing_is_drawn_and_buffers_are_right() -> None:
    state = torch.get_rng_state()
    with Written() as written:
        model = net(init=False)
    assert torch.equal(torch.get_rng_state(), state)
    assert written.counts == {}
    assert torch.equal(model.branches.left.norm.running_mean, torch.zeros(4))
    assert torch.equal(model.branches.left.norm.running_var, torch.ones(4))
    assert model.branches.left.norm.num_batches_tracked == 0
    assert torch.equal(model.state_dict()["branches.left.norm.running_var"], torch.ones(4))


def test_rules_and_defaults_meet() -> None:
    model = net()
    assert torch.equal(model.head.bias, torch.full((2,), 5.0))
    assert 0 < model.head.weight.abs().max() <= 8**-0.5
    assert torch.equal(model.branches.left.norm.weight, torch.ones(4))
    assert torch.equal(model.branches.left.norm.bias, torch.zeros(4))
    assert all(p.requires_grad and p.is_leaf for p in model.parameters())


def test_an_initialiser_of_many_writes_is_whole() -> None:
    model = one("nn.Linear(40, 40)", "nn.init.sparse_(self.layer.weight, sparsity=0.25)")
    assert (model.layer.weight == 0).sum(0).tolist() == [10] * 40
    model = one("nn.ParameterList([nn.init.sparse_(nn.Parameter(torch.empty(40, 40)), 0.25)])")
    assert (model.layer[0] == 0).sum(0).tolist() == [10] * 40
    # drawn by the layer, and again by who owns it
    layer = "nn.ParameterList([nn.init.trunc_normal_(nn.Linear(99, 99).weight, 0, 1, -2, 2)])"
    weight = one(layer).layer[0]
    assert 1.8 < weight.abs().max() <= 2
    assert 0.8 < weight.std() < 0.95


def test_the_rules_can_be_run_again() -> None:
    model = net()
    before = model.stem.weight.clone()
    model.init_weights()
    assert not torch.equal(model.stem.weight, before)
    assert "init_weights" not in vars(model)


LAYERS = [
    "nn.Conv1d(2, 3, 3)",
    "nn.ConvTranspose2d(2, 3, 3)",
    "nn.Bilinear(2, 3, 4)",
    "nn.Embedding(5, 3, padding_idx=2)",
    "nn.EmbeddingBag(5, 3)",
    "nn.LayerNorm(3)",
    "nn.GroupNorm(1, 3)",
    "nn.InstanceNorm2d(3, affine=True)",
    "nn.RMSNorm(3)",
    "nn.BatchNorm3d(3)",
    "nn.PReLU(3)",
    "nn.LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2)",
    "nn.GRUCell(3, 4)",
    "nn.MultiheadAttention(4, 2)",
    "nn.MultiheadAttention(4, 2, kdim=3, add_bias_kv=True)",
    "nn.TransformerEncoderLayer(4, 2, 8)",
    "nn.TransformerDecoderLayer(4, 2, 8)",
    "nn.Transformer(4, 2, 2, 2, 8)",
    "nn.AdaptiveLogSoftmaxWithLoss(4, 10, [3, 6])",
    "nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))",
    "nn.ParameterList([nn.init.trunc_normal_(nn.Parameter(torch.empty(3, 4)), std=0.02)])",
    "nn.ParameterList([nn.init.orthogonal_(nn.Parameter(torch.empty(3, 4)))])",
    "nn.ParameterList([nn.init.eye_(nn.Parameter(torch.empty(3, 4)))])",
    "nn.ParameterList([nn.init.dirac_(nn.Parameter(torch.empty(3, 4, 3)))])",
    "nn.ParameterList([nn.Parameter(torch.ones(3)), nn.Parameter(torch.randn(3))])",
]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor", "ignore:Initializing zero-element")
def test_without_rules_the_numbers_are_the_constructors(layer: str) -> None:
    torch.utils.deterministic.fill_uninitialized_memory = True
    torch.use_deterministic_algorithms(True)  # fills new memory with NaN: nothing is forgotten
    try:
        torch.manual_seed(5)
        model = one(layer)
        torch.manual_seed(5)
        expected = type(model)().state_dict()
    finally:
        torch.use_deterministic_algorithms(False)
    found = model.state_dict()
    assert list(found) == list(expected)
    assert [key for key in found if not torch.equal(found[key], expected[key])] == []


def test_no_layer_draws_what_a_rule_covers() -> None:
    rule = "[nn.init.zeros_(p) for n, p in self.named_parameters() if 'weight' in n]"
    with Written() as written:
        model = one("nn.MultiheadAttention(4, 2)", rule)
    counts = {n: written.counts[id(p)] for n, p in model.named_parameters()}
    assert counts["layer.in_proj_weight"] == counts["layer.in_proj_bias"] == 1
    assert counts["layer.out_proj.weight"] == 1
    assert not model.layer.in_proj_weight.any()


def test_rules_that_work_on_views_count() -> None:
    model = one("nn.Conv2d(2, 2, 1)", "nn.init.ones_(self.layer.weight.view(2, 2))")
    assert torch.equal(model.layer.weight, torch.ones(2, 2, 1, 1))


def test_the_same_seed_gives_the_same_numbers() -> None:
    def state(seed: int) -> dict[str, Tensor]:
        torch.manual_seed(seed)
        return net().state_dict()

    first, second, third = state(1), state(1), state(2)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["stem.weight"], third["stem.weight"])


def test_devices_and_modes_around_it() -> None:
    with torch.device("meta"):
        assert all(p.is_meta for p in net().parameters())
    with torch.inference_mode():
        model = net()
    assert not any(p.is_inference() for p in model.parameters())
    with torch.no_grad():
        assert all(p.requires_grad for p in net().parameters())
    torch.set_default_dtype(torch.float64)
    try:
        assert net().stem.weight.dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


# ---- copies and pickles


def test_deepcopy_keeps_values_ties_and_mode() -> None:
    model = net().eval()
    model.extra = model.stem
    twin = copy.deepcopy(model)
    assert type(twin) is type(model)
    assert not twin.training
    assert twin.extra is twin.stem
    assert twin.stem.weight is not model.stem.weight
    assert torch.equal(twin(IMAGE), model(IMAGE))


def test_a_pickle_holds_the_text_once() -> None:
    models = [net(), net()]
    data = pickle.dumps(models)
    assert data.count(b"A small network, as emitting it would give.") == 1
    first, second = pickle.loads(data)
    assert torch.equal(first(IMAGE), models[0](IMAGE))
    assert torch.equal(second(IMAGE), models[1](IMAGE))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol(protocol: int) -> None:
    model = net()
    twin = pickle.loads(pickle.dumps(model, protocol))
    assert torch.equal(twin(IMAGE), model(IMAGE))


def test_a_pickle_reaches_another_process(tmp_path: Path) -> None:
    model = net().eval()
    module = sys.modules[type(model).__module__]
    # A function and a class of the text, referred to from the state.
    model.branches.register_forward_hook(module.twice)
    model.kind = module.Block
    torch.save({"model": model, "image": IMAGE, "output": model(IMAGE)}, tmp_path / "all.pt")
    program = (
        "import sys, torch\n"
        "found = torch.load(sys.argv[1], weights_only=False)\n"
        "model = found['model']\n"
        "assert torch.equal(model(found['image']), found['output'])\n"
        "assert type(model.branches['left']) is model.kind\n"
        "assert not model.training\n"
        "import inspect; print(inspect.getsource(model.kind).splitlines()[0])\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "all.pt")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "class Block(nn.Sequential):\n"


def test_a_part_pickles_alone() -> None:
    block = net().branches["left"]
    assert type(pickle.loads(pickle.dumps(block))) is type(block)


def test_replicas_share_the_class() -> None:
    model = net()
    replica = model._replicate_for_data_parallel()
    assert type(replica) is type(model)
    assert replica.stem is model.stem


class Subclass(type(net())):  # type: ignore[misc]
    """A user's own class on top of an emitted one; it pickles by its name, as any class does."""


def test_a_subclass_pickles_by_its_name() -> None:
    twin = pickle.loads(pickle.dumps(Subclass()))
    assert type(twin) is Subclass
    assert twin.stem.weight.shape == (4, 3, 3, 3)


# ---- torch's own machinery


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_scripts() -> None:
    assert torch.equal(torch.jit.script(model := net())(IMAGE), model(IMAGE))


def test_traces_with_fx() -> None:
    assert torch.equal(torch.fx.symbolic_trace(model := net())(IMAGE), model(IMAGE))


@pytest.mark.slow
def test_compiles_in_one_graph() -> None:
    model = net()
    assert torch.equal(torch.compile(model, fullgraph=True, backend="eager")(IMAGE), model(IMAGE))


@pytest.mark.slow
def test_exports() -> None:
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(model := net(), (IMAGE,)), buffer)
    buffer.seek(0)
    program = torch.export.load(buffer)
    torch.testing.assert_close(program.module()(IMAGE), model(IMAGE))
