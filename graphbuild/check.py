"""The verifier: whether a graph keeps what `ir` promises. What it finds is our mistake."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from graphbuild import check_modes, expr
from graphbuild.dims import PROBES, REQUIRED
from graphbuild.elaborate import rules
from graphbuild.ir import ABSENT, Edge, Graph, Node, Routing, Several, Tensor, Type
from graphbuild.ops.base import MISSING, Args, Op


class VerifyError(Exception):
    """An invariant of the IR is broken."""


def verify(graph: Graph) -> None:
    """Check a whole spec's graph and every graph that it calls; raises VerifyError."""
    if graph.kind != "spec" or graph.dims is None:
        raise VerifyError(f"{graph.name}: the root is not a spec with dimensions")
    if graph.outer:
        raise VerifyError(f"{graph.name}: nothing is around a spec, but it reads {graph.outer}")
    seen: set[int] = set()
    stack = [graph]
    while stack:
        scope = stack.pop()
        if id(scope) in seen:
            continue
        seen.add(id(scope))
        for problem in _problems(scope):
            raise VerifyError(f"{scope.kind} {scope.name!r}: {problem}")
        stack += [n.call for n in scope.nodes if isinstance(n.call, Graph)]


def _problems(graph: Graph) -> Iterator[str]:
    yield from _names(graph)
    yield from _order(graph)
    for node in graph.nodes:
        for problem in _node(graph, node):
            yield f"node {node.name!r}: {problem}"
    yield from _outputs(graph)
    if graph.connect == "dense":
        yield from _dense(graph)
    yield from check_modes.problems(graph)
    yield from _loops(graph)
    yield from _ties(graph)


def _names(graph: Graph) -> Iterator[str]:
    names = [*graph.input_names, *(n.name for n in graph.nodes)]
    if len(set(names)) < len(names):
        yield "a name stands twice"
    variables = [v.name for v in graph.variables]
    if len(set(variables)) < len(variables):
        yield "a variable stands twice"
    for node in graph.nodes:
        if node.synthetic != ("." in node.name):
            yield f"synthetic nodes and no others have a dot in their name: {node.name!r}"
    if graph.listed:
        built = [n.name for n in graph.nodes if check_modes.is_numbered(n)]
        if built != [str(position) for position in range(len(built))]:
            yield f"the children of a list are named by position: {built}"


def _order(graph: Graph) -> Iterator[str]:
    if sorted(graph.order) != list(range(len(graph.nodes))):
        yield "the order is not one of all nodes"
        return
    steady = [p for p in graph.order if graph.nodes[p].mode in ("always", "never")]
    if _valid(graph, range(len(graph.nodes))) and steady != sorted(steady):
        yield "the file order would do, but is not kept"
    if not _valid(graph, graph.order):
        yield "a node comes before its operand"


def _valid(graph: Graph, order: range | tuple[int, ...]) -> bool:
    done = set(graph.input_names)
    for position in order:
        node = graph.nodes[position]
        if any(edge.source not in done for edge in node.operands):
            return False
        if not _shapes_read(graph, node) <= done or (node.shared and node.shared not in done):
            return False
        done.add(node.name)
    return True


def _shapes_read(graph: Graph, node: Node) -> set[str]:
    """The nodes whose shapes a node's arguments read: they come first, as if they were operands."""
    variables = {v.name for v in (*graph.variables, *graph.outer)}
    variables.update(node.loop.variables if node.loop is not None else ())
    found: set[str] = set()
    for arg in node.args.values():
        if arg.expr is not None and not isinstance(arg.expr, ast.Constant):
            found |= expr.names(arg.expr) - variables
    return found & graph.by_name.keys()


