"""Semantics 13 against modules written by hand: what runs, on which rows, with which gradients."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from proof import built
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from graphbuild.elaborate import elaborate_with_findings
from graphbuild.emit import emit
from graphbuild.ir import Tensor as TensorType
from graphbuild.load import load, load_source
from graphbuild.read import read_text

CASES = """
  deep: {nodes: [{op: Linear, out_features: 16}, ReLU, {op: Linear, out_features: 4}]}
  plain: {nodes: [{op: Linear, out_features: 4}]}
"""


def model(text: str, **params: Any) -> nn.Module:
    torch.manual_seed(0)
    return load(emit(built(text, params)))


def counted(cases: nn.Module) -> list[int]:
    """How many rows each case is called with, call by call."""
    seen: list[int] = []
    for case in cases.children():
        case.register_forward_pre_hook(lambda _m, given: seen.append(len(given[0])))
    return seen


def grads(module: nn.Module) -> dict[str, Tensor | None]:
    return {name: p.grad for name, p in module.named_parameters()}


def alike(ours: nn.Module, theirs: nn.Module, *inputs: Any) -> None:
    """Equal outputs and gradients, of parameters (None where there is none) and of inputs."""
    theirs.load_state_dict(ours.state_dict())
    found = []
    for one in (ours, theirs):
        given = [
            x.clone().requires_grad_() if isinstance(x, Tensor) and x.is_floating_point() else x
            for x in inputs
        ]
        one.zero_grad()
        out = one(*given)
        (out * torch.linspace(-1, 1, out.numel()).reshape(out.shape)).sum().backward()
        slopes = [x.grad for x in given if isinstance(x, Tensor) and x.is_floating_point()]
        found.append([out, *slopes, *grads(one).values()])
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, b in zip(*found, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            torch.testing.assert_close(a, b)


def deep() -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))


def plain() -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, 4))


# -- switch -----------------------------------------------------------------------------------

FLAG = f"""
inputs: {{x: [N, 8], flag: {{shape: [], dtype: bool}}}}
blocks:{CASES}
nodes: {{path: {{switch: flag, from: x, cases: {{true: deep, false: plain}}}}}}
"""
NUMBER = f"""
inputs: {{x: [N, 8], which: {{shape: [], dtype: int64}}}}
blocks:{CASES}
nodes: {{path: {{switch: which, from: x, cases: [deep, plain, {{op: Linear, out_features: 4}}]}}}}
"""
SAME = """
inputs: {x: [N, 8], flag: {shape: [], dtype: bool}}
nodes:
  path: {switch: flag, from: x, cases: {true: {op: Linear, out_features: 8}, false: Identity}}
  out: {switch: flag, from: [path, x], cases: {true: add, false: mul}}
"""
X = torch.randn(7, 8, generator=torch.Generator().manual_seed(1))


class Flag(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.path = nn.ModuleDict({"true": deep(), "false": plain()})

    def forward(self, x: Tensor, flag: bool) -> Tensor:
        return self.path["true"](x) if flag else self.path["false"](x)


@pytest.mark.parametrize("flag", [True, False, torch.tensor(True), torch.tensor(False)])
def test_a_switch_runs_one_case_for_the_batch(flag: bool | Tensor) -> None:
    ours = model(FLAG)
    alike(ours, Flag(), X, flag)
    other = "false" if flag else "true"
    found = grads(ours)
    assert all((grad is None) == (f".{other}." in name) for name, grad in found.items())
    seen = counted(ours.path)
    ours(X, flag)
    assert seen == [7]


class Number(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.path = nn.ModuleList([deep(), plain(), nn.Linear(8, 4)])

    def forward(self, x: Tensor, which: int) -> Tensor:
        return self.path[which](x)


@pytest.mark.parametrize("which", [0, 1, 2, torch.tensor(1), torch.tensor(2)])
def test_a_switch_by_a_number(which: int | Tensor) -> None:
    alike(model(NUMBER), Number(), X, which)


@pytest.mark.parametrize("which", [3, -1, torch.tensor(3)])
def test_a_number_without_a_case_is_told(which: int | Tensor) -> None:
    with pytest.raises(IndexError, match=rf"path: there is no case {int(which)} among 3"):
        model(NUMBER)(X, which)


@pytest.mark.parametrize("text", [FLAG, NUMBER, SAME])
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_switch_compiles_by_a_tensor_and_by_a_value(text: str, backend: str) -> None:
    torch._dynamo.reset()
    ours = model(text)
    compiled = torch.compile(ours, fullgraph=True, backend=backend)
    for choice in (0, 1) if text is NUMBER else (False, True):
        torch.testing.assert_close(compiled(X, torch.tensor(choice)), ours(X, choice))
        torch.testing.assert_close(compiled(X, choice), ours(X, choice))


def test_the_other_case_gets_zeros_where_a_switch_is_compiled() -> None:
    torch._dynamo.reset()
    ours = model(FLAG)
    torch.compile(ours, fullgraph=True, backend="aot_eager")(X, torch.tensor(True)).sum().backward()
    for name, grad in grads(ours).items():
        assert grad is not None
        assert bool((grad == 0).all()) == (".false." in name)


@pytest.mark.parametrize("text", [FLAG, NUMBER, SAME])
def test_a_switch_exports_with_a_free_batch(text: str) -> None:
    ours = model(text).eval()
    first = torch.tensor(1 if text is NUMBER else True)
    sizes = ({0: torch.export.Dim("N")}, None)
    program = torch.export.export(ours, (X, first), dynamic_shapes=sizes).module()
    for choice in (0, 1, 2) if text is NUMBER else (False, True):
        given = torch.randn(3, 8)
        torch.testing.assert_close(program(given, torch.tensor(choice)), ours(given, choice))


def test_a_batch_norm_in_a_switch_compiles_in_training_by_a_value_alone() -> None:
    torch._dynamo.reset()
    text = FLAG.replace("ReLU", "BatchNorm1d")
    ours, theirs = model(text), model(text)
    compiled = torch.compile(ours, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(X, True), theirs(X, True))
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    with pytest.raises(Exception, match=r"input mutation"):
        compiled(X, torch.tensor(True))


def test_a_traced_switch_does_not_check_the_number() -> None:
    torch._dynamo.reset()
    ours = model(NUMBER)
    compiled = torch.compile(ours, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(X, torch.tensor(7)), ours(X, 2))


def test_a_python_value_exports_its_case_alone() -> None:
    ours = model(FLAG).eval()
    program = torch.export.export(ours, (X, True))
    assert "cond" not in str(program.graph)
    torch.testing.assert_close(program.module()(X, True), ours(X, True))


def test_cases_of_other_memory_layouts_do_not_compile() -> None:
    torch._dynamo.reset()
    text = """
