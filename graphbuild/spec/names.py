"""The names that a spec gives: usable ones, and each given once."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from graphbuild import names
from graphbuild.errors import Finding
from graphbuild.source import MAX_FINDINGS, Map, Seq, Text, Value
from graphbuild.spec.error import twice, unknown_dimension, unusable

# A free dimension in an input's shape: `N`, or `H=224` with its example size.
DIMENSION = re.compile(r"([^\W\d]\w*)(?:=(.+))?")


MAX_VARIABLES = 300  # params and lets of one scope


def _no_variable(key: Text) -> Finding:
    if len(key) > names.MAX_NAME:
        reason = names.problem(key) or ""
    elif key == names.TRAINING:
        reason = "`when` reads by this word whether the module is in training"
    else:
        reason = "expressions cannot read a variable of this name"
    return unusable(key, reason)


def check_scope(fields: Mapping[Any, Any], findings: list[Finding]) -> None:
    """Params and lets; inputs and nodes, which share one set of names."""
    seen: dict[str, Text] = {}
    for section in (fields.get("params"), fields.get("let")):
        for key in section if isinstance(section, Map) else ():
            if not names.is_variable(key):
                findings.append(_no_variable(key))
            elif seen.setdefault(key, key) is not key:
                findings.append(twice(key, seen[key]))
            elif len(seen) == MAX_VARIABLES + 1:
                message = f"more than {MAX_VARIABLES} params and lets"
                findings.append(Finding("E004", message, key.span))
                break
    inputs, nodes = fields.get("inputs"), fields.get("nodes")
    declared: dict[str, Text] = {}
    if "graphbuild" in fields and isinstance(inputs, Seq):
        inputs = None  # a shape without a name, not names: told elsewhere
    for key in inputs if isinstance(inputs, Map | Seq) else ():
        if isinstance(key, Text) and declared.setdefault(key, key) is not key:
            findings.append(twice(key, declared[key]))
        elif isinstance(key, Text) and (reason := names.problem(key)):
            findings.append(unusable(key, reason))
    outputs = fields.get("outputs")
    for key in outputs if isinstance(outputs, Map) else ():
        if len(key) > names.MAX_NAME:
            findings.append(unusable(key, names.problem(key) or ""))
    # What is a chain may become an nn.Sequential, whose methods no child can hide.
    container: names.Container = "list" if fields.get("connect", "chain") == "chain" else "dict"
    for key in nodes if isinstance(nodes, Map) else ():
        if key in declared or (key == "input" and not declared):
            findings.append(twice(key, declared.get(key)))
        elif "$" not in key and (reason := names.problem(key, container)):
            findings.append(unusable(key, reason))


def check_repeat(value: Any, findings: list[Finding]) -> None:
    """The variables of a repetition."""
    for key in value if isinstance(value, Map) else ():
        if not names.is_variable(key):
            findings.append(_no_variable(key))


def check_spec(fields: Mapping[Any, Any], findings: list[Finding]) -> None:
    """The spec's own name, and those of its blocks."""
    name, blocks = fields.get("name"), fields.get("blocks")
    if isinstance(name, Text) and name and not re.fullmatch(r"\w[\w-]{0,99}", name):
        reason = "files and classes are named after it: letters, digits, - and _"
        findings.append(unusable(name, reason))
    for key in blocks if isinstance(blocks, Map) else ():
        # a block is no attribute, so it may be called as a module's own attributes are
        why = None if key in names.RESERVED["module"] else names.problem(key)
        if why is None and keyword.iskeyword(key):
            why = "it is a word of Python's own"
        elif why is None and key in names.FUNCTIONS:
            why = "expressions have a function of this name"
        elif why is None and (not names.is_variable(key) or key[0].isupper()):
            why = "a block is called in snake_case; CamelCase is for layers"
        if why is not None:
            findings.append(unusable(key, why))


def check_dims(fields: Mapping[Any, Any], findings: list[Finding]) -> None:
    """That ranges are given for dimensions that the inputs have."""
    dims, inputs = fields.get("dims"), fields.get("inputs")
    if not isinstance(dims, Map) or not isinstance(inputs, Map):
        return
    free: set[str] = set()
    for given in inputs.values():
        shape = dict[Any, Any](given).get("shape") if isinstance(given, Map) else given
        for item in shape if isinstance(shape, Seq) else ():
            match = DIMENSION.fullmatch(item) if isinstance(item, Text) else None
            free |= {match[1]} if match else set()
    unknown = (key for key in dims if key not in free)
    findings.extend(unknown_dimension(key, free) for key in islice(unknown, MAX_FINDINGS))


def is_size(item: Value) -> bool:
    """Whether an input's shape can hold this: a size, a name, `H=224`, an expression."""
    if not isinstance(item, Text):
        return False
    if not isinstance(item.value, str):
        return type(item.value) is int and item.value > 0
    if item.startswith("$"):
        return True
    match = DIMENSION.fullmatch(item)
    if match is None or not names.is_variable(match[1]):
        return False
    size = match[2]
    return size is None or size.startswith("$") or bool(re.fullmatch("0*[1-9][0-9]{0,17}", size))