def _node(graph: Graph, node: Node) -> Iterator[str]:
    types = []
    for edge in node.operands:
        found = _value(graph, edge)
        if found is None:
            yield f"an operand leads nowhere: {edge}"
            return
        types.append(found)
    for type_ in _tensors(node.type):
        if len(type_.shapes) != PROBES or None in type_.shapes[:REQUIRED]:
            yield "a type without its shapes"
    if node.mode == "never":
        if node.call is not None or node.type != ABSENT:
            yield "never there, but something is built"
        return
    if node.call is None:
        if len(types) != 1 or types[0] != node.type:
            yield "an absent node hands on its one operand"
        if node.condition is not None and node.condition.value:
            yield "absent, though its condition holds"
        return
    if node.condition is not None and not node.condition.value:
        yield "built, though its condition does not hold"
    if node.shared:
        yield from _shared(node, graph.by_name.get(node.shared))
    if node.times is not None and (node.times.value == 0 or types[:1] != [node.type]):
        yield "applied in turn, though it does not give what it takes"
    if isinstance(node.call, Graph):
        yield from _call(node, node.call, types)
    else:
        for some in check_modes.operands(graph, node, types):
            yield from _op(node, node.call, some)
    if node.synthetic and (not isinstance(node.call, Op) or node.call.layer):
        yield "a synthetic node is a function"


def _shared(node: Node, owner: Node | None) -> Iterator[str]:
    if owner is None or owner.call is None or owner.shared:
        yield f"shares {node.shared!r}, which has no module of its own"
    elif isinstance(node.call, Graph) and isinstance(owner.call, Graph):
        if node.call.template != owner.call.template:
            yield f"calls another scope than {node.shared!r}, whose module it shares"
    elif node.call is not owner.call:
        yield f"calls another op than {node.shared!r}, whose module it shares"


def _ties(graph: Graph) -> Iterator[str]:
    tied = {tie.path for tie in graph.ties}
    if len(tied) < len(graph.ties):
        yield "a parameter is tied twice"
    for tie in graph.ties:
        if tie.source in tied:
            yield f"{tie.path!r} is tied to a parameter that is tied itself"


def _call(node: Node, called: Graph, types: list[Type]) -> Iterator[str]:
    if types != [given.type for given in called.inputs] and not _laid_out(called):
        yield "its operands are not of the types of the inputs it calls"
    if node.type != called.type:
        yield "its type is not what it calls gives"
    variables = {v.name: v for v in called.variables if v.kind != "let"}
    for name, arg in node.args.items():
        if name not in variables or not expr.same(variables[name].value, arg.value):
            yield f"argument {name!r} is not what the block was built with"
    for name, variable in variables.items():
        if name not in node.args and (
            variable.default is MISSING or not expr.same(variable.default, variable.value)
        ):
            yield f"argument {name!r} is not given"


def _laid_out(graph: Graph) -> bool:
    """Whether a scope of cases is given rows of several dimensions as one."""
    chooser, routing = graph.inputs[0].type, graph.routing
    return (
        routing is not None
        and routing.by_rows
        and isinstance(chooser, Tensor)
        and routing.lead(chooser) > 1
    )


def _gives(case: Type, scope: Type) -> bool:
    """Whether a case gives what the scope gives, at all sizes at which there is what chooses."""
    if not isinstance(case, Tensor) or not isinstance(scope, Tensor):
        return case == scope
    pairs = zip(case.shapes, scope.shapes, strict=True)
    return case.dtype == scope.dtype and all(b is None or a == b for a, b in pairs)


def _routing(graph: Graph, routing: Routing) -> Iterator[str]:
    """Every node is a case on all data, and gives what the scope gives (its rows, where it is
    given rows)."""
    data = [Edge(given.name) for given in graph.data]
    for node in graph.nodes:
        if node.call is None or list(node.operands) != data:
            yield f"the case {node.name!r} does not take all data"
        weighted = routing.kind == "mixture"  # by a gate that may be of another dtype
        if not (weighted or _gives(node.type, graph.type) or _laid_out(graph)):
            yield f"the case {node.name!r} gives something else than the scope"
    if [output.edge for output in graph.outputs] != [Edge(node.name) for node in graph.nodes]:
        yield "its outputs are not its cases"
    top = routing.top_k.value if routing.top_k is not None else 1
    if not isinstance(top, int) or not 1 <= top <= len(graph.nodes) or len(graph.nodes) < 2:
        yield "more cases are chosen than there are"


