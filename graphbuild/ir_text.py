"""The IR as text, for golden files and for people who look for a mistake in graphbuild.

    spec lenet5
      image: float32 N×1×H×W
      conv1 = Conv2d(image) in_channels~1 out_channels=6 kernel_size=5 -> N×6×H-4×W-4
      return conv1

A value given by an expression is followed by it in braces (``128{planes * 4}``); ``~`` stands
before a value that the operands gave, ``!`` behind one that is computed in `forward`. Each graph is
written once: ``dense_layer#2`` is the second distinct graph of that name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from graphbuild import expr
from graphbuild.dims import Dims
from graphbuild.ir import Arg, Edge, Graph, InitRule, Loop, Node, Several, Tensor, Type, Variable
from graphbuild.ops.base import MISSING


def show(graph: Graph) -> str:
    """The text of a graph and of all graphs that it calls, in the order of their first call."""
    names = _names(graph)
    dims = graph.dims or Dims(())
    parts = ["\n".join(_graph(g, name, names, dims)) for g, name in names.items()]
    return "\n\n".join(parts) + "\n"


def _names(root: Graph) -> dict[Graph, str]:
    """A name for every distinct graph; graphs compare by identity."""
    found: dict[Graph, str] = {}
    counts: dict[str, int] = {}
    stack = [root]
    while stack:
        graph = stack.pop()
        if graph in found:
            continue
        counts[graph.name] = number = counts.get(graph.name, 0) + 1
        found[graph] = graph.name if graph is root else f"{graph.name}#{number}"
        stack += [n.call for n in reversed(graph.nodes) if isinstance(n.call, Graph)]
    return found


def _graph(graph: Graph, name: str, names: Mapping[Graph, str], dims: Dims) -> Iterator[str]:
    notes: list[str] = [graph.connect] if graph.connect != "chain" else []
    notes += ["list"] if graph.listed else []
    if graph.routing is not None:
        top = graph.routing.top_k
        notes.append(graph.routing.kind + (f" of {_value(top.value)}" if top is not None else ""))
    head = f"{graph.kind} {name}"
    if graph.kind != "spec":
        head += f" from {graph.template}"
    yield f"{head} ({', '.join(notes)})" if notes else head
    for dim in graph.dims.free if graph.dims else ():
        bounds = f" multiple={dim.multiple} min={dim.min} max={dim.max}"
        plain = dim.multiple == dim.min == 1 and dim.max is None
        example = f"={dim.example}" if dim.example is not None else ""
        yield f"  dim {dim.name}{example}{'' if plain else bounds}"
    for variable in graph.outer:
        yield f"  outer {variable.name} = {_value(variable.value)}"
    for variable in graph.variables:
        yield f"  {_variable(variable)}"
    for given in graph.inputs:
        yield f"  {given.name}: {_type(given.type, dims, dtype=True)}"
    for node in graph.nodes:
        yield f"  {_node(node, names, dims)}"
    if graph.order != tuple(range(len(graph.nodes))):
        yield f"  order {' '.join(graph.nodes[p].name for p in graph.order)}"
    yield f"  return {_outputs(graph)}"
    for tie in graph.ties:
        yield f"  tie {tie.path} = {tie.source}"
    for rule in graph.init:
        yield f"  init {_init(rule)}"


def _variable(variable: Variable) -> str:
    text = f"{variable.kind} {variable.name} = {_value(variable.value)}{_braces(variable.expr)}"
    if variable.default is not MISSING and not expr.same(variable.default, variable.value):
        text += f" (default {_value(variable.default)})"
    return text


def _node(node: Node, names: Mapping[Graph, str], dims: Dims) -> str:
    if node.call is None:
        called = "absent" if node.mode != "never" else "nothing"
    elif isinstance(node.call, Graph):
        called = names[node.call]
    else:
        called = node.call.name
    parts = [f"{node.name} = {called}({', '.join(map(_edge, node.operands))})"]
    parts += [_arg(name, arg) for name, arg in node.args.items()]
    if node.condition is not None:
        parts.append(f"if {_value(node.condition.value)}{_braces(node.condition.expr)}")
    if node.shared:
        parts.append(f"shares {node.shared}")
    if node.times is not None:
        parts.append(f"times {_value(node.times.value)}{_braces(node.times.expr)}")
    if node.mode != "always" or node.when is not None:
        parts.append(f"when {node.mode}{_braces(node.when.expr if node.when else None)}")
    if node.loop is not None:
        parts.append(_loop(node.loop))
    if node.mode != "never":
        parts.append(f"-> {_type(node.type, dims, dtype=_has_other_dtype(node.type))}")
    return " ".join(parts)


def _arg(name: str, arg: Arg) -> str:
    if arg.expr is None:
        return f"{name}~{_value(arg.value)}"
    return f"{name}={_value(arg.value)}{_braces(arg.expr)}{'!' if arg.free else ''}"


def _loop(loop: Loop) -> str:
    values = " ".join(f"{name}={_value(value)}" for name, value in loop.variables.items())
    over = " ".join(f"{name}:{expr.unparse(tree)}" for name, tree in loop.over.items())
    return f"[{loop.key} {values} of {over}]"


def _braces(tree: ast.expr | None) -> str:
    """The expression behind a value, where it says more than the value."""
    if tree is None or not expr.names(tree):
        return ""
    return f"{{{expr.unparse(tree)}}}"


def _value(value: object) -> str:
    return expr.unparse(expr.literal(value))


def _edge(edge: Edge) -> str:
    return ".".join([edge.source, *map(str, edge.select)])


def _outputs(graph: Graph) -> str:
    if graph.form == "mapping":
        return "{" + ", ".join(f"{o.name}: {_edge(o.edge)}" for o in graph.outputs) + "}"
    shown = ", ".join(_edge(o.edge) for o in graph.outputs)
    return shown if graph.form == "single" else f"[{shown}]"


def _type(type_: Type, dims: Dims, dtype: bool) -> str:
    if isinstance(type_, Several):
        items = [_type(item, dims, dtype) for item in type_.items]
        if type_.names:
            items = [f"{name}: {item}" for name, item in zip(type_.names, items, strict=True)]
        return f"({', '.join(items)})"
    shape = dims.show_shape(type_.shapes)
    return f"{type_.dtype} {shape}" if dtype else shape


def _has_other_dtype(type_: Type) -> bool:
    if isinstance(type_, Tensor):
        return type_.dtype != "float32"
    return any(map(_has_other_dtype, type_.items))


def _init(rule: InitRule) -> str:
    parts = [
        f"{name}={i.name}({', '.join(f'{k}={_value(v.value)}{_braces(v.expr)}' for k, v in i.args.items())})"
        for name, i in rule.parameters.items()
    ]
    within = f" within {', '.join(rule.within)}" if rule.within else ""
    return f"{rule.match}{within} {' '.join(parts)}"
