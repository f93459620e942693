"""Scopes and their nodes as models: an op, a group, a shared layer, another spec, cases to choose of."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from graphbuild.source import MAX_FINDINGS, Map, Seq, Text, Value, text
from graphbuild.spec import kinds
from graphbuild.spec.error import misplaced, twice, unknown
from graphbuild.spec.kinds import Name, Raw, Values, Words, is_empty, wrong
from graphbuild.spec.model import Fields, Findings, Model, TooMany
from graphbuild.spec.names import check_repeat, check_scope

MAX_NODES = 12_000  # that are written
MAX_INPUTS = 1_000  # and outputs, of one scope
MAX_ARGUMENTS = 300  # of one node

# What makes a node, and the keys that go with it alone. Those of every node come first.
EVERY = ("from", "if", "when", "repeat", "doc")
KINDS: dict[str, tuple[str, ...]] = {
    "nodes": ("connect", "inputs", "outputs", "share"),
    "op": ("args", "share", "tie"),
    "share": (),
    "spec": ("params", "outputs", "share"),
    "switch": ("cases",),
    "route": ("cases",),
    "mixture": ("cases", "top_k"),
}
ROUTED = ("switch", "route", "mixture")
NO_CASE = {  # keys that a case does not have, and why
    "from": "a case takes what the node with cases takes: say 'from' there",
    "if": "a case is always built: say 'if' of a node inside of it, or of the node with cases",
    "when": "a case is always there: say 'when' of a node inside of it, or of the node with cases",
    **dict.fromkeys(ROUTED, "a case that chooses again is a group: {inputs: [...], nodes: [...]}"),
}


class Routing(Model):
    """How a node chooses among its cases: by the value of another node."""

    what = "a node with cases"
    form = "a node with cases"
    kind: Literal["switch", "route", "mixture"]
    by: Name
    top_k: Raw | None = None


class Include(Model):
    """Another spec as a node: its file (or the name of a bundled one), and where it is cut."""

    what = "a spec as a node"
    form = "a node with spec"
    file: Name
    params: Values = Field(default_factory=dict)
    outputs: kinds.Reference | None = None


class NodeSpec(Model):
    """A node. Its cases, where it has some, are the children of `group`."""

    what = "a group"
    form = "an op, or a mapping with op or nodes"
    op: Name | None = None
    from_: kinds.Operand | None = Field(default=None, alias="from")
    if_: kinds.Condition | None = Field(default=None, alias="if")
    when: kinds.Condition | None = None
    repeat: kinds.Count | None = None
    again: kinds.Flag = False  # `share: true`: the turns of `repeat` are one module
    share: Name | None = None  # the node whose module this one calls again
    tie: kinds.References = Field(default_factory=dict)
    args: Values = Field(default_factory=dict)
    group: Block | None = None
    include: Include | None = None
    routing: Routing | None = None
    doc: Words = ""

    @classmethod
    def is_leaf(cls, data: Any) -> bool:
        return not (isinstance(data, Map) and any(key in data for key in ("nodes", "cases")))

    @classmethod
    def _fields(cls, data: Any, findings: Findings) -> Fields:
        if isinstance(data, Text) and not is_empty(data):
            return {"op": data}
        if not isinstance(data, Map):
            hint = "a group is {nodes: [...]}" if isinstance(data, Seq) else None
            raise wrong(cls.form, data, hint)
        data = _meant(data, findings)
        fields: Fields = {key: value for key, value in data.items() if key in EVERY}
        check_repeat(fields.get("repeat"), findings)
        makes = [key for key in data if key in KINDS and not _is_flag(key, data)]
        if not makes:
            raise PydanticCustomError("no_op", "no op", {"data": data})
        made, *others = sorted(makes, key=list(KINDS).index)
        if others:
            words = "a node has an op with arguments, or nodes of its own, not both"
            if {"op", "nodes"} != {made, *others}:
                words = f"a node has one of {', '.join(KINDS)}, and {str(made)!r} is there already"
            groups = data.get("op") in ("Sequential", "ModuleList", "ModuleDict")
            hint = "leave op out: what has nodes is a group" if groups else None
            findings.extend(misplaced(key, words, hint) for key in others)
        rest = {key: value for key, value in data.items() if key not in EVERY and key not in makes}
        if made == "op":
            return _op(fields, data, rest, findings)
        known = (*EVERY, made, *KINDS[made])
        for key in list(rest):
            if key not in known and len(findings) < MAX_FINDINGS:
                if key in ("args", "tie") and made == "nodes":
                    words = "a node has an op with arguments, or nodes of its own, not both"
                    findings.append(misplaced(key, words))
                else:
                    what = cls.what if made == "nodes" else f"a node with {str(made)!r}"
                    findings.append(unknown(key, what, known))
        given: dict[str, Value] = {key: value for key, value in data.items() if key in known}
        if "share" in given and made != "share":
            fields["again"] = given["share"]
        if made == "share":
            fields["share"] = given["share"]
        elif made == "spec":
            inside = {k: v for k, v in given.items() if k in ("params", "outputs")}
            if isinstance(given["spec"], Text):
                findings.files.append(given["spec"])
            fields["include"] = _map({**inside, text("file", data): given["spec"]}, data)
        elif made == "nodes":
            inside = {
                k: v for k, v in given.items() if k in ("nodes", "connect", "inputs", "outputs")
            }
            fields["group"] = _map(inside, data)
        else:
            _cases(fields, data, made, given, findings)
        return fields


def _is_node(data: Map) -> bool:
    """Whether this is one node, and not a mapping of nodes by name."""
    file = any(key == "spec" and isinstance(value, Text) for key, value in data.items())
    return file or "op" in data or "nodes" in data


def _is_flag(key: Text, data: Map) -> bool:
    """Whether this is `share: true`, which says how a repetition turns."""
    value = data[key]
    return key == "share" and isinstance(value, Text) and isinstance(value.value, bool)


def _op(fields: Fields, data: Map, rest: dict[Text, Value], findings: Findings) -> Fields:
    written: dict[str, Value] = dict(data.items())
    fields["op"] = written["op"]
    for key, name in (("tie", "tie"), ("share", "again")):
        if key in rest:
            fields[name] = written[key]
    given = written.get("args", data)
    if isinstance(given, Map):
        args = {key: value for key, value in rest.items() if key not in KINDS["op"]}
        more = given if given is not data else {}
        if len(args) + len(more) > MAX_ARGUMENTS:
            raise TooMany(f"{MAX_ARGUMENTS} arguments of one node", given.span)
        keys = {key: key for key in args}
        findings.extend(twice(key, keys[key]) for key in more if key in keys)
        fields["args"] = _map({**args, **more}, given)
    else:
        fields["args"] = given
    return fields


def _cases(
    fields: Fields, data: Map, made: str, given: dict[str, Value], findings: Findings
) -> None:
    """A routed node: how it chooses, and its cases as the children of a group."""
    cases = given.get("cases")
    if cases is None:
        raise PydanticCustomError("no_cases", "no cases", {"data": data})
    if isinstance(cases, Text) or (isinstance(cases, Map) and _is_node(cases)):
        one = Seq([cases])  # {op: expert, repeat: 8}
        one.source, one.place = cases.source, cases.place
        cases = one
    for case in cases.values() if isinstance(cases, Map) else cases:
        for key in case if isinstance(case, Map) else ():
            if key in NO_CASE:
                findings.append(misplaced(key, NO_CASE[key]))
    inner = {"nodes": cases, "connect": text("parallel", data)}
    fields["group"] = _map({text(k, data): v for k, v in inner.items()}, data)
    inside: dict[str, Value] = {"kind": text(made, data), "by": given[made]}
    inside.update((k, v) for k, v in given.items() if k == "top_k")
    fields["routing"] = _map({text(k, data): v for k, v in inside.items()}, data)


def _meant(data: Map, findings: Findings) -> Map:
    """The data, its `op` or `nodes` mended where that is misspelt."""
    if "op" in data or "nodes" in data:
        return data
    for key, value in islice(data.items(), 20):
        near = get_close_matches(key.lower(), ("op", "nodes"), 1, 0.8)
        if near and isinstance(value, Text) == (near[0] == "op"):
            findings.append(unknown(key, "a node", near))
            meant = text(near[0], key)
            return _map({meant if k is key else k: v for k, v in data.items()}, data)
    return data


def _map(items: dict[Any, Any], at: Value) -> Map:
    out = Map(items)
    out.source, out.place = at.source, at.place
    return out


class Children(dict[Text, NodeSpec]):
    """The nodes of a scope by name, and whether they were written as a list."""

    listed: bool = False


def _children(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Children:
    if not isinstance(value, Map | Seq) or not value:
        words = value.split() if isinstance(value, Text) else []
        hint = f"a colon is missing: {words[0]}: {words[1]}" if len(words) == 2 else None
        raise wrong("a mapping or a list of at least one node", value, hint)
    findings: Any = info.context
    findings.nodes += len(value)
    if findings.nodes > MAX_NODES:
        hint = "say what occurs often once, in a block or with `repeat`"
        raise TooMany(f"{MAX_NODES:,} nodes", value.span, hint)
    listed = isinstance(value, Seq)
    if listed:
        value = _map({text(str(i), item): item for i, item in enumerate(value)}, value)
    out = Children(handler(value))
    out.listed = listed
    for key, node in out.items():
        node._span = key.span
    return out


class Scope(Model):
    """Nodes that see each other: the spec, a block, or an inline group."""

    children: Annotated[dict[Text, NodeSpec], WrapValidator(_children)] = Field(alias="nodes")
    connect: kinds.Connect = "chain"
    inputs: Any = ()
    outputs: kinds.Reference | None = None
    params: Values = Field(default_factory=dict)
    let: Values = Field(default_factory=dict)
    rest: Name | None = None
    doc: Words = ""

    @cached_property
    def nodes(self) -> tuple[tuple[Text, NodeSpec], ...]:
        return tuple(self.children.items())

    @property
    def listed(self) -> bool:
        return isinstance(self.children, Children) and self.children.listed

    @classmethod
    def _fields(cls, data: Any, findings: Findings) -> Fields:
        fields = super()._fields(data, findings)
        for key in ("inputs", "outputs"):
            if isinstance(fields.get(key), Map | Seq) and len(fields[key]) > MAX_INPUTS:
                raise TooMany(f"{MAX_INPUTS:,} {key} of one scope", fields[key].span)
        check_scope(fields, findings)
        return fields


class Block(Scope):
    """A reusable scope, or an inline group; `inputs` are the names it declares for them."""

    what = "a block"
    form = "a mapping with nodes"
    inputs: kinds.Names = ()
