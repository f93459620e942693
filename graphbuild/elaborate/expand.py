"""The nodes of a scope, expanded: repetitions as turns, each with its name and what it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from graphbuild import expr, ops
from graphbuild.elaborate import repeat, sharing
from graphbuild.elaborate.operands import Wired
from graphbuild.elaborate.state import Poisoned
from graphbuild.elaborate.written import Nested, NodeTemplate, ScopeTemplate
from graphbuild.errors import Note
from graphbuild.ir import Arg, Loop, Node, Variable
from graphbuild.modes import Mode
from graphbuild.names import problem
from graphbuild.ops.base import MISSING, Op
from graphbuild.ops.types import YES_NO

if TYPE_CHECKING:
    from graphbuild.elaborate.scope import Scope

# An op, a block's name, a group, another spec, or null: left out.
Target = Op | str | ScopeTemplate | Nested | None


class Item:
    """A node of one scope, while it is built."""

    __slots__ = (
        "broken", "condition", "loop", "made", "name", "owner", "present", "span", "target",
        "template", "times", "turns", "visible", "when", "wires",
    )  # fmt: skip

    def __init__(
        self, template: NodeTemplate, visible: dict[str, Variable], loop: Loop | None
    ) -> None:
        self.template = template
        self.span = template.span
        self.visible = visible
        self.loop = loop
        self.owner: Item | None = None  # whose module it calls again
        self.times: Arg | None = None  # how often one module is applied
        self.turns: list[Loop] | None = None  # of a repetition under a plain name
        self.name = ""
        self.target: Target = None
        self.condition: Arg | None = None
        self.present: bool | None = None  # None: not known yet
        self.when: Arg | None = None  # what its own `when` says, a Mode
        self.wires: tuple[Wired, ...] | None = ()  # None: some are wrong
        self.broken = False
        self.made: list[Node] = []

    @property
    def mode(self) -> Mode:
        """When it is there, apart from what it takes."""
        mode: Any = "always" if self.when is None else self.when.value
        return mode  # type: ignore[no-any-return]


def expand(scope: Scope) -> None:
    """The items of the scope: every written node, or its turns, with names and targets."""
    if scope.repeated is not None:
        template, turns = scope.repeated
        if template.repeat is not None:  # what its turns run over is read from around
            scope.note(template.repeat.names, None)
            if not turns:
                scope.empty += [value.expr for value in template.repeat.values]
        for loop in turns:
            _add(scope, template, repeat.bound(scope.visible, loop), loop)
        return
    scope.state.count(len(scope.template.nodes))
    for template in scope.template.nodes:
        again = template.repeat
        if again is None or template.broken:
            _add(scope, template, scope.visible, None)
            continue
        turns_ = repeat.turns(scope, template, again)
        scope.state.carry(len(turns_ or ()) * len(scope.visible))
        if turns_ is None:
            template_item = _add(scope, template, scope.visible, None)
            template_item.broken = True
        elif template.again and again.count is not None:
            times = Arg(len(turns_), again.count.expr, again.span)
            scope.empty += [] if turns_ else [again.count.expr]
            _add(scope, template, scope.visible, None, times=times)
        elif template.name is None and not scope.listed:
            _add(scope, template, scope.visible, None, turns_)
        else:
            scope.state.count(len(turns_))
            if not turns_:
                scope.empty += [value.expr for value in again.values]
            for loop in turns_:
                _add(scope, template, repeat.bound(scope.visible, loop), loop)


def _add(
    scope: Scope,
    template: NodeTemplate,
    visible: dict[str, Variable],
    loop: Loop | None,
    turns: list[Loop] | None = None,
    times: Arg | None = None,
) -> Item:
    item = Item(template, visible, loop)
    item.turns, item.times = turns, times
    item.broken = template.broken
    try:
        if not item.broken:
            item.target = _target(scope, item)
            left_out = item.target is None or (times is not None and not times.value)
            item.present = False if left_out else None
            if scope.listed and item.present is None:
                decide(scope, item)
        item.name = _name(scope, item)
    except Poisoned:
        item.broken = True
        item.name = str(template.key) if template.name is None else ""
        scope.loose = True
    scope.sound &= not item.broken
    scope.items.append(item)
    if item.name:
        scope.index[item.name] = len(scope.items) - 1
    return item


def _target(scope: Scope, item: Item) -> Target:
    template = item.template
    if template.group is not None:
        return template.group
    if template.share is not None:
        item.owner = sharing.owner(scope, item, template.share)
        return item.owner.target
    if template.nested is not None:
        return template.nested
    name: object = template.op
    if template.op_value is not None:
        _check_op(scope, item)
        name = scope.fixed(template.op_value, item, "an op", nodes=False)
        if name is None:
            return None
    if isinstance(name, str):
        if name in scope.templates.blocks:
            return name
        op = ops.get(name)
        if op is not None:
            return op
    span = template.spec.op.span if template.spec.op is not None else template.span
    known = scope.templates.known
    hint = scope.state.nearest(name, known) if isinstance(name, str) else None
    scope.report("E111", f"unknown op {name!r}", span, about=str(name), suggestion=hint)
    raise Poisoned


def _check_op(scope: Scope, item: Item) -> None:
    """That the op of a repetition under a plain name reads nothing of its turns."""
    value, again = item.template.op_value, item.template.repeat
    if value is None or again is None or item.loop is not None:
        return
    for name in sorted(value.names & {"i", *again.over}):
        if name not in item.visible:
            error = expr.ExprError("E123", f"{name!r} has no value where the op is chosen")
            error.suggestion = "one op is chosen for all turns; a name with $(i) makes siblings"
            scope.failed(value, error)
            raise Poisoned


def decide(scope: Scope, item: Item) -> None:
    """Whether the node is built."""
    condition = item.template.condition
    if condition is None or (item.turns is not None and repeat.reads(condition, item.turns)):
        item.present = True
        return
    found = scope.fixed(condition, item, "an `if`", nodes=not scope.listed)
    if condition.constant is not MISSING and isinstance(found, str):
        meant = YES_NO.get(found.lower())
        scope.report(
            "E103",
            "`if` takes true, false or an expression",
            condition.span,
            found=f"the text {found!r}",
            suggestion=f"write {meant}" if meant else None,
        )
        raise Poisoned
    item.condition = Arg(found, condition.expr, condition.span)
    item.present = bool(found)


def _name(scope: Scope, item: Item) -> str:
    if scope.listed:
        if item.present is False:
            return f"{len(scope.items)}?"
        scope.built += 1
        return str(scope.built - 1)
    value = item.template.name
    if value is None:
        return str(item.template.key)
    name = str(scope.fixed(value, item, "a name", nodes=False))
    key = item.template.key
    container: Literal["dict", "list"] = "list" if scope.connect == "chain" else "dict"
    reason = problem(name, container)
    if reason:
        scope.report("E104", f"{name!r} is not a usable name: {reason}", key.span)
        raise Poisoned
    other = scope.index.get(name)
    if other is not None or name in scope.values:
        first = scope.items[other].template.key.span if other is not None else None
        note = [Note("it is defined here already", first)] if first else []
        hint = "its turns need names that differ: a name with $(i)" if item.loop else None
        scope.report(
            "E106", f"the name {name!r} is defined twice", key.span, notes=note, suggestion=hint
        )
        raise Poisoned
    return name
