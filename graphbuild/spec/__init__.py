"""The language as pydantic models: which keys there are, and what kind of value each takes.

The models hold the data of `source` unchanged where later stages give it its meaning: arguments,
expressions, references. Each model is built from a mapping by `_fields`, which adds what is wrong
with the keys to the findings and hands the rest on, so that all mistakes are told at once.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from graphbuild.errors import Finding, Source, SpecError, sort
from graphbuild.source import MAX_FINDINGS, Map, Seq, Text, Value, text
from graphbuild.spec import kinds as kinds
from graphbuild.spec.error import LATER, VERSION, Places, later, misfit, misplaced, twice, unknown
from graphbuild.spec.kinds import Items, Mapping, Name, Raw, Values, Words, is_empty, wrong
from graphbuild.spec.model import Fields, Findings, Model
from graphbuild.spec.names import DIMENSION as DIMENSION
from graphbuild.spec.names import check_dims, check_repeat, check_scope, check_spec, is_size

LATER_OPS = frozenset({"parameter", "buffer"})


def _key(data: Map, name: str) -> Text:
    """The key itself, which knows its place."""
    return next(key for key in data if key == name)


class DimRange(Model):
    """What sizes a free dimension may take."""

    what = "a dimension"
    form = "a mapping with multiple, min or max"
    multiple: kinds.Positive = 1
    min: kinds.Positive = 1
    max: kinds.Positive | None = None

    @classmethod
    def _fields(cls, data: Any, findings: Findings) -> Fields:
        fields = super()._fields(data, findings)
        given = {key: getattr(fields.get(key), "value", None) for key in cls.keys}
        least, most, multiple = given["min"] or 1, given["max"], given["multiple"] or 1
        if type(least) is type(most) is type(multiple) is int and multiple > 0:
            first = -(-least // multiple) * multiple
            if first > most:
                findings.append(misfit("a range without sizes", fields["max"], f"at least {first}"))
        return fields


class InputSpec(Model):
    """An input of the spec: its shape (sizes, free dimensions, expressions) and dtype."""

    what = "an input"
    form = "a list of sizes, or a mapping with shape and dtype"
    shape: kinds.Shape
    dtype: kinds.Dtype = "float32"
    doc: Words = ""

    @classmethod
    def _fields(cls, data: Any, findings: Findings) -> Fields:
        fields = {"shape": data} if isinstance(data, Seq) else super()._fields(data, findings)
        shape = fields.get("shape")
        for item in shape if isinstance(shape, Seq) else ():
            if not is_size(item):
                expected = "a size, a name, a name with an example size as in H=224, or $name"
                findings.append(misfit("not a dimension of an input", item, expected))
        return fields


class Expect(Model):
    """What the spec promises of itself, checked whenever it is elaborated."""

    what = "'expect'"
    form = "a mapping with parameters or outputs"
    parameters: kinds.Natural | None = None
    outputs: Annotated[dict[Text, kinds.Shape], Mapping] = Field(default_factory=dict)


class InitSpec(Model):
    """A rule of initialisation: which layers, and an initialiser per parameter name."""

    form = "a mapping with match and an initialiser per parameter"
    match: Name
    parameters: dict[Text, Raw]

    @classmethod
    def _fields(cls, data: Any, findings: Findings) -> Fields:
        if not isinstance(data, Map):
            raise wrong(cls.form, data)
        rules = {key: value for key, value in data.items() if key != "match"}
        for key, value in rules.items():
            named = isinstance(value, Text) and not is_empty(value)
            if not named and not (isinstance(value, Map) and "op" in value):
                expected = "a name such as zeros, or {op: name, ...} with its arguments"
                findings.append(misfit(f"{str(key)!r} takes an initialiser", value, expected))
        if not rules and "match" in data:
            message = "a rule of initialisation without an initialiser"
            hint = "give one per parameter, such as weight: kaiming_normal"
            findings.append(Finding("E102", message, _key(data, "match").span, suggestion=hint))
        return {"parameters": rules} | {key: data[key] for key in data if key == "match"}


class NodeSpec(Model):
    """A node: an op (or a block) with arguments, or an inline group."""

    what = "a group"
    form = "an op, or a mapping with op or nodes"
    op: Name | None = None
    from_: kinds.Operand | None = Field(default=None, alias="from")
    if_: kinds.Condition | None = Field(default=None, alias="if")
    repeat: kinds.Count | None = None
    args: Values = Field(default_factory=dict)
    group: Block | None = None
    doc: Words = ""

    @classmethod
    def is_leaf(cls, data: Any) -> bool:
        return not (isinstance(data, Map) and "nodes" in data)

    @classmethod
    def _fields(cls, data: Any, findings: Findings) -> Fields:
        if isinstance(data, Text) and not is_empty(data):
            return {"op": data}
        if not isinstance(data, Map):
            raise wrong(cls.form, data)
        data = _meant(data, findings)
        fields: Fields = {key: value for key, value in data.items() if key in _NODE}
        rest = {key: value for key, value in data.items() if key not in _NODE}
        findings.extend(later(key) for key in rest if key in LATER)
        check_repeat(fields.get("repeat"), findings)
        if "nodes" in data:
            inner = {key: value for key, value in rest.items() if key in _GROUP}
            fields["group"] = _map(inner, data)
            known = (*_NODE[:4], *_GROUP)
            findings.extend(
                unknown(key, cls.what, known)
                for key in rest
                if key not in _GROUP and key not in LATER and len(findings) < MAX_FINDINGS
            )
            message = "a node has an op with arguments, or nodes of its own, not both"
            findings.extend(misplaced(key, message) for key in fields if key in _NODE[4:])
            return fields
        if "op" not in data and not any(key in LATER for key in data):
            raise PydanticCustomError("no_op", "no op", {"data": data})
        if str(data.get("op")) in LATER_OPS:
            findings.append(later(data["op"]))
        given = fields.get("args", data)
        if isinstance(given, Map):
            args = {key: value for key, value in rest.items() if key not in LATER}
            more = given if given is not data else {}
            own = {key: key for key in args}
            findings.extend(twice(key, own[key]) for key in more if key in own)
            fields["args"] = _map({**args, **more}, given)
        return fields


_NODE = ("from", "if", "repeat", "doc", "op", "args")
_GROUP = ("nodes", "connect", "inputs", "outputs")


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


def _children(value: Any, handler: ValidatorFunctionWrapHandler) -> Children:
    if not isinstance(value, Map | Seq) or not value:
        words = value.split() if isinstance(value, Text) else []
        hint = f"a colon is missing: {words[0]}: {words[1]}" if len(words) == 2 else None
        raise wrong("a mapping or a list of at least one node", value, hint)
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
        check_scope(fields, findings)
        return fields


class Block(Scope):
    """A reusable scope, or an inline group; `inputs` are the names it declares for them."""

    what = "a block"
    form = "a mapping with nodes"
    inputs: kinds.Names = ()


class Spec(Scope):
    """A whole spec."""

    what = "a spec"
    form = f"a mapping that begins with graphbuild: {VERSION}"
    graphbuild: Any
    name: Name
    inputs: Annotated[dict[Text, InputSpec], kinds.Inputs]
    dims: Annotated[dict[Text, DimRange], Mapping] = Field(default_factory=dict)
    defaults: Annotated[dict[Text, Values], Mapping] = Field(default_factory=dict)
    blocks: Annotated[dict[Text, Block], Mapping] = Field(default_factory=dict)
    expect: Expect | None = None
    init: Annotated[tuple[InitSpec, ...], Items] = ()

    @property
    def source(self) -> Source:
        return self._span.source

    @classmethod
    def _fields(cls, data: Any, findings: Findings) -> Fields:
        fields = super()._fields(data, findings)
        if "rest" in data:
            message = "only a block has 'rest': nobody passes arguments on to a spec"
            findings.append(misplaced(_key(data, "rest"), message))
        if "name" not in fields:
            stem = re.sub(r"[^\w-]+", "_", Path(data.source.name).stem).strip("_-")
            fields["name"] = text(stem[:100] or "net", data)
        version = fields.get("graphbuild")
        number = version.value if isinstance(version, Text) else None
        if version is not None and (type(number) is not int or number != VERSION):
            message = "unknown version of the language"
            findings.append(misfit(message, version, str(VERSION), "E105"))
        check_spec(fields, findings)
        check_dims(fields, findings)
        return fields


NodeSpec.model_rebuild()


def parse_spec(data: Value, source: Source) -> Spec:
    """The spec that located data holds; raises `SpecError` with every finding."""
    if isinstance(data, Map) and "extends" in data:  # the rest of the file makes no sense without
        raise SpecError([later(_key(data, "extends"))])
    findings = Findings()
    spec: Spec | None = None
    try:
        spec = Spec.model_validate(data, context=findings)
    except ValidationError as error:
        places = Places(data)
        errors = error.errors(include_url=False, include_input=False)
        findings += [places.finding(item) for item in errors[:MAX_FINDINGS]]
    if findings or spec is None:
        raise SpecError(sort(findings)[:MAX_FINDINGS])
    return spec
