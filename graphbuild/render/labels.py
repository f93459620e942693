"""What stands in a box: title, rows, tooltip."""

from __future__ import annotations

from collections.abc import Iterable
from string import digits

from graphbuild.dims import Dims
from graphbuild.ir import Graph, Node, Several, Tensor, Type
from graphbuild.ops.base import Op
from graphbuild.render import marks
from graphbuild.render.arguments import every_argument, short_arguments
from graphbuild.render.costs import Cost, short
from graphbuild.render.fold import Item
from graphbuild.render.kinds import kind
from graphbuild.render.parts import Part, turns

LONGEST = 40  # of a name or title


def outermost(item: Item) -> Item:
    """The scope that an item is all of, and whose name it so takes; else the item itself."""
    scope = item.scope
    while scope is not None and scope.scope is not None and len(scope.items) == 1:
        item, scope = scope, scope.scope
    return item


def own_times(item: Item) -> int:
    """The ×N that stands at a box or cluster: its own, and of what it is all of."""
    times, outer = item.part.turns, outermost(item)
    if not item.open and item.part.nodes and item.part.first.times is not None:
        applied = item.part.first.times.value
        times *= applied if isinstance(applied, int) else 1
    while item is not outer and item.scope is not None:
        item = item.scope
        times *= item.part.turns
    return times


def copies_told(item: Item) -> int:
    """How many equal ones the costs at a box are the sum of: those of its own ×N."""
    outer, times = outermost(item), 1
    while item.scope is not None:
        times *= item.part.turns if item.part.form == "run" else 1
        if item is outer:
            break
        item = item.scope
    return times


def name(item: Item) -> str:
    """The local name of an item, or of the scope that it is all of."""
    return part_name(outermost(item).part)


def part_name(part: Part) -> str:
    """The names of a part's first and last node, of a repetition's first and last turn."""
    first, last = part.first.name, part.nodes[-1].name
    if part.form == "call":
        return cut(first)
    if part.form in ("repeat", "run"):
        last = list(turns(part))[-1][0].name
    stem = first.rstrip(digits)
    if stem and stem == last.rstrip(digits):  # layer1 … 6
        last = last[len(stem) :]
    return f"{cut(first, 16)} … {cut(last, 16)}"


def title(item: Item) -> str:
    """What an item is: its op, its ops, or the block that it calls."""
    if item.part.form in ("router", "join"):
        return _choice(item)
    if item.part.form == "chain":
        return " · ".join(_brief(node) for node in item.part.nodes)
    if item.part.form == "stretch":
        return f"{len(item.part.nodes)} nodes"
    node = _main(item)
    return cut(called(node))


def _main(item: Item) -> Node:
    """The node of a turn that is not the language's own."""
    return next((node for node in item.part.nodes if not node.synthetic), item.part.first)


def called(node: Node) -> str:
    """What a node calls, for people."""
    call = node.call
    if not isinstance(call, Graph):
        return call.name if call is not None else "absent"
    if call.routing is not None:
        return call.routing.kind
    if call.kind == "group":
        return node.name
    if call.kind == "repeat" and call.nodes:
        return called(call.nodes[0])
    return call.name.replace("_", " ")


def _brief(node: Node) -> str:
    """An op in a row of others: BatchNorm rather than BatchNorm2d."""
    text = called(node)
    main = isinstance(node.call, Op) and kind(node.call) in ("conv", "linear")
    return text if main or text[-1:] != "d" or not text[-2:-1].isdigit() else text[:-2]


def _choice(item: Item) -> str:
    graph = item.scope.inside if item.scope is not None else None
    routing = graph.routing if graph is not None else None
    if routing is None or graph is None:
        return item.part.form
    if item.part.form == "router":
        return routing.kind
    top = f"top {routing.top_k.value} of {len(graph.nodes)}" if routing.top_k is not None else ""
    return {"mixture": f"weighted sum {top}".strip(), "route": "rows in order"}.get(
        routing.kind, f"one of {len(graph.nodes)}"
    )


def item_kind(item: Item) -> str:
    """One of `kinds.WORDS`."""
    if item.part.form in ("router", "join"):
        return "routing"
    if item.part.form == "stretch":
        return "block"
    found = [kind(node.call) if isinstance(node.call, Op) else "block" for node in item.part.nodes]
    main = next((one for one in found if one in ("conv", "linear")), found[0])
    routed = isinstance(item.node.call, Graph) and item.node.call.routing is not None
    return "routing" if routed else main


def rows(item: Item, cost: Cost) -> tuple[str, ...]:
    """The lines below the title: what is special, then the name with the costs."""
    part = item.part
    if part.form in ("router", "join"):
        return ()
    first = ""
    if part.form == "stretch":
        first = _contents(part.nodes)
    elif part.form == "chain":
        found = [short_arguments(node) for node in part.nodes if _is_main(node)]
        first = next(filter(None, found), "")
    elif isinstance(_main(item).call, Op):
        first = short_arguments(_main(item))
    else:
        first = _growth(item)
    told = [name(item)]
    if cost.params:
        told.append(f"{short(cost.params)} params")
    if cost.macs:
        told.append(f"{short(cost.macs)} MACs")
    return (first, " · ".join(told))