def _op(node: Node, op: Op, types: list[Type]) -> Iterator[str]:
    known = [a.name for a in op.arguments]
    if list(node.args) != [name for name in known if name in node.args]:
        yield f"arguments out of order or unknown: {list(node.args)}"
    for name, arg in node.args.items():
        if arg.expr is None and name not in op.infer:
            yield f"argument {name!r} has no expression, and is not inferred"
        if arg.free and (op.layer or op.own):
            yield f"argument {name!r} of a layer depends on a free dimension"
    tensors = [t for t in types if isinstance(t, Tensor)]
    if len(tensors) < len(types):
        yield "an operand is several values"
        return
    if op.passes and len(tensors) == 1 < len(node.operands):
        if tensors[0] != node.type:
            yield "its type is not that of the one operand that it passes on"
        return
    defaults = {a.name: a.default for a in op.arguments if a.default is not MISSING}
    values = {**defaults, **{name: arg.value for name, arg in node.args.items()}}
    if any(arg.free for arg in node.args.values()):
        shapes = [t.shape for t in tensors]
        made = op.shape(Args(**values), *shapes) if op.shape is not None else None
        if isinstance(node.type, Tensor) and made not in (node.type.shape, None):
            yield "its shape at the example is not what the rule gives"
    elif rules.typed(op, [values], tensors).type != node.type:
        yield "its type is not what the rules give"


def _outputs(graph: Graph) -> Iterator[str]:
    types = []
    for output in graph.outputs:
        found = _value(graph, output.edge)
        if found is None:
            yield f"an output leads nowhere: {output.edge}"
            return
        types.append(found)
        if bool(output.name) != (graph.form == "mapping"):
            yield "outputs of a mapping have names, and no others"
    if graph.routing is not None:
        yield from _routing(graph, graph.routing)
    elif graph.form == "single":
        if types != [graph.type]:
            yield "its type is not that of its output"
    elif not isinstance(graph.type, Several) or list(graph.type.items) != types:
        yield "its type is not that of its outputs"


def _dense(graph: Graph) -> Iterator[str]:
    """Each child is followed by the concat of what came before and itself."""
    running = graph.inputs[0].name
    children = [n for n in graph.nodes if not n.synthetic and n.call is not None]
    for child in children:
        concat = graph.by_name.get(f"{child.name}.concat")
        if concat is None or concat.operands != (Edge(running), Edge(child.name)):
            yield f"no running concat after {child.name!r}"
            return
        running = concat.name


def _loops(graph: Graph) -> Iterator[str]:
    turns: dict[str, list[int]] = {}
    for node in graph.nodes:
        if node.loop is None or node.synthetic:
            continue
        loop = node.loop
        turns.setdefault(loop.key, []).append(loop.index)
        if loop.variables.keys() != loop.over.keys() or loop.variables["i"] != loop.index:
            yield f"node {node.name!r}: a loop whose variables are not those it runs over"
        if turns[loop.key] == list(range(loop.count)):
            continue
        if turns[loop.key] != list(range(len(turns[loop.key]))):
            yield f"the turns of {loop.key!r} are not in order"
    if graph.kind == "repeat" and any(n.loop is None for n in graph.nodes):
        yield "a node of a repetition that is no turn of it"


def _value(graph: Graph, edge: Edge) -> Type | None:
    try:
        return graph.value(edge)
    except (ValueError, IndexError, StopIteration):
        return None


def _tensors(type_: Type) -> Iterator[Tensor]:
    if isinstance(type_, Tensor):
        yield type_
    else:
        for item in type_.items:
            yield from _tensors(item)
