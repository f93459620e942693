"""Whether there is memory for a model, known before any of it is taken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import prod
from pathlib import Path

import torch

from graphbuild.elaborate.expectations import complete
from graphbuild.ir import Graph, Node
from graphbuild.ops.base import Op

ENOUGH = 2**26  # bytes that are there in any case


def need(graph: Graph) -> None:
    """Raise MemoryError where a model's parameters and buffers are more than what is free."""
    if torch.empty(0).device.type != "cpu":  # on the meta device it takes none
        return
    size = torch.get_default_dtype().itemsize
    total = size * _numbers(graph, {})
    if total <= ENOUGH:
        return
    free = available()
    if free is None or total <= free:
        return
    path, node = max(_layers(graph, ""), key=lambda layer: _own(layer[1]))
    kind = node.call.name if isinstance(node.call, Op) else ""
    raise MemoryError(
        f"{graph.name} needs {_bytes(total)} for its parameters, and {_bytes(free)} are free; "
        f"the largest layer is {path} ({kind}) with {_bytes(size * _own(node))}"
        + (f" ({node.span})" if node.span is not None else "")
    )


def _own(node: Node) -> int:
    """How many numbers a layer holds."""
    op = node.call
    if not isinstance(op, Op) or node.shared or not (op.parameters or op.buffers):
        return 0
    args = complete(op, {name: arg.value for name, arg in node.args.items()})
    made = [rule(args) for rule in (op.parameters, op.buffers) if rule is not None]
    return sum(prod(shape) for shapes in made for shape in shapes.values())


def _numbers(graph: Graph, known: dict[int, int]) -> int:
    if id(graph) not in known:
        calls = [node.call for node in graph.nodes if isinstance(node.call, Graph)]
        inner = sum(_numbers(call, known) for call in calls)
        known[id(graph)] = inner + sum(map(_own, graph.nodes))
    return known[id(graph)]


def _layers(graph: Graph, path: str) -> Iterator[tuple[str, Node]]:
    """Every layer with its path; of equal scopes the first alone."""
    seen = {id(graph)}
    stack = [(graph, path)]
    while stack:
        scope, prefix = stack.pop()
        for node in scope.nodes:
            if not isinstance(node.call, Graph):
                yield prefix + node.name, node
            elif id(node.call) not in seen:
                seen.add(id(node.call))
                stack.append((node.call, f"{prefix}{node.name}."))


def available() -> int | None:
    """Bytes that this process can still take; None where that cannot be known."""
    limits = [_free(), _control_group(), _address_space()]
    known = [limit for limit in limits if limit is not None]
    return max(0, min(known)) if known else None


def _free() -> int | None:
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on this system
        return None


def _control_group() -> int | None:
    """What a container may still take."""
    most, used = (_text(f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    return int(most) - int(used) if most.isdecimal() and used.isdecimal() else None


def _address_space() -> int | None:
    try:
        import resource
    except ImportError:  # not on this system
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    pages = _text("/proc/self/statm").split()
    if limit == resource.RLIM_INFINITY or not pages:
        return None
    return limit - int(pages[0]) * resource.getpagesize()


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _bytes(count: int) -> str:
    for unit, name in ((10**12, "TB"), (10**9, "GB")):
        if count >= unit:
            return f"{count / unit:,.1f} {name}" if count < 10**18 else f"{count // unit:,} {name}"
    return f"{count / 10**6:,.1f} MB"
