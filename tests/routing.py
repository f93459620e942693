"""What a choice among cases must compute, told naively: part of `reference`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reference
import torch
from torch import Tensor

from graphbuild.ir import Graph, Routing


def run(
    graph: Graph,
    routing: Routing,
    state: Mapping[str, Tensor],
    inputs: Mapping[str, Any],
    prefix: str,
    train: bool,
) -> Tensor:
    """What the cases give of all, or of some rows."""
    chooser = inputs[graph.input_names[0]]
    data = [inputs[given.name] for given in graph.data]

    def case(number: int, given: list[Tensor]) -> Any:
        node = graph.nodes[number]
        named = dict(zip((i.name for i in graph.data), given, strict=True))
        return reference._call(node, graph, named, given, state, prefix, train)

    count = len(graph.nodes)
    if routing.kind == "switch":
        names = [node.name for node in graph.nodes]
        number = names.index("true" if chooser else "false") if is_flag(chooser) else int(chooser)
        return case(number, data)
    if not routing.by_rows:
        total: Any = 0
        for number in range(count):
            value = case(number, data)
            weight = chooser.select(-1, number)
            while weight.dim() < value.dim():
                weight = weight.unsqueeze(-1)
            total = total + weight * value
        return total
    lead = chooser.dim() if routing.kind == "route" else chooser.dim() - 1
    sizes = chooser.shape[:lead]
    rows = [given.reshape(-1, *given.shape[lead:]) for given in data]
    chosen = weights(graph, routing, chooser.reshape(-1, *chooser.shape[lead:]))
    result: list[Any] = [0] * len(rows[0])
    for number in range(count):
        own = [row for row, found in enumerate(chosen) if number in found]
        if not own:
            continue
        values = case(number, [torch.stack([given[row] for row in own]) for given in rows])
        for row, value in zip(own, values, strict=True):
            weight = chosen[row][number]
            result[row] = result[row] + (value if weight is None else value * weight)
    if not all(isinstance(row, Tensor) for row in result):
        raise IndexError("a row has no case")
    return torch.stack(result).reshape(*sizes, *result[0].shape)


def weights(graph: Graph, routing: Routing, chooser: Tensor) -> list[dict[int, Tensor | None]]:
    """For each row the cases that are chosen, with their weights where there are some."""
    names = [node.name for node in graph.nodes]
    if is_flag(chooser):
        return [{names.index("true" if one else "false"): None} for one in chooser]
    if routing.kind == "route":
        return [{int(one): None} for one in chooser]
    top: Any = routing.top_k.value if routing.top_k is not None else 0
    return [{int(k): row[k] for k in row.argsort(descending=True)[:top]} for row in chooser]


def is_flag(chooser: Any) -> bool:
    return isinstance(chooser, bool) or chooser.dtype == torch.bool
