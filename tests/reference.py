"""A naive interpreter of the IR: what an emitted module must compute, told another way.

It makes one torch module per layer call, keeps every value, and calls the functions by name. It
shares no code with `emit` but the registry's rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import routing
import torch
import torch.nn.functional as F  # noqa: F401  (the registry's rows name it)
from torch import Tensor, nn

from graphbuild import expr
from graphbuild.ir import Edge, Graph, Node
from graphbuild.modes import there
from graphbuild.ops.base import Op

State = Mapping[str, Tensor]


def run(
    graph: Graph,
    state: State,
    inputs: Mapping[str, Any],
    prefix: str = "",
    train: bool = True,
) -> Any:
    """What a graph gives, with the parameters and buffers of `state` under `prefix`."""
    if graph.routing is not None:
        return routing.run(graph, graph.routing, state, inputs, prefix, train)
    values: dict[str, Any] = dict(inputs)
    read = _read(graph, state, prefix)
    for position in graph.order:
        node = graph.nodes[position]
        if node.name not in read:
            continue
        if not there(node.mode, train):
            values[node.name] = None
            continue
        kept = _is_kept(node, state, prefix)
        operands = [] if kept else [_pick(values, edge) for edge in node.operands]
        values[node.name] = _call(node, graph, values, operands, state, prefix, train)
    outputs = [_pick(values, output.edge) for output in graph.outputs]
    if graph.form == "mapping":
        return {o.name: v for o, v in zip(graph.outputs, outputs, strict=True)}
    return outputs[0] if graph.form == "single" else tuple(outputs)


def _is_kept(node: Node, state: State, prefix: str) -> bool:
    """Whether it is a parameter or a persistent buffer, whose numbers the state has."""
    return f"{prefix}{node.name}" in state and isinstance(node.call, Op) and node.call.own


def _read(graph: Graph, state: State, prefix: str) -> set[str]:
    """The values that the outputs need; others are not computed."""
    read = {output.edge.source for output in graph.outputs}
    for position in reversed(graph.order):
        node = graph.nodes[position]
        if node.name in read and not _is_kept(node, state, prefix):
            read |= {edge.source for edge in node.operands}
            for arg in node.args.values():
                read |= expr.names(arg.expr) if arg.free and arg.expr is not None else set()
    return read


def _pick(values: Mapping[str, Any], edge: Edge) -> Any:
    value = values[edge.source]
    for index in edge.select:
        if value is None:
            return None
        value = list(value.values())[index] if isinstance(value, dict) else value[index]
    return value


def _call(
    node: Node,
    graph: Graph,
    values: Mapping[str, Any],
    operands: list[Any],
    state: State,
    prefix: str,
    train: bool,
) -> Any:
    if node.call is None:
        return operands[0]
    if node.times is not None:
        once = dataclasses.replace(node, times=None)
        for _ in range(node.times.value):  # type: ignore[call-overload]
            result = _call(once, graph, values, operands, state, prefix, train)
            operands = [result, *operands[1:]]
        return operands[0]
    if isinstance(node.call, Op) and node.call.variadic:  # a merge takes what is there
        left = [value for value in operands if value is not None]
        if len(left) < len(operands) and len(left) == 1 and node.call.name != "stack":
            return left[0]
        operands = left
    owner = node.shared or node.name
    if isinstance(node.call, Graph):
        given = dict(zip(node.call.input_names, operands, strict=True))
        return run(node.call, state, given, f"{prefix}{owner}.", train)
    if node.call.own:
        if f"{prefix}{node.name}" in state:
            return state[f"{prefix}{node.name}"]
        return operands[0] if operands else _tensor(node)
    arguments = {name: _value(node, name, graph, values) for name in node.args}
    for argument in node.call.arguments:
        if argument.explicit:
            arguments.setdefault(argument.name, argument.default)
    if node.call.layer:
        with torch.random.fork_rng(devices=[]):  # what the layer draws at first is not kept
            layer = eval(node.call.source)(**arguments).train(train)
        layer.load_state_dict({k: state[f"{prefix}{owner}.{k}"] for k in layer.state_dict()})
        edges = [e for n in graph.nodes for e in n.operands] + [o.edge for o in graph.outputs]
        weights = any(e.source == node.name and e.select[:1] != (0,) for e in edges)
        unread = isinstance(layer, nn.MultiheadAttention) and not weights
        return layer(*operands, **({"need_weights": False} if unread else {}))
    if node.call.training:
        arguments["training"] = train
    return _function(node.call, operands, arguments)


def _value(node: Node, name: str, graph: Graph, values: Mapping[str, Any]) -> Any:
    arg = node.args[name]
    if not arg.free or arg.expr is None:
        return arg.value
    shapes = {
        name: expr.ShapeView(tuple(value.shape))
        for name, value in values.items()
        if isinstance(value, Tensor)
    }
    known = {v.name: v.value for v in (*graph.outer, *graph.variables)}
    turn = node.loop.variables if node.loop else {}
    return expr.evaluate(arg.expr, {**shapes, **known, **turn})


def _tensor(node: Node) -> Tensor:
    """The numbers of a buffer that is not in the state."""
    args = {name: arg.value for name, arg in node.args.items()}
    dtype = getattr(torch, node.type.dtype)  # type: ignore[union-attr]
    if args.get("value") is not None:
        return torch.tensor(args["value"], dtype=dtype)
    init = args.get("init", "zeros")
    name, more = (init, {}) if isinstance(init, str) else (init["op"], dict(init))
    more.pop("op", None)
    return getattr(nn.init, f"{name}_")(torch.empty(args["shape"], dtype=dtype), **more)  # type: ignore[call-overload]


class _Index:
    def __getitem__(self, index: Any) -> Any:
        return index


def _function(op: Op, operands: list[Any], arguments: dict[str, Any]) -> Any:
    if op.style == "operator":
        items = [*operands, *arguments.values()]
        total = items[0]
        for item in items[1:]:
            total = eval(f"a {op.source} b", {"a": total, "b": item})
        return total
    if op.style == "index":
        (index,) = arguments.values()
        items = index if isinstance(index, tuple) else (index,)
        return operands[0][
            tuple(eval(f"_[{i}]", {"_": _Index()}) if i is not None else i for i in items)
        ]
    if op.style == "list":
        return eval(op.source)(operands, **arguments)
    function = eval(op.source)
    if len(operands) > 1 and not op.variadic:  # an argument may stand between them
        return function(**dict(zip(op.operands, operands, strict=False)), **arguments)
    return function(*operands, **arguments)
