"""What must hold of any spec that compiles: `prove` checks it and hands the source back."""

from __future__ import annotations

import inspect
import math
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from reference import run
from torch import Tensor, nn

from graphbuild.check import verify
from graphbuild.elaborate import elaborate
from graphbuild.emit import Generated, emit
from graphbuild.emit.variables import input_variables
from graphbuild.errors import SpecError
from graphbuild.ir import Graph
from graphbuild.ir_text import show
from graphbuild.load import load, load_source
from graphbuild.ops.base import Op
from graphbuild.read import read_text
from graphbuild.report import report

HEAD = "graphbuild: 1\nname: net\n"
PARTS = Path(__file__).parent / "parts"  # what specs can include
LARGEST = 1_000_000  # so many parameters are still tried


def built(text: str, params: Mapping[str, object] = {}, sizes: Mapping[str, int] = {}) -> Graph:
    graph = elaborate(read_text(HEAD + text, "net.yaml", PARTS / "net.yaml"), params, sizes)
    verify(graph)
    return graph


def prove(text: str, **params: Any) -> Generated:
    return proven(text, built(text, params), params)


def proven(text: str, graph: Graph, params: Mapping[str, Any] = {}, most: int = 9) -> Generated:
    """Keys, values, gradients, and what other arguments of the constructor give: of each of them
    so many at `most`."""
    generated, again = emit(graph), built(text, params)
    assert show(again) == show(graph)
    assert emit(again).source == generated.source
    module = load(generated)
    module_is(module, graph)
    for inputs in examples(graph):
        computes(module, graph, inputs)
    for sizes in other_sizes(graph):
        try:
            other = built(text, params, sizes)
        except SpecError:
            continue
        computes(module, other, next(iter(examples(other))))
        break
    constructor(text, generated, params, most)
    return generated


# -- one module against one graph -------------------------------------------------------------


def module_is(module: nn.Module, graph: Graph) -> None:
    """The state's keys and shapes are those of the IR, in its order."""
    wanted = list(owned(graph))
    found = [(name, tuple(value.shape)) for name, value in module.state_dict().items()]
    assert found == wanted
    for tie in graph.ties:
        assert module.get_parameter(tie.path) is module.get_parameter(tie.source), tie.path
    total = sum(p.numel() for p in module.parameters())
    assert total == report(graph).totals.parameters


def owned(graph: Graph, prefix: str = "") -> Iterator[tuple[str, tuple[int, ...]]]:
    """The parameters and buffers of a graph with their shapes: a module's own, then in file order."""
    for kind in ("parameter", "buffer"):
        for node in graph.nodes:
            lost = "persistent" in node.args and not node.args["persistent"].value
            if isinstance(node.call, Op) and node.call.name == kind and not lost:
                yield f"{prefix}{node.name}", tuple(node.type.shape)
    for node in graph.nodes:
        if node.shared or (isinstance(node.call, Op) and node.call.own):
            continue
        if isinstance(node.call, Graph):
            yield from owned(node.call, f"{prefix}{node.name}.")
        elif node.call is not None:
            values = {a.name: a.default for a in node.call.arguments}
            values.update((name, arg.value) for name, arg in node.args.items())
            for rule in (node.call.parameters, node.call.buffers):
                for name, shape in (rule(SimpleNamespace(**values)) if rule else {}).items():
                    yield f"{prefix}{node.name}.{name}", tuple(shape)


def computes(module: nn.Module, graph: Graph, inputs: Mapping[str, Tensor]) -> None:
    """The module gives what the reference gives, in training and evaluation, to the bit."""
    names = dict(zip(graph.input_names, input_variables(graph), strict=True))
    state = {name: value.clone() for name, value in module.state_dict().items()}
    for train in (True, False):
        module.load_state_dict(state)
        module.train(train)
        given = leaves(inputs)
        found = outcome(lambda given=given: module(**{names[n]: v for n, v in given.items()}))
        again = leaves(inputs)
        wanted = outcome(lambda given=again, train=train: run(graph, state, given, train=train))
        assert same(found, wanted), f"differs from the reference (train={train})"
        assert close(slopes(found, given), slopes(wanted, again)), f"gradients (train={train})"
    module.load_state_dict(state)