inputs: {x: [N, 8, 8], flag: {shape: [], dtype: bool}}
blocks: {turned: {nodes: [{op: Linear, out_features: 8}, {op: transpose, dim0: 1, dim1: 2}]}}
nodes: {path: {switch: flag, from: x, cases: {true: turned, false: {op: Linear, out_features: 8}}}}
"""
    x, ours = torch.randn(2, 8, 8), model(text)
    ours(x, True)
    with pytest.raises(Exception, match=r"stride|metadata"):
        torch.compile(ours, fullgraph=True, backend="aot_eager")(x, torch.tensor(True))


# -- route ------------------------------------------------------------------------------------

ROUTE = f"""
inputs: {{x: [N, 8], index: {{shape: [N], dtype: int64}}}}
blocks:{CASES}
nodes: {{paths: {{route: index, from: x, cases: [deep, plain, {{op: Linear, out_features: 4}}]}}}}
"""
TOKENS = ROUTE.replace("[N, 8]", "[N, T=5, 8]").replace("shape: [N]", "shape: [N, T]")
INDEX = torch.tensor([2, 0, 1, 1, 0, 2, 2])


class Route(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.paths = nn.ModuleList([deep(), plain(), nn.Linear(8, 4)])

    def forward(self, x: Tensor, index: Tensor) -> Tensor:
        rows = [
            self.paths[k](row) for k, row in zip(index.flatten(), x.flatten(0, -2), strict=True)
        ]
        return torch.stack(rows).reshape(*index.shape, 4)


@pytest.mark.parametrize(
    "index", [INDEX, torch.zeros(7).long(), torch.tensor([1, 2, 1, 1, 2, 2, 2])]
)
def test_a_route_gives_each_row_to_its_case_in_order(index: Tensor) -> None:
    ours = model(ROUTE)
    alike(ours, Route(), X, index)
    seen = counted(ours.paths)
    ours(X, index)
    assert seen == [n for n in index.bincount(minlength=3).tolist() if n]


def test_a_route_of_tokens() -> None:
    index = torch.randint(0, 3, (2, 5))
    alike(model(TOKENS), Route(), torch.randn(2, 5, 8), index)


def test_a_route_by_a_flag_and_with_several_data() -> None:
    ours = model("""
