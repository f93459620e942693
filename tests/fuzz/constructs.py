"""Which constructs of the language a spec has, by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# What random specs have to have, in rows of a kind and what follows it; a list goes on where a
# row is indented.
_EVERY = """
block: doc | inputs | let | params | rest
case: nodes | op | spec
choice: cases by repeat | cases in a dict | cases in a list | mixture | mixture with top_k |
    route | switch
connect: chain | dense | parallel
expression: a bare name | a bare path | a whole value | inside of a text
from: a list | a merge | a merge in a merge | a name | a node below | a part | by the operands'
    names
function: abs | ceil | enumerate | float | floor | int | len | log | make_divisible | max | min
    | range | round | sqrt | sum | zip
init: a pattern | by op | by path | with arguments
input: a size by an expression | bool | float32 | int64 | long form | no dimension | several |
    short form
node: a block | a group | an op by a param | an op that is null | args | doc | if | inputs
    | share | share with if | share with repeat | spec | tie | when
nodes: dict | list
operator: a if c else b | and | arithmetic | attribute | chained comparison | channels |
    comparison | comprehension | height | in | index | is None | key | list | not | not in | or
    | power | shape | slice | text | whole division | width
outputs: dict | list | str
param: a default | bool | int | op
repeat: a count | a group | a variable | by a param | items | of a group, chain | of a group,
    dense | over a count | over a list | over a param | several variables | shared | shared,
    with a further operand | siblings
spec: cut, dict | cut, str | defaults | dims | expect | extends | init | inputs | let | params |
    whole | with params
