"""Classes that are an `nn.ModuleDict` or an `nn.ModuleList`: how they hold and call their children."""

from __future__ import annotations

from graphbuild.emit import routing
from graphbuild.emit.forms import Form
from graphbuild.emit.items import Item, display, entries, listed
from graphbuild.emit.parts import Statement
from graphbuild.ir import Graph


def container(
    form: Form, graph: Graph, items: list[Item], top_k: str
) -> tuple[Statement, list[Statement]]:
    """What makes the children, and the forward; `top_k` is that of a mixture, as source."""
    listing = graph.listed and listed(items)
    inner = display(items) if listing else entries(items)
    values = "self" if listing else "self.values()"
    span = graph.span
    made = Statement(f"super().__init__({inner})", span)
    if form == "routed":
        return made, routing.Forward(graph, listing, top_k).statements()
    if form == "dense":
        grow = Statement("x = torch.cat([x, layer(x)], dim=1)", span)
        return made, [
            Statement(f"for layer in {values}:", span, [grow]),
            Statement("return x"),
        ]
    return made, [Statement(f"return [branch(x) for branch in {values}]", span)]