inputs: {x: [N, 8], y: [N, 8], hard: {shape: [N], dtype: bool}}
nodes: {path: {route: hard, from: [x, y], cases: {true: add, false: mul}}}
""")
    hard = torch.tensor([True, False, False, True, True, False, True])
    y = torch.randn(7, 8)
    assert torch.equal(ours(X, y, hard), torch.where(hard[:, None], X + y, X * y))


@pytest.mark.parametrize("wrong", [3, -1])
def test_an_index_out_of_range_is_told(wrong: int) -> None:
    index = INDEX.clone()
    index[4] = wrong
    with pytest.raises(IndexError, match="paths: an index is none of its 3 cases"):
        model(ROUTE)(X, index)


@pytest.mark.parametrize("text", [ROUTE, TOKENS])
def test_an_empty_batch(text: str) -> None:
    sizes = (0, 5) if text is TOKENS else (0,)
    x = torch.randn(*sizes, 8, requires_grad=True)
    out = model(text)(x, torch.zeros(sizes).long())
    assert out.shape == (*sizes, 4)
    out.sum().backward()
    assert x.grad is not None


def test_a_case_without_rows_is_not_called() -> None:
    ours = model(ROUTE.replace("ReLU", "BatchNorm1d"))
    ours(X, torch.ones(7).long())
    assert ours.paths[0][1].num_batches_tracked == 0
    ours(X, INDEX)
    assert ours.paths[0][1].num_batches_tracked == 1


def test_a_route_that_is_left_out_passes_its_data_through() -> None:
    ours = model(ROUTE.replace("from: x,", "from: x, if: false,"))
    assert torch.equal(ours(X, INDEX), X)


# -- mixture ----------------------------------------------------------------------------------

MIXTURE = f"""
inputs: {{x: [N, 8], gate: [N, 3]}}
params: {{k: 2}}
blocks:{CASES}
nodes:
  mix: {{mixture: gate, from: x, cases: [deep, plain, {{op: Linear, out_features: 4}}]}}
"""
TOP = MIXTURE.replace("from: x,", "from: x, top_k: $k,")
GATE = torch.randn(7, 3, generator=torch.Generator().manual_seed(2)).softmax(1)


class Mixture(nn.Module):
    def __init__(self, k: int = 3) -> None:
        super().__init__()
        self.k = k
        self.mix = nn.ModuleList([deep(), plain(), nn.Linear(8, 4)])

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:
        chosen = F.one_hot(gate.topk(self.k, dim=-1)[1], 3).sum(-2)
        values = torch.stack([case(x) for case in self.mix], dim=-2)
        return ((gate * chosen)[..., None] * values).sum(-2)


def test_a_mixture_is_the_weighted_sum() -> None:
    alike(model(MIXTURE), Mixture(), X, GATE)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_mixture_computes_the_chosen_rows_alone(k: int) -> None:
    ours = model(TOP, k=k)
    alike(ours, Mixture(k), X, GATE)
    seen = counted(ours.mix)
    ours(X, GATE)
    assert sum(seen) == 7 * k
    assert seen == F.one_hot(GATE.topk(k)[1], 3).sum((0, 1)).tolist()


@pytest.mark.parametrize("text", [MIXTURE, TOP])
def test_a_mixture_of_tokens(text: str) -> None:
    text = text.replace("[N, 8]", "[N, T=5, 8]").replace("[N, 3]", "[N, T, 3]")
    gate = torch.randn(2, 5, 3).softmax(-1)
    alike(model(text), Mixture(2 if text.count("top_k") else 3), torch.randn(2, 5, 8), gate)


@pytest.mark.parametrize("text", [MIXTURE, TOP])
def test_an_empty_batch_of_a_mixture(text: str) -> None:
    assert model(text)(torch.randn(0, 8), torch.randn(0, 3)).shape == (0, 4)


def test_chosen_weights_that_add_up_to_one() -> None:
    ours = model("""
inputs: {x: [N, 8], scores: [N, 3]}
nodes:
  gate: {op: softmax, from: scores, dim: -1}
  largest: {op: topk, k: 2, dim: -1}
  total: {op: sum, from: largest.values, dim: -1, keepdim: true}
  weights: {op: div, from: [gate, total]}
  mix: {mixture: weights, from: x, top_k: 2, cases: [Identity, Identity, Identity]}
