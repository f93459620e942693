"""The language as a JSON Schema (2020-12), for editors: keys, ops, arguments, types and defaults.

It is looser than `check` where only elaboration knows: an argument may come from `defaults`, so
none is required, and an expression may stand wherever a value may.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from graphbuild import ops
from graphbuild.ops.base import MISSING, Op
from graphbuild.ops.types import expected, json_schema
from graphbuild.spec import kinds
from graphbuild.spec.error import VERSION
from graphbuild.spec.scope import EVERY, KINDS

Schema = dict[str, Any]

FILE = "graphbuild.schema.json"  # what editors look for, by the first line of a spec
MODELINE = f"# yaml-language-server: $schema={FILE}"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAME = r"^[^.$\s]+$"  # of a node or an input
# Characters of words: those of ASCII are told apart, all others fit. What \w means differs by language.
_WORD = r"[^\x00-/:-@\[-^`{-\x7f]"
_VARIABLE = rf"^[^\x00-@\[-^`{{-\x7f]{_WORD}*$"  # of what an expression reads
_BLOCK = rf"^[^\x00-^`{{-\x7f]{_WORD}*$"  # the same, and no capital first
_TITLE = rf"^{_WORD}[^\x00-,./:-@\[-^`{{-\x7f]*$"  # of a spec: words and dashes


def schema() -> Schema:
    """The schema of a spec. It refers to nothing outside of itself."""
    return {
        "$schema": DIALECT,
        "title": "graphbuild spec",
        "description": f"Version {VERSION} of the language of graphbuild.",
        "type": "object",
        "anyOf": [{"required": ["inputs", "nodes"]}, {"required": ["extends"]}],
        "required": ["graphbuild"],
        "additionalProperties": False,
        "properties": {**_SPEC, **_SCOPE},
        "$defs": {
            **_DEFINITIONS,
            "defaults": {
                "type": "object",
                "properties": {op.name: _ref(op.name) for op in _every()},
                "additionalProperties": _VALUES,  # of a block
            },
            "node": _node(),
            **_types(),
            **_ops(),
        },
    }


def schema_text() -> str:
    """The schema as it stands in a file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


@cache
def _every() -> tuple[Op, ...]:
    found = (ops.get(name) for name in ops.names())
    return tuple(op for op in found if op is not None)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _told(description: str, schema: Schema) -> Schema:
    return {"description": description, **schema}


def _map(values: Schema, names: str = _NAME) -> Schema:
    """A mapping; a name may hold expressions."""
    pattern = {"anyOf": [{"pattern": names}, {"pattern": r"\$"}]}
    return {"type": "object", "propertyNames": pattern, "additionalProperties": values}


def _object(properties: Schema, required: Sequence[str] = ()) -> Schema:
    made = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": list(required)} if required else made