def leaves(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies of the inputs that gather gradients."""
    return {n: v.clone().requires_grad_(v.is_floating_point()) for n, v in inputs.items()}


def slopes(value: Any, inputs: Mapping[str, Tensor]) -> list[Tensor | None]:
    """The gradients of the inputs; what was overwritten too early is told by an error."""
    total = sum(part.sin().sum() for part in tensors(value) if part.requires_grad)
    if isinstance(total, Tensor):
        total.backward()
    return [given.grad for given in inputs.values()]


def tensors(value: Any) -> list[Tensor]:
    if value is None:  # absent in this mode
        return []
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [] if isinstance(value, type) else [t for part in parts for t in tensors(part)]


def close(left: list[Tensor | None], right: list[Tensor | None]) -> bool:
    return all(
        a is b if a is None or b is None else torch.allclose(a, b, 1e-3, 1e-5, equal_nan=True)
        for a, b in zip(left, right, strict=True)
    )


def outcome(call: Any) -> Any:
    """What a call gives, or the kind of error that it raises."""
    torch.default_generator.manual_seed(1)  # which is all that `torch.manual_seed` does on a CPU
    try:
        return call()
    except (ValueError, RuntimeError, IndexError) as error:
        return type(error)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return (left.dtype == right.dtype and torch.equal(left, right)) or bool(
            left.is_floating_point()
            and torch.equal(left.isnan(), right.isnan())
            and torch.equal(left.nan_to_num(), right.nan_to_num())
        )
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[k], right[k]) for k in left)
    if isinstance(left, (tuple, list)) and isinstance(right, (tuple, list)):
        return len(left) == len(right) and all(map(same, left, right))
    return left is right


def examples(graph: Graph) -> Iterator[dict[str, Tensor]]:
    """Inputs at the first two probes."""
    for probe in range(2):
        torch.manual_seed(probe)
        yield {i.name: example(i.type, probe) for i in graph.inputs}


def example(type_: Any, probe: int) -> Tensor:
    shape = type_.shapes[probe]
    if type_.dtype.startswith("float"):
        return torch.randn(shape, dtype=getattr(torch, type_.dtype))
    if type_.dtype == "bool":
        return torch.rand(shape) < 0.5
    return torch.randint(0, 2, shape, dtype=getattr(torch, type_.dtype))


def other_sizes(graph: Graph) -> Iterator[dict[str, int]]:
    """Sizes of the free dimensions unlike the examples, the odd ones first."""
    free = graph.dims.free if graph.dims else ()
    for step in (5, 8, 32):
        yield {
            d.name: (d.example or 1) + (step + 2 * k if step == 5 else step)
            for k, d in enumerate(free)
        }


# -- the constructor's arguments --------------------------------------------------------------


def constructor(text: str, generated: Generated, params: Mapping[str, Any], most: int) -> None:
    """What the class leaves open, it leaves open rightly: other arguments give what compiling
    with these params gives, and the values as well."""
    cls = getattr(load_source(generated.source, generated.name), generated.class_name)
    for name, parameter in inspect.signature(cls).parameters.items():
        for value in islice(others(parameter.default), most):
            try:
                graph = built(text, {**params, name: value})
            except SpecError:
                continue
            if sum(math.prod(shape) for _, shape in owned(graph)) > LARGEST:
                continue
            module = cls(**{name: value})
            try:
                module_is(module, graph)
                computes(module, graph, next(iter(examples(graph))))
            except AssertionError as error:
                raise AssertionError(f"with {name}={value!r}: {error}") from error


def others(value: Any) -> Iterator[Any]:
    """Other values of a constructor's argument."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value * 2, value + 16)
    elif isinstance(value, tuple) and value:
        yield (*value, value[-1])
        yield value[:1]
        if isinstance(value[0], int):
            yield tuple(v * 2 for v in value)


# -- many sources at once ---------------------------------------------------------------------


def ruff(folder: Path, sources: Mapping[str, str], besides: str = "") -> str:
    """What ruff says of these texts, some rules aside: nothing, if they are as they should be."""
    folder.mkdir(exist_ok=True)
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8", newline="\n")
    said = ""
    check = ["check", "--isolated", "-q", *(["--ignore", besides] if besides else [])]
    for command in (check, ["format", "--isolated", "--diff", "-q"]):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        said += ran.stdout + (ran.stderr if ran.returncode else "")
    return said


def constructs() -> dict[str, str]:
    """The small specs of `constructs.yaml` by name."""
    text = (Path(__file__).parent / "constructs.yaml").read_text(encoding="utf-8")
    pairs = (part.split("\n", 1) for part in text.split("\n--- ")[1:])
    return {name.strip(): body for name, body in pairs}