""")
    torch.testing.assert_close(ours(X, GATE), X)


def test_a_gate_of_another_dtype() -> None:
    for text in (MIXTURE, TOP):
        graph = built(text.replace("gate: [N, 3]", "gate: {shape: [N, 3], dtype: float64}"))
        assert isinstance(graph.type, TensorType)
        assert graph.type.dtype == "float64"
        assert load(emit(graph))(X, GATE.double()).dtype == torch.float64


# -- compiled, exported, carried elsewhere ------------------------------------------------------


def norm(text: str) -> str:
    return text.replace("ReLU", "BatchNorm1d")


FORMS: dict[str, tuple[str, Tensor]] = {
    "route": (ROUTE, INDEX),
    "route with a batch norm": (norm(ROUTE), INDEX),
    "mixture": (MIXTURE, GATE),
    "top_k": (TOP, GATE),
    "top_k with a batch norm": (norm(TOP), GATE),
}


@pytest.fixture
def capturing() -> Any:
    """What the reference says that `route` and `top_k` need of torch.compile."""
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        torch._dynamo.reset()
        yield


@pytest.mark.usefixtures("capturing")
@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiles_in_the_form_that_the_reference_names(name: str, backend: str) -> None:
    text, chooser = FORMS[name]
    ours = model(text).eval()
    compiled = torch.compile(ours, fullgraph=True, backend=backend)
    torch.testing.assert_close(compiled(X, chooser), ours(X, chooser))
    other = chooser.flip(0)
    torch.testing.assert_close(compiled(X, other), ours(X, other))


@pytest.mark.usefixtures("capturing")
@pytest.mark.parametrize("name", ["route", "top_k", "mixture"])
def test_learns_alike_when_compiled(name: str) -> None:
    text, chooser = FORMS[name]
    ours, theirs = model(text), model(text)
    torch.compile(ours, fullgraph=True, backend="aot_eager")(X, chooser).sum().backward()
    theirs(X, chooser).sum().backward()
    torch.testing.assert_close(grads(ours), grads(theirs))


@pytest.mark.usefixtures("capturing")
def test_a_compiled_route_checks_its_index() -> None:
    compiled = torch.compile(model(ROUTE), fullgraph=True, backend="aot_eager")
    compiled(X, INDEX)
    with pytest.raises(RuntimeError):
        compiled(X, torch.full((7,), 3))


@pytest.mark.parametrize("name", ["route", "top_k"])
def test_an_exported_choice_computes_no_more_rows(name: str) -> None:
    text, chooser = FORMS[name]
    ours = model(text).eval()
    costs = []
    for one in (ours, torch.export.export(ours, (X, chooser)).module()):
        with FlopCounterMode(display=False) as counter:
            one(X, chooser)
        costs.append(counter.get_total_flops())
    assert costs[0] == costs[1] > 0


@pytest.mark.usefixtures("capturing")
@pytest.mark.parametrize("name", ["route with a batch norm", "top_k with a batch norm"])
def test_a_batch_norm_by_rows_does_not_compile_in_training(name: str) -> None:
    text, chooser = FORMS[name]
    with pytest.raises(Exception, match="data-dependent"):
        torch.compile(model(text), fullgraph=True, backend="aot_eager")(X, chooser)


@pytest.mark.parametrize("name", ["route with a batch norm", "top_k with a batch norm"])
def test_it_compiles_in_training_with_graph_breaks(name: str) -> None:
    torch._dynamo.reset()
    text, chooser = FORMS[name]
    ours, theirs = model(text), model(text)
    compiled = torch.compile(ours, backend="aot_eager")
    for given in (chooser, chooser.flip(0)):
        torch.testing.assert_close(compiled(X, given), theirs(X, given))
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("strict", [True, False])
def test_exports_with_a_free_batch(name: str, strict: bool) -> None:
    text, chooser = FORMS[name]
    ours = model(text).eval()
    batch = {0: torch.export.Dim("N", max=4096)}
    exported = torch.export.export(ours, (X, chooser), dynamic_shapes=(batch, batch), strict=strict)
    for count in (2, 5):
        x, given = torch.randn(count, 8), chooser[:count]
        torch.testing.assert_close(exported.module()(x, given), ours(x, given))


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("carry", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_travels(name: str, carry: Callable[[nn.Module], nn.Module]) -> None:
    text, chooser = FORMS[name]
    ours = model(text).eval()
    assert torch.equal(carry(ours)(X, chooser), ours(X, chooser))


def test_one_class_for_several_choices_of_one_block() -> None:
    text = """
inputs: {x: [N, 8], gate: [N, 4]}
blocks:
  moe:
    inputs: [data, gate]
    params: {k: int, w: 8}
    nodes: {m: {mixture: gate, from: data, top_k: $k, cases: {op: Linear, out_features: $w, repeat: 4}}}
nodes:
  a: {op: moe, from: [x, gate], k: 1}
  b: {op: moe, from: [a, gate], k: 2, w: 6}
"""
    ours = model(text)
    assert type(ours.a.m) is type(ours.b.m)
    assert (ours.a.m.k, ours.b.m.k) == (1, 2)
    source = emit(built(text)).source
    assert source.count("(nn.ModuleList):") == 1
    assert load_source(source, "net").Net()(torch.randn(2, 8), torch.randn(2, 4)).shape == (2, 6)


def test_a_repeated_choice_by_what_cannot_choose_has_a_place() -> None:
    text = (
        "graphbuild: 1\nname: net\ninputs: {x: [N, 8], index: [N]}\nnodes:\n"
        "  r: {route: index, from: x, repeat: 2, cases: [ReLU, Tanh]}\n"
    )
    (found,) = elaborate_with_findings(read_text(text, "net.yaml"))[1]
    assert (found.code, str(found.span)) == ("E206", "net.yaml:5:3")
