"""Cost per node of generated specs, small and large."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.contest import Benchmark, Contest, Cost, Setting
from graphbuild import api

SMALL, LARGE = 1_000, 10_000
TARGET = 1.5

HEAD = "graphbuild: 1\nname: generated\ninputs: {x: [N, 16]}\n"
CELL = "blocks:\n  cell:\n    params: {width: int}\n    nodes:\n" + (
    "      fc: {op: Linear, out_features: $width}\n      act: ReLU\n"
)


def chain(nodes: int) -> str:
    """Layers of distinct sizes, each above the next."""
    lines = [f"  fc{i}: {{op: Linear, out_features: {i + 1}}}" for i in range(nodes)]
    return "\n".join([HEAD + "nodes:", *lines, ""])


def calls(nodes: int) -> str:
    """Calls of one block with few distinct sizes; most of them are equal."""
    lines = [f"  cell{i}: {{op: cell, width: {8 + i % 4}}}" for i in range(nodes)]
    return "\n".join([HEAD + CELL + "nodes:", *lines, ""])


def instances(nodes: int) -> str:
    """Calls of one block with a distinct size each; the nodes inside count."""
    lines = [f"  cell{i}: {{op: cell, width: {i + 1}}}" for i in range(nodes // 3)]
    return "\n".join([HEAD + CELL + "nodes:", *lines, ""])


def residual(nodes: int) -> str:
    """Layers, each followed by the sum of its result and the sum before it."""
    lines = ["  add0: {op: Linear, out_features: 16}"]
    for i in range(1, nodes // 2):
        lines.append(f"  fc{i}: {{op: Linear, out_features: 16}}")
        lines.append(f"  add{i}: {{op: add, from: [fc{i}, add{i - 1}]}}")
    return "\n".join([HEAD + "nodes:", *lines, ""])


SHAPES = {"chain": chain, "calls": calls, "instances": instances, "residual": residual}


def benchmarks() -> Iterator[Benchmark]:
    stages = (("check", _check), ("emit", _emit))
    for (stage, side), (name, shape) in itertools.product(stages, SHAPES.items()):
        prepare = functools.partial(_sizes, side, shape)
        yield Benchmark(f"nodes/{stage}/{name}", TARGET, prepare, rounds=3)
    for name, shape in SHAPES.items():  # folded: less than elaborating takes
        yield Benchmark(f"nodes/render/{name}", 1.0, functools.partial(_folded, shape), rounds=3)


def _folded(shape: Callable[[int], str], setting: Setting) -> Contest:
    path = setting.folder / "large.yaml"
    path.write_text(shape(LARGE), encoding="utf-8")
    graph = api.elaborate(api.read(path))
    theirs = setting.timed(_check(path))
    return Contest(setting.timed(lambda: api.render(graph)), theirs, theirs)


def _sizes(
    side: Callable[[Path], Callable[[], object]],
    shape: Callable[[int], str],
    setting: Setting,
) -> Contest:
    def per_node(nodes: int, times: int) -> Cost:
        path = setting.folder / f"{nodes}.yaml"
        path.write_text(shape(nodes), encoding="utf-8")
        cost = setting.timed(side(path), calls=times)
        return lambda: cost() / nodes

    # The small one several times over, so that both measurements are of like length.
    theirs = per_node(SMALL, 3)
    theirs()
    return Contest(per_node(LARGE, 1), theirs, theirs)


def _check(path: Path) -> Callable[[], object]:
    return lambda: api.elaborate(api.read(path))


def _emit(path: Path) -> Callable[[], object]:
    graph = api.elaborate(api.read(path))
    return lambda: api.emit(graph)
