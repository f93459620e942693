"""The language as pydantic models: which keys there are, and what kind of value each takes.

The models hold the data of `source` unchanged where later stages give it its meaning: arguments,
expressions, references. Each model is built from a mapping by `_fields`, which adds what is wrong
with the keys to the findings and hands the rest on, so that all mistakes are told at once.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, ValidationError

from graphbuild.errors import Finding, Note, Source, SpecError, sort
from graphbuild.source import MAX_FINDINGS, Map, Seq, Text, Value, text
from graphbuild.spec import kinds as kinds
from graphbuild.spec.error import VERSION, Places, misfit, misplaced
from graphbuild.spec.kinds import Items, Mapping, Name, Raw, Values, Words, is_empty, wrong
from graphbuild.spec.model import Fields, Findings, Model, TooMany
from graphbuild.spec.names import DIMENSION as DIMENSION
from graphbuild.spec.names import check_dims, check_spec, is_size
from graphbuild.spec.scope import MAX_NODES as MAX_NODES
from graphbuild.spec.scope import Block as Block
from graphbuild.spec.scope import Include as Include
from graphbuild.spec.scope import NodeSpec as NodeSpec
from graphbuild.spec.scope import Routing as Routing
from graphbuild.spec.scope import Scope as Scope

MAX_PATTERN = 1_000  # characters


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

    def __str__(self) -> str:
        most = f", at most {self.max}" if self.max is not None else ""
        multiple = f", a multiple of {self.multiple}" if self.multiple > 1 else ""
        return f"at least {self.min}{most}{multiple}"

    def holds(self, size: int) -> bool:
        above = self.max is not None and size > self.max
        return size >= self.min and size % self.multiple == 0 and not above

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
        if isinstance(shape, Seq) and len(shape) > kinds.MAX_RANK:
            most = f"at most {kinds.MAX_RANK} dimensions"
            findings.append(misfit("too many dimensions", shape, most))
            return fields
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
        pattern = dict[Any, Any](data).get("match")
        if isinstance(pattern, Text) and len(pattern) > MAX_PATTERN:
            most = f"at most {MAX_PATTERN:,} characters"
            findings.append(misfit("too long a pattern", pattern, most))
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


class Extension(Model):
    """A spec that is another one with other params, name, doc and expectations."""

    what = "a spec that extends another"
    form = "a mapping with extends"
    graphbuild: Any
    extends: Name
    name: Name
    doc: Words = ""
    params: Values = Field(default_factory=dict)
    expect: Expect | None = None

    @classmethod
    def _fields(cls, data: Any, findings: Findings) -> Fields:
        own = Map((key, data[key]) for key in data if key in cls.keys or key not in Spec.keys)
        own.source, own.place = data.source, data.place
        for key in data:
            if key not in own:
                message = f"a spec that extends another takes {str(key)!r} from there"
                hint = "its own are name, doc, params and expect"
                findings.append(Finding("E101", message, key.span, suggestion=hint))
        fields = super()._fields(own, findings)
        check_head(fields, data, findings)
        return fields


class Spec(Scope):
    """A whole spec. `read` adds the specs that it is made of."""

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
    _files: tuple[Text, ...] = PrivateAttr(())  # what nodes name with `spec`
    _specs: dict[str, Spec] = PrivateAttr(default_factory=dict)  # by such a name
    _declared: dict[str, Raw] = PrivateAttr(default_factory=dict)
    _ways: dict[Source, tuple[Note, ...]] = PrivateAttr(default_factory=dict)

    @property
    def source(self) -> Source:
        return self._span.source

    @property
    def declared(self) -> dict[str, Raw]:
        """Of params that got a value by `extends`, what they were declared with at first."""
        return self._declared

    @property
    def specs(self) -> dict[str, Spec]:
        """The specs that nodes of this one are, by what follows `spec`."""
        return self._specs

    @property
    def ways(self) -> dict[Source, tuple[Note, ...]]:
        """How the other files that it is made of are reached from this one, innermost first."""
        return self._ways

    def extended(self, by: Extension) -> Spec:
        """This spec with what an extension says."""
        given = {key: by.params.get(key, raw) for key, raw in self.params.items()}
        what = {"name": by.name, "doc": by.doc or self.doc, "params": given, "expect": by.expect}
        made = self.model_copy(update=what)
        made._span = by.span
        known = {str(key): raw for key, raw in self.params.items() if key in by.params}
        made._declared = {**known, **self._declared}
        return made

    @classmethod
    def _fields(cls, data: Any, findings: Findings) -> Fields:
        fields = super()._fields(data, findings)
        if "rest" in data:
            message = "only a block has 'rest': nobody passes arguments on to a spec"
            findings.append(misplaced(_key(data, "rest"), message))
        check_head(fields, data, findings)
        check_dims(fields, findings)
        return fields


def check_head(fields: Fields, data: Map, findings: Findings) -> None:
    """The name, by default that of the file, the names of blocks, and the version."""
    if "name" not in fields:
        stem = re.sub(r"[^\w-]+", "_", Path(data.source.name).stem).strip("_-")
        fields["name"] = text(stem[:100] or "net", data)
    version = fields.get("graphbuild")
    number = version.value if isinstance(version, Text) else None
    if version is not None and (type(number) is not int or number != VERSION):
        message = "unknown version of the language"
        findings.append(misfit(message, version, str(VERSION), "E105"))
    check_spec(fields, findings)


def parse_spec(data: Value, source: Source) -> Spec | Extension:
    """What located data holds; raises `SpecError` with every finding."""
    model = Extension if isinstance(data, Map) and "extends" in data else Spec
    findings = Findings()
    spec: Spec | Extension | None = None
    try:
        spec = model.model_validate(data, context=findings)
    except TooMany as error:
        raise SpecError([error.finding]) from None
    except ValidationError as error:
        places = Places(data)
        errors = error.errors(include_url=False, include_input=False)
        findings += [places.finding(item) for item in errors[:MAX_FINDINGS]]
    if findings or spec is None:
        raise SpecError(sort(findings)[:MAX_FINDINGS])
    if isinstance(spec, Spec):
        spec._files = tuple(findings.files)
    return spec
