"""Groups that stand in one spec only, taken apart: what is in them may stand in the other by itself.

AlexNet with `features` and `classifier` is the same network as one whose layers stand in a row.
"""

from __future__ import annotations

from dataclasses import replace

from graphbuild.diff.matching import Matcher, Pairing
from graphbuild.ir import Edge, Graph, Node

ENOUGH = 0.5  # of what a group keeps in state_dict must be found in the other spec


def paired(matcher: Matcher, before: Graph, after: Graph) -> Pairing:
    """The pairing of two specs, without groups where more is the same without them."""
    first = matcher.pairing(before, after)
    lonely = [
        {
            n.name
            for pair in first.pairs
            if pair[1 - side] is None and (n := pair[side]) and _open(n)
        }
        for side in (0, 1)
    ]
    if not any(lonely):
        return first
    second = matcher.pairing(_dissolved(before, lonely[0]), _dissolved(after, lonely[1]))
    groups = [
        [node for pair in second.pairs if (node := pair[side]) and _from(node, lonely[side])]
        for side in (0, 1)
    ]
    layers = [node for side in (0, 1) for node in groups[side] if matcher.keeps(node)]
    matched = {id(node) for pair in second.matched for node in pair}
    found = sum(id(node) in matched for node in layers)
    return second if layers and found >= ENOUGH * len(layers) else first


def _from(node: Node, groups: set[str]) -> bool:
    return any(node.name.startswith(f"{group}.") for group in groups)


def _open(node: Node) -> bool:
    """Whether a node is a group that can be taken apart."""
    graph = node.call
    if not isinstance(graph, Graph) or graph.kind not in ("group", "repeat"):
        return False
    plain = not node.shared and node.times is None and node.mode == "always"
    return plain and graph.routing is None and graph.form == "single"


def _dissolved(graph: Graph, names: set[str]) -> Graph:
    """A scope with the nodes of some groups in their place, under their paths."""
    nodes: dict[str, Node] = {}
    ends: dict[str, Edge] = {}  # what stands for the value of a group
    for position in graph.order:
        node = graph.nodes[position]
        node = replace(node, operands=tuple(_through(edge, ends) for edge in node.operands))
        if node.name not in names or not isinstance(node.call, Graph):
            nodes[node.name] = node
            continue
        inner = node.call
        given = dict(zip(inner.input_names, node.operands, strict=False))
        for one in inner.nodes:
            name = f"{node.name}.{one.name}"
            operands = tuple(_inside(edge, node.name, given) for edge in one.operands)
            shared = f"{node.name}.{one.shared}" if one.shared else ""
            nodes[name] = replace(one, name=name, operands=operands, shared=shared)
        ends[node.name] = _inside(inner.outputs[0].edge, node.name, given)
    made: list[Node] = []
    for node in graph.nodes:
        if node.name in nodes:
            made.append(nodes[node.name])
        elif isinstance(node.call, Graph):
            made += [nodes[f"{node.name}.{one.name}"] for one in node.call.nodes]
    place = {node.name: at for at, node in enumerate(made)}
    order = tuple(place[name] for name in nodes)
    outputs = tuple(replace(o, edge=_through(o.edge, ends)) for o in graph.outputs)
    return replace(graph, nodes=tuple(made), order=order, outputs=outputs)


def _through(edge: Edge, ends: dict[str, Edge]) -> Edge:
    end = ends.get(edge.source)
    return edge if end is None else replace(end, select=(*end.select, *edge.select))


def _inside(edge: Edge, group: str, given: dict[str, Edge]) -> Edge:
    outer = given.get(edge.source)
    if outer is not None:
        return replace(outer, select=(*outer.select, *edge.select))
    return replace(edge, source=f"{group}.{edge.source}")