"""
FUNCTIONS = """abs ceil enumerate float floor int len log make_divisible max min range round sqrt sum
zip""".split()
OPERATORS = {
    "and": r"\band\b", "or": r"\bor\b", "not": r"\bnot\b(?! in)", "in": r"(?<!not) in (?!\w+ if|\w+\]|range|zip|enumerate)",
    "not in": r"\bnot in\b", "is None": r"\bis None\b", "is not None": r"\bis not None\b", "a if c else b": r"\bif\b.*\belse\b",
    "index": r"\w\[-?\w+\]", "slice": r"\[[^\]]*:[^\]]*\]", "list": r"[(+ ]\[", "comprehension": r"\[.* for .*\]",
    "comparison": r"[<>]=?|[!=]=", "chained comparison": r"\d <=? \w+ <=? ", "arithmetic": r" [-+*/%] ",
    "power": r"\*\*", "whole division": "//", "attribute": r"[a-z]\w*\.w\b", "key": r"\['\w+'\]", "text": "'",
    "shape": r"\.shape\[", "channels": r"\.channels", "height": r"\.height", "width": r"\.width",
}  # fmt: skip
OVER = {list: "a list", str: "a param", int: "a count"}
MERGES = ("add", "mul", "concat", "stack", "sub")


def constructs(data: Any) -> Iterator[str]:
    """The constructs of a spec, some of them several times."""
    for key in data:
        if key not in ("nodes", "blocks", "connect", "outputs"):
            yield f"spec: {key}"
    for given in data.get("inputs", {}).values():
        yield "input: long form" if isinstance(given, dict) else "input: short form"
        shape = given["shape"] if isinstance(given, dict) else given
        yield f"input: {given.get('dtype', 'float32') if isinstance(given, dict) else 'float32'}"
        if any("$" in str(size) for size in shape):
            yield "input: a size by an expression"
        if not shape:
            yield "input: no dimension"
    if len(data.get("inputs", {})) > 1:
        yield "input: several"
    for rule in data.get("init", ()):
        yield "init: by op" if rule["match"][:1].isupper() else "init: by path"
        if "*" in rule["match"]:
            yield "init: a pattern"
        if any(isinstance(value, dict) for value in rule.values()):
            yield "init: with arguments"
    for block in data.get("blocks", {}).values():
        yield "block"
        yield from (f"block: {key}" for key in block if key not in ("nodes", "outputs", "connect"))
        for value in block.get("params", {}).values():
            words = ("int", "bool", "op", "float", "str", "list")
            yield f"param: {value}" if value in words else "param: a default"
        yield from scope(block, set(data.get("blocks", {})))
    yield from scope(data, set(data.get("blocks", {})))
    for text in texts(data):
        yield from expressions(text)


def scope(data: Any, blocks: set[str]) -> Iterator[str]:
    """What stands in a scope, and in those inside of it."""
    yield f"connect: {data.get('connect', 'chain')}"
    outputs = data.get("outputs")
    if outputs is not None:
        yield f"outputs: {type(outputs).__name__}"
    nodes = data.get("nodes", {})
    yield f"nodes: {type(nodes).__name__}"
    pairs = nodes.items() if isinstance(nodes, dict) else ((None, node) for node in nodes)
    seen: set[str] = set()
    for name, node in pairs:
        later = isinstance(nodes, dict) and nodes.keys() - seen
        yield from one(name, node, blocks)
        taken = node.get("from") if isinstance(node, dict) else None
        if isinstance(taken, str) and later and taken in later:
            yield "from: a node below"
        seen.add(str(name))


def one(name: str | None, node: Any, blocks: set[str]) -> Iterator[str]:
    if isinstance(node, str):
        yield "node: a bare op"
        return
    op = node.get("op")
    if op is None and "nodes" in node:
        yield "node: a group"
        yield from scope(node, blocks)
    elif isinstance(op, str):
        by_param = "$" in op
        yield (
            "node: an op by a param"
            if by_param
            else "node: a block"
            if op in blocks
            else "node: an op"
        )
    if "kind" in node and node["kind"] is None:
        yield "node: an op that is null"
    for key in ("if", "when", "tie", "args", "doc", "spec", "inputs", "share"):
        if key in node:
            yield f"node: {key}"
    if "share" in node:
        yield from (f"node: share with {key}" for key in ("if", "repeat") if key in node)
    yield from operands(node.get("from"))
    if "repeat" in node:
        yield from repeat(name, node)
    if "spec" in node:
        cut = node.get("outputs")
        yield "spec: whole" if cut is None else f"spec: cut, {type(cut).__name__}"
        if "params" in node:
            yield "spec: with params"
    if "cases" in node:
        kind = next(key for key in ("switch", "route", "mixture") if key in node)
        yield f"choice: {kind}" + (" with top_k" if "top_k" in node else "")
        cases = node["cases"]
        if "repeat" in cases:
            yield "choice: cases by repeat"
            cases = [cases]
        else:
            yield f"choice: cases in a {type(cases).__name__}"
        for case in cases.values() if isinstance(cases, dict) else cases:
            yield from (f"case: {word}" for word in ("nodes", "spec", "op") if word in case)
            yield from one(None, case, blocks)


def operands(wire: Any, inside: bool = False) -> Iterator[str]:
    if isinstance(wire, str):
        yield "from: a part" if "." in wire else "from: a name"
    elif isinstance(wire, list):
        yield "from: a list"
        for item in wire:
            yield from operands(item, inside)
    elif isinstance(wire, dict) and any(key in MERGES for key in wire):
        yield "from: a merge in a merge" if inside else "from: a merge"
        for key, item in wire.items():
            if key in MERGES:
                yield from operands(item, inside=True)
    elif isinstance(wire, dict):
        yield "from: by the operands' names"


def repeat(name: str | None, node: Any) -> Iterator[str]:
    count = node["repeat"]
    if isinstance(count, dict):
        yield "repeat: several variables" if len(count) > 1 else "repeat: a variable"
        for over in count.values():
            yield f"repeat: over {OVER[type(over)]}"
    else:
        yield "repeat: by a param" if isinstance(count, str) else "repeat: a count"
    where = "items" if name is None else "siblings" if "$" in name else "a group"
    yield f"repeat: {where}"
    if node.get("share"):
        yield "repeat: shared"
        if isinstance(node.get("from"), list | dict):
            yield "repeat: shared, with a further operand"
    if "nodes" in node:
        yield f"repeat: of a group, {node.get('connect', 'chain')}"


def texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from texts(key)
            yield from texts(value)
    elif isinstance(data, list):
        for item in data:
            yield from texts(item)


def expressions(text: str) -> Iterator[str]:
    if re.fullmatch(r"\$\w+", text):
        yield "expression: a bare name"
    elif re.fullmatch(r"\$[\w.]+", text):
        yield "expression: a bare path"
    elif "$(" in text:
        yield (
            "expression: a whole value" if text.startswith("$(") else "expression: inside of a text"
        )
        yield from (f"function: {name}" for name in FUNCTIONS if re.search(rf"\b{name}\(", text))
        yield from (
            f"operator: {name}" for name, sign in OPERATORS.items() if re.search(sign, text)
        )


def every() -> Iterator[str]:
    """The constructs that random specs have to have."""
    for row in re.sub(r"\n +", " ", _EVERY).strip().splitlines():
        kind, _, items = row.partition(": ")
        yield from (f"{kind}: {item}" for item in items.split(" | ")) if items else [kind]