def _any_of(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def _either(condition: Schema, then: Schema, otherwise: Schema) -> Schema:
    """One of two by what the value is; unlike `anyOf`, it lets an editor say what is wrong."""
    return {"if": condition, "then": then, "else": otherwise}


def _or_expression(schema: Schema) -> Schema:
    return _either({"type": "string", "pattern": r"\$"}, {"type": "string"}, schema)


_COUNT = _or_expression({"type": "integer", "minimum": 0})
_LIST, _MAPPING = {"type": "array"}, {"type": "object"}
_POSITIVE = {"type": "integer", "minimum": 1}
_TEXT = {"type": "string"}
_VALUES = _MAPPING
_REFERENCE = {"type": ["string", "integer", "boolean"]}  # a name may look like a number
_REFERENCES = _any_of(
    _REFERENCE,
    {"type": "array", "items": _REFERENCE, "minItems": 1},
    {"type": "object", "additionalProperties": _REFERENCE, "minProperties": 1},
)

_SCOPE: Schema = {
    "nodes": _told("The graph: a mapping of names to nodes, or a list.", _ref("nodes")),
    "connect": _told("How nodes without `from` are wired.", {"enum": list(kinds.CONNECT)}),
    "outputs": _told("What is returned: a name, a list or a mapping.", _REFERENCES),
    "params": _told("What callers may set, with defaults.", _map({}, _VARIABLE)),
    "let": _told("Values derived from params.", _map({}, _VARIABLE)),
    "doc": _told("What it is; becomes a docstring.", _TEXT),
}

_SPEC: Schema = {
    "graphbuild": _told("The version of the language.", {"const": VERSION}),
    "name": _told("Names the class and the file.", {"type": "string", "pattern": _TITLE}),
    "extends": _told("The spec that this one is a member of the family of.", _TEXT),
    "inputs": _told("Shapes and dtypes by name.", _map(_ref("input"))),
    "dims": _told("Ranges of free dimensions.", _map(_ref("dimension"), _VARIABLE)),
    "defaults": _told("Arguments for every node of an op or block.", _ref("defaults")),
    "blocks": _told("Reusable subgraphs.", _map(_ref("block"), _BLOCK)),
    "expect": _told(
        "What must come out, checked on every compile.",
        _object(
            {
                "parameters": {"type": "integer", "minimum": 0},
                "outputs": _map({"type": "array"}),
            }
        ),
    ),
    "init": _told(
        "How parameters are initialised.",
        {"type": "array", "items": {"type": "object", "required": ["match"]}},
    ),
}

_DEFINITIONS: Schema = {
    "nodes": _either(
        _LIST,
        {"items": _ref("node"), "minItems": 1},
        {**_map(_ref("node")), "minProperties": 1},
    ),
    "size": _any_of(_POSITIVE, {"type": "string"}),
    "shape": {"type": "array", "items": _ref("size")},
    "input": _either(
        _LIST,
        _ref("shape"),
        _object(
            {"shape": _ref("shape"), "dtype": {"enum": list(kinds.DTYPES)}, "doc": _TEXT},
            ["shape"],
        ),
    ),
    "dimension": _object({"multiple": _POSITIVE, "min": _POSITIVE, "max": _POSITIVE}),
    "block": _object(
        {
            **_SCOPE,
            "inputs": _told("The names of its inputs.", {"type": "array", "items": _REFERENCE}),
            "rest": _told("The node that takes what the block does not declare.", _REFERENCE),
        },
        ["nodes"],
    ),
    "operands": _told(
        "What it takes; without it, the node above.",
        {"type": ["string", "integer", "boolean", "array", "object"], "minItems": 1},
    ),
    "condition": {"type": ["boolean", "string"]},
}

# The keys of nodes. Those of one kind of node stand beside those of every node.
_KEYS: Schema = {
    "from": _ref("operands"),
    "if": _told("Whether it is built; if not, its first operand passes.", _ref("condition")),
    "when": _told("Whether it is there: may depend on `training`.", _ref("condition")),
    "repeat": _told(
        "How often, or variables and what they run over.", _either(_MAPPING, _VALUES, _COUNT)
    ),
    "doc": _TEXT,
    "args": _told("Arguments, where a name is also a key of the language.", _VALUES),
    "tie": _told("Parameters that are those of another layer.", _map(_TEXT)),
    "connect": _SCOPE["connect"],
    "inputs": {"type": "array", "items": _REFERENCE},
    "outputs": _REFERENCES,
    "params": _VALUES,
    "cases": _told(
        "What there is to choose from: nodes, or one that `repeat` makes several of.",
        _either(
            _any_of({**_MAPPING, "required": ["op"]}, {**_MAPPING, "required": ["nodes"]}, _TEXT),
            _ref("node"),
            _ref("nodes"),
        ),
    ),
    "top_k": _told("How many cases of each sample are computed.", _or_expression(_POSITIVE)),
    "nodes": _ref("nodes"),
    "spec": _told("A file, or a bundled spec.", _TEXT),
    "switch": _told("One case for the whole batch.", _REFERENCE),
    "route": _told("Each sample goes to its own case.", _REFERENCE),
    "mixture": _told("The sum of the cases, weighted by a gate.", _REFERENCE),
}

_TURNS = {"share": _told("Whether all turns of `repeat` are one module.", {"type": "boolean"})}


def _node() -> Schema:
    """A node: the name of an op, or a mapping with one of `KINDS`."""
    layers = [op.name for op in _every() if op.layer]
    functions = [op.name for op in _every() if not op.layer]
    # A layer is one of ours; snake_case may be a block of the spec as well.
    block = {"type": "string", "pattern": _BLOCK}
    op = _or_expression(
        _either({"pattern": "^[A-Z]"}, {"enum": layers}, _any_of({"enum": functions}, block))
    )
    chosen = {
        kind: _for_op() if kind == "op" else _kind(kind, keys) for kind, keys in KINDS.items()
    }
    none = {"not": _any_of(*map(_makes, KINDS))}
    return _either(
        _MAPPING,
        {
            "properties": {"op": op},
            # judged by the key that makes it a node, so that an editor speaks of that alone
            "allOf": [
                {"if": none, "then": {"required": ["op"]}},
                *({"if": _makes(kind), "then": made} for kind, made in chosen.items()),
            ],
        },
        _told("An op, or a block of this spec.", op),
    )


def _makes(kind: str) -> Schema:
    """Whether a mapping is a node of that kind."""
    made: Schema = {"required": [kind]}
    if kind == "share":  # `share: true` stands beside another
        made["properties"] = {"share": {"not": {"type": "boolean"}}}
    return made


def _kind(kind: str, keys: Iterable[str]) -> Schema:
    given = {key: _KEYS[key] for key in (*EVERY, *keys) if key in _KEYS}
    if kind == "share":
        given["share"] = _told("The node whose module is called again.", _REFERENCE)
    else:
        given[kind] = _KEYS[kind]
    if "share" in keys:
        given.update(_TURNS)
    return _object(given, [kind, "cases"] if "cases" in keys else [kind])


def _for_op() -> Schema:
    return {
        "properties": {
            **{key: _KEYS[key] for key in (*EVERY, *KINDS["op"]) if key in _KEYS},
            **_TURNS,
        },
        "allOf": [
            {"if": {"properties": {"op": {"const": op.name}}}, "then": _ref(op.name)}
            for op in _every()
        ],
    }


def _ops() -> Schema:
    """By the name of an op: the keys of its nodes, with its arguments."""
    return {op.name: _op(op) for op in _every()}


def _op(op: Op) -> Schema:
    own: Schema = {}
    for argument in op.arguments:
        if argument.name in EVERY:
            continue  # stands under args
        own[argument.name] = made = _ref(_type_name(argument.type))
        if argument.default is not MISSING:
            made["default"] = argument.default
    keys = [*own, "op", *EVERY, *KINDS["op"]]
    return {"description": op.doc, "properties": own, "propertyNames": {"enum": keys}}


def _types() -> Schema:
    """The types of arguments; an expression may stand for any value."""
    found = sorted({argument.type for op in _every() for argument in op.arguments})
    return {
        _type_name(text): _told(expected(text), _or_expression(_filled(json_schema(text))))
        for text in found
    }


def _filled(schema: Schema) -> Schema:
    """A type in which an expression may stand for any item of a list or a mapping."""
    made = dict(schema)
    if "anyOf" in made:
        made["anyOf"] = [_filled(one) for one in made["anyOf"]]
    if "prefixItems" in made:
        made["prefixItems"] = [_or_expression(_filled(one)) for one in made["prefixItems"]]
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = _or_expression(_filled(made[key]))
    return made


def _type_name(text: str) -> str:
    """What a type is called among the definitions, in the characters of a URL's fragment."""
    return "type_" + "_".join(re.findall(r"\w+", text))
