"""How scopes become modules: as one of torch's containers, or as a class."""

from __future__ import annotations

from typing import Literal
from weakref import WeakKeyDictionary

from graphbuild.emit.structures import is_cut
from graphbuild.ir import Graph, Node, Several
from graphbuild.ops.base import Op

Form = Literal["class", "sequence", "dense", "parallel", "routed"]
_FORMS: WeakKeyDictionary[Graph, Form] = WeakKeyDictionary()  # asked for every path of a tie


def form(graph: Graph) -> Form:
    """How a scope is built: see design rule "blocks are modules" in the language reference."""
    if graph not in _FORMS:
        _FORMS[graph] = _form(graph)
    return _FORMS[graph]


def _form(graph: Graph) -> Form:
    if graph.routing is not None:
        return "routed"
    real = [node for node in graph.nodes if not node.synthetic]
    if (
        graph.kind == "spec"
        or any(given.sizes for given in graph.inputs)  # a spec inside of it
        or len(graph.inputs) != 1
        or any(node.mode != "always" or node.when is not None for node in graph.nodes)
        or any(arg.free for node in real for arg in node.args.values())
        or any(isinstance(n.call, Op) and n.call.style in ("index", "pattern") for n in real)
        or any(node.shared or node.times is not None for node in real)
        or any(len(node.operands) != 1 or node.operands[0].select for node in real)
        or is_cut(real)
        or (graph.connect != "parallel" and isinstance(graph.inputs[0].type, Several))
    ):
        return "class"
    start = graph.inputs[0].name
    if graph.connect == "parallel":
        alone = all(node.operands[0].source == start for node in real) and len(real) == len(
            graph.nodes
        )
        whole = [o.edge.source for o in graph.outputs] == [n.name for n in real]
        return "parallel" if alone and whole and _present(real) else "class"
    if graph.connect == "dense":
        last = graph.nodes[-1].name if graph.nodes else start
        single = graph.form == "single" and graph.outputs[0].edge.source == last
        return "dense" if single and _present(real) else "class"
    before = start
    for node in graph.nodes:
        if node.synthetic or node.operands[0].source != before:
            return "class"
        before = node.name
    ends = graph.form == "single" and not graph.outputs[0].edge.select
    return "sequence" if ends and graph.outputs[0].edge.source == before else "class"


def _present(nodes: list[Node]) -> bool:
    return all(node.call is not None for node in nodes)