def changed_rows(item: Item, old: Cost, new: Cost) -> tuple[str, ...]:
    """The lines of a box that changed: what, then the name with what the costs were and are."""
    named = item if item.part.nodes or item.scope is None else item.scope  # where one chooses
    costs = [name(named)]
    if old.params or new.params:
        costs.append(f"{change(old.params, new.params)} params")
    if old.macs or new.macs:
        costs.append(f"{change(old.macs, new.macs)} MACs")
    return (*(cut(row, LONGEST + 16) for row in marks.told(item)), " · ".join(costs))


def change(old: int, new: int) -> str:
    """A number, or two where it was another one."""
    texts = short(old), short(new)
    return texts[1] if old == new else " → ".join(texts)


def _is_main(node: Node) -> bool:
    return isinstance(node.call, Op) and kind(node.call) in ("conv", "linear")


def _contents(nodes: Iterable[Node]) -> str:
    names = list(dict.fromkeys(map(called, nodes)))
    return cut(", ".join(names), LONGEST)


def _growth(item: Item) -> str:
    """How the channels change: "64→256 ch, +32 each"."""
    scope = item.scope.inside if item.scope is not None else None
    node, last = item.part.first, item.part.nodes[-1]
    if scope is None or len(node.operands) == 0:
        return ""
    if isinstance(node.call, Graph) and node.call.routing is not None:
        return f"{len(node.call.nodes)} cases"
    before, after = _width(scope.value(node.operands[0])), _width(last.type)
    if before is None or after is None or before[1] != after[1]:
        return ""
    unit = after[1]
    text = f"{before[0]}→{after[0]} {unit}" if before[0] != after[0] else f"{after[0]} {unit}"
    if item.part.form == "repeat" and scope.connect == "dense":
        each = {_width(turn[0].type) for turn in turns(item.part)}
        one = next(iter(each))
        text += f", +{one[0]} each" if len(each) == 1 and one is not None else ""
    return text


def _width(type_: Type) -> tuple[int, str] | None:
    """The number of channels, or of features, and which of them it is.

    Of an image the channels stand at 1, or last where the size at 1 is free.
    """
    if not isinstance(type_, Tensor) or len(type_.shape) < 2:
        return None
    rank = len(type_.shape)
    if rank < 4:
        return type_.shape[-1], "features"
    first = len({shape[1] for shape in type_.shapes if shape is not None}) == 1
    return type_.shape[1 if first else -1], "ch"


def joined(node: Node, dims: Dims | None) -> str:
    """How long a concat is along the dimension that it joins, for a slim bar."""
    dim, type_ = node.args["dim"].value if "dim" in node.args else 1, node.type
    if not isinstance(type_, Tensor) or not isinstance(dim, int):
        return ""
    rank = len(type_.shape)
    dim %= rank
    size = shape(type_, dims).split("×")[dim]
    unit = " ch" if dim == 1 and rank > 3 else " features" if dim == rank - 1 else ""
    return size + unit


def shape(type_: Type, dims: Dims | None) -> str:
    """The sizes, as formulas of the free dimensions if these are given, else at the example."""
    if isinstance(type_, Several):
        return ", ".join(shape(item, dims) for item in type_.items) or "nothing"
    if dims is None:
        return "×".join(str(int(size)) for size in type_.shape) or "scalar"
    return dims.show_shape(type_.shapes)


def dtype(type_: Type) -> str:
    if isinstance(type_, Several):
        return ", ".join(dict.fromkeys(map(dtype, type_.items)))
    return type_.dtype


def tip(item: Item, cost: Cost, dims: Dims | None) -> str:
    """All there is to say about a box, in lines."""
    part = item.part
    if not part.nodes:
        return title(item)
    lines = []
    for node in part.nodes[:1] if part.turns > 1 else part.nodes[:6]:
        prefix = item.scope.prefix if item.scope is not None else ""
        lines.append(f"{prefix}{node.name}: {called(node)}")
        lines += [cut(f"  {line}", 120) for line in every_argument(node)]
    if part.turns > 1 or len(part.nodes) > 6:
        lines.append(f"… {name(item)}")
    lines.append(f"output {shape(part.nodes[-1].type, dims)}")
    lines.append(f"{cost.params:,} parameters, {cost.macs:,} MACs")
    doc = part.first.call.doc if isinstance(part.first.call, Graph | Op) else ""
    lines += [cut(line, 120) for line in doc.splitlines()[:2]]
    return "\n".join(lines)


def cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
