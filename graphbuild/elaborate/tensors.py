"""Raw parameters and buffers: what says their numbers, and when that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphbuild.elaborate import initialisers
from graphbuild.elaborate.needs import unmet
from graphbuild.elaborate.params import show
from graphbuild.elaborate.state import Poisoned
from graphbuild.errors import Span
from graphbuild.ir import Node, Tensor
from graphbuild.ops.base import Op
from graphbuild.ops.tensors import extent
from graphbuild.source import text

if TYPE_CHECKING:
    from graphbuild.elaborate.expand import Item
    from graphbuild.elaborate.scope import Scope

LARGEST = 2**63  # what an int64 does not hold
_MIXED = "numbers, or lists of them that are equally long"


def check(scope: Scope, item: Item, node: Node) -> None:
    """That a node says its numbers once, and says them before the module sees an input."""
    before = len(scope.state.log)
    given = {name for name, arg in node.args.items() if arg.value is not None}
    ways = [w for w in ("shape", "value") if w in given] + ["from"] * bool(node.operands)
    span = item.template.span
    name, what = node.name, node.call.name if isinstance(node.call, Op) else ""
    known = "shape or value" if what == "parameter" else "shape, value or from"
    if not ways:
        scope.report("E113", f"{what} {name!r} has no numbers", span, expected=known)
    elif len(ways) > 1:
        scope.report(
            "E112",
            f"the numbers of {what} {name!r} are said twice",
            span,
            expected=f"one of {known}",
            found=" and ".join(ways),
        )
    elif "init" in given and ways != ["shape"]:
        hint = f"the numbers of {name!r} are those of `{ways[0]}`"
        scope.report("E112", "`init` fills a shape", _at(node, "init", span), suggestion=hint)
    elif ways == ["from"]:
        _check_source(scope, item, node)
        if node.args.get("dtype") is not None:
            hint = "convert what it is computed from"
            at = _at(node, "dtype", span)
            scope.report("E112", "`dtype` is that of `from`", at, suggestion=hint)
    elif ways == ["value"]:
        _check_value(scope, node, span)
    else:
        _check_init(scope, item, node)
    _check_gradient(scope, node, what, span)
    if node.mode != "always":
        message = f"{what} {name!r} would be there in {node.mode} alone, but it is made once"
        hint = "say `when` on what takes it"
        scope.report("E208", message, span, suggestion=hint)
    if len(scope.state.log) > before:
        raise Poisoned


def _at(node: Node, argument: str, span: Span) -> Span:
    arg = node.args.get(argument)
    return arg.span if arg is not None and arg.span is not None else span


def _check_value(scope: Scope, node: Node, span: Span) -> None:
    value = node.args["value"].value
    if not _regular(value, extent(value)):
        scope.report(
            "E114",
            f"the value of {node.name!r} is no tensor",
            _at(node, "value", span),
            expected=_MIXED,
        )


def _regular(value: object, shape: tuple[int, ...]) -> bool:
    if not shape:
        return type(value) in (float, bool) or (type(value) is int and abs(value) < LARGEST)
    if not isinstance(value, tuple) or len(value) != shape[0]:
        return False
    return all(_regular(item, shape[1:]) for item in value)


def _check_init(scope: Scope, item: Item, node: Node) -> None:
    arg = node.args.get("init")
    if arg is None:
        return
    written = item.template.args.get("init")
    raw = written.raw if written is not None else text("init", item.template.key)
    value = arg.value if isinstance(arg.value, dict) else {"op": arg.value}
    args = {name: given for name, given in value.items() if name != "op"}
    problems = initialisers.problems(value.get("op", ""), args)
    if initialisers.report(scope.state, raw, problems, scope.site):
        return
    shape = node.type.shape if isinstance(node.type, Tensor) else ()
    initialiser = initialisers.of_parameter(arg)
    wanted = unmet(initialiser, shape)
    if wanted is not None:
        scope.report(
            "E212",
            f"{initialiser.name} cannot fill {node.name!r}",
            arg.span,
            expected=wanted,
            found=f"the shape {show(shape)}",
        )


def _check_gradient(scope: Scope, node: Node, what: str, span: Span) -> None:
    dtype = node.type.dtype if isinstance(node.type, Tensor) else ""
    learned = node.args.get("requires_grad")
    if what == "parameter" and (learned is None or learned.value) and "float" not in dtype:
        scope.report(
            "E206",
            f"a parameter of {dtype} cannot be learned",
            _at(node, "dtype", span),
            suggestion="give it a float dtype or requires_grad: false, or make it a buffer",
        )


def _check_source(scope: Scope, item: Item, node: Node) -> None:
    """That a buffer's operand is made of nodes without inputs."""
    made = {other.name: other for entry in scope.items for other in entry.made}
    way = _way(scope, made, node, {})
    if way is None:
        return
    scope.report(
        "E208",
        f"buffer {node.name!r} is made once, but {way[-1]}",
        node.operands[0].span or item.template.span,
        found=" <- ".join([node.name, *way[:-1]]),
        suggestion="it can be computed from functions without operands, and from buffers",
    )


def _way(
    scope: Scope, made: dict[str, Node], node: Node, known: dict[str, list[str] | None]
) -> list[str] | None:
    """How a node hangs on what is known only in `forward`: names, and at last the reason."""
    reads = [edge.source for edge in node.operands]
    for arg in node.args.values():
        if arg.free:
            return [f"an argument of {node.name!r} is computed in `forward`"]
    for name in reads:
        if name not in known:
            known[name] = _reason(scope, made, name, known)
        if known[name] is not None:
            return known[name]
    return None


def _reason(
    scope: Scope, made: dict[str, Node], name: str, known: dict[str, list[str] | None]
) -> list[str] | None:
    if name in scope.takes:
        return [name, f"{name!r} is an input"]
    node = made[name]
    call = node.call
    if isinstance(call, Op):
        if call.own and call.parameters is None:
            return None
        if call.own:
            return [name, f"{name!r} is a parameter, which is filled later and learned"]
        if call.training:
            return [name, f"{name!r} differs between training and evaluation"]
        if not call.layer:
            way = _way(scope, made, node, known)
            return None if way is None else [name, *way]
        return [name, f"{name!r} is a layer"]
    if call is None:
        way = _way(scope, made, node, known)
        return None if way is None else [name, *way]
    return [name, f"{name!r} is a module of its own"]
