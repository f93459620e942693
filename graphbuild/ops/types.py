"""The types of arguments by name, and the check of a call's arguments against them.

pydantic does the checking. It is imported with the first call, because reading the registry must
stay cheap.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphbuild.errors import did_you_mean
from graphbuild.ops.base import MISSING, Op
from graphbuild.ops.dtypes import KIND

DTYPES = tuple(KIND)
MODES = ("nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area")

# What people are told about each type.
_WORDS = {
    "int": "int",
    "float": "number",
    "bool": "true or false",
    "str": "text",
    "None": "null",
    "Any": "any value",
    "Positive": "int >= 1",
    "Natural": "int >= 0",
    "NonNegative": "number >= 0",
    "Scale": "number > 0",
    "Probability": "number from 0 to 1",
    "Ints": "list of ints",
    "Dims": "list of one or more ints",
    "Positives": "list of ints >= 1",
    "Naturals": "list of ints >= 0",
    "Scales": "list of numbers > 0",
    "Initialiser": "a name such as zeros, or a mapping with op and its arguments",
    "Index": "int, text such as '1:-1' or '...', null, or a list of them",
    "Resize": "one of " + ", ".join(map(repr, MODES)),
    "Dtype": "one of " + ", ".join(DTYPES),
    "Equation": "an equation such as 'bij,bjk->bik'",
    "Pattern": "a pattern such as 'b (h d) n -> b h n d'",
    "Sizes": "a mapping of names to ints >= 1",
}
for _n in (1, 2, 3):
    _them = "a list of 1" if _n == 1 else f"{_n} of them"
    _WORDS[f"Size{_n}"] = f"int >= 1 or {_them}"
    _WORDS[f"Pad{_n}"] = f"int >= 0 or {_them}"
    _WORDS[f"Output{_n}"] = f"int >= 1 or {_them}" + ", where null keeps a size" * (_n > 1)
    _WORDS[f"Sides{_n}"] = f"int or {2 * _n} of them"

# pydantic's names for a value of the right type that is out of range.
_RANGE = {
    "greater_than",
    "greater_than_equal",
    "less_than",
    "less_than_equal",
    "literal_error",
    "too_short",
    "string_pattern_mismatch",
}
INDEX = r"^(\.\.\.|(-?[0-9]{1,18})?:(-?[0-9]{1,18})?(:([1-9][0-9]{0,17})?)?)$"  # torch steps forward only


@dataclass(frozen=True, slots=True)
class ArgProblem:
    """What is wrong with one argument of a call (codes E112 to E115)."""

    name: str
    code: str
    message: str
    expected: str | None = None
    found: str | None = None
    suggestion: str | None = None


_Check = Callable[[dict[str, object]], object]
_checks: dict[Op, tuple[_Check, dict[str, object], list[str]]] = {}
_types: dict[str, Any] = {}


def check_args(op: Op, given: Mapping[str, object]) -> tuple[dict[str, object], list[ArgProblem]]:
    """All arguments in the op's order, defaults filled in, and what is wrong with the given ones.

    Values are taken as they are; sequences must be tuples. Arguments that the operands determine
    (`op.infer`) may be missing, and are then missing in the result too.
    """
    known = _checks.get(op)
    if known is None:
        known = _checks[op] = _prepare(op)
    check, template, required = known
    values = {**template, **given}
    for name in required:
        if values[name] is MISSING:
            del values[name]
    try:
        check(dict(given))
    except ValueError as error:
        problems = list(_problems(op, given, error))
        for problem in problems:
            values.pop(problem.name, None)
        return values, problems
    return values, []


def expected(text: str) -> str:
    """A type in words for people.

    >>> expected("Size2 | None")
    'int >= 1 or 2 of them, or null'
    """
    parts = [_expected(part) for part in _members(ast.parse(text, mode="eval").body)]
    if len(parts) == 1:
        return parts[0]
    comma = "," if any(" or " in part or "," in part for part in parts) else ""
    return f"{', '.join(parts[:-1])}{comma} or {parts[-1]}"


def json_schema(text: str) -> dict[str, Any]:
    """A type as JSON Schema (2020-12); a number with a fraction of 0 is an int there."""
    from pydantic import TypeAdapter

    made: dict[str, Any] = TypeAdapter(_resolve(text)).json_schema()
    return made


def _resolve(text: str) -> Any:
    if not _types:
        _define()
    return eval(text, {"__builtins__": {}}, _types)  # noqa: S307 - the registry's own text


def _members(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return _members(node.left) + _members(node.right)
    return [node]


def _expected(node: ast.expr) -> str:
    text = ast.unparse(node)
    if text.startswith("Literal["):
        values = ast.literal_eval(f"({text[8:-1]},)")
        return ("one of " if len(values) > 1 else "") + ", ".join(map(repr, values))
    return _WORDS.get(text, text)


def found(value: object) -> str:
    """A value in words for people, much as the spec writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(found, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {found(item)}' for key, item in value.items())}}}"
    return repr(value)


def _problems(op: Op, given: Mapping[str, object], error: Any) -> list[ArgProblem]:
    by_name: dict[str, list[str]] = {}
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        name = str(fault["loc"][0])
        # The place within a list counts as a fault of the list.
        kind = fault["type"]
        if len(fault["loc"]) > 1 and kind in ("missing", "extra_forbidden"):
            kind = "length"
        by_name.setdefault(name, []).append(kind)
    out = []
    for name, kinds in by_name.items():
        argument = op.argument(name)
        if argument is None:
            names = [a.name for a in op.arguments]
            known = ", ".join(names) if names else "none"
            message = f"{op.name} has no argument {name!r}"
            hint = did_you_mean(name, names)
            out.append(ArgProblem(name, "E112", message, f"one of {known}", name, hint))
            continue
        words = expected(argument.type)
        if "missing" in kinds:
            message = f"{op.name} needs the argument {name!r}"
            out.append(ArgProblem(name, "E113", message, words))
            continue
        value = given[name]
        near = [
            k for k in kinds if k in _RANGE and (k != "literal_error" or isinstance(value, str))
        ]
        code = "E115" if near else "E114"
        fault = "is out of range" if near else "is of the wrong type"
        hint = None
        if near and isinstance(value, str) and "Literal" in argument.type:
            hint = did_you_mean(value, _choices(argument.type))
        elif near and argument.type.startswith(("Resize", "Dtype")):
            resize = argument.type.startswith("Resize")
            hint = did_you_mean(str(value), MODES if resize else DTYPES)
        elif not near:
            hint = _meant(value, words)
        message = f"argument {name!r} of {op.name} {fault}"
        out.append(ArgProblem(name, code, message, words, found(value), hint))
    return out


YES_NO = {"yes": "true", "on": "true", "no": "false", "off": "false"}  # as YAML 1.1 has it


def _meant(value: object, words: str) -> str | None:
    """What someone meant who wrote a value of another type."""
    if isinstance(value, float) and value.is_integer() and words.startswith("int"):
        return f"write {int(value)}"
    if not isinstance(value, str):
        return None
    if words.startswith(("int", "float", "number")) and value.isascii() and value.isdecimal():
        return f"without quotes it is a number: {value}"
    word = value.lower()
    meant = word if word in ("true", "false") else YES_NO.get(word)
    return f"write {meant}" if meant and words.startswith("true or false") else None


def _choices(text: str) -> list[str]:
    members = _members(ast.parse(text, mode="eval").body)
    literals = [ast.unparse(m) for m in members if ast.unparse(m).startswith("Literal[")]
    return [str(v) for text in literals for v in ast.literal_eval(f"({text[8:-1]},)")]


def _prepare(op: Op) -> tuple[_Check, dict[str, object], list[str]]:
    from pydantic import ConfigDict, TypeAdapter
    from typing_extensions import NotRequired, TypedDict

    fields: dict[str, Any] = {}
    for a in op.arguments:
        kind = _resolve(a.type)
        fields[a.name] = kind if a.required and a.name not in op.infer else NotRequired[kind]
    make: Any = TypedDict  # a type checker knows only literal ones
    model = make("Arguments", fields)
    model.__pydantic_config__ = ConfigDict(strict=True, extra="forbid")
    template = {a.name: a.default for a in op.arguments}
    required = [a.name for a in op.arguments if a.required]
    return TypeAdapter(model).validator.validate_python, template, required


def _define() -> None:
    from typing import Annotated, Literal

    from pydantic import Field, StringConstraints

    positive: Any = Annotated[int, Field(ge=1)]
    natural: Any = Annotated[int, Field(ge=0)]
    scale: Any = Annotated[float, Field(gt=0)]
    index: Any = int | None | Annotated[str, StringConstraints(pattern=INDEX)]
    _types.update(
        int=int, float=float, bool=bool, str=str, tuple=tuple, dict=dict, list=list,
        Any=Any, Literal=Literal, Annotated=Annotated, Field=Field,
        Initialiser=str | dict[str, Any], Positive=positive, Natural=natural, Scale=scale,
        NonNegative=Annotated[float, Field(ge=0)],
        Probability=Annotated[float, Field(ge=0, le=1)],
        Ints=tuple[int, ...], Positives=tuple[positive, ...], Naturals=tuple[natural, ...],
        Dims=Annotated[tuple[int, ...], Field(min_length=1)],
        Scales=tuple[scale, ...], Index=index | tuple[index, ...], Resize=Literal[MODES],
        Dtype=Literal[DTYPES], Equation=str, Pattern=str, Sizes=dict[str, positive],
    )  # fmt: skip
    many: Any = tuple
    for n in (1, 2, 3):
        _types[f"Size{n}"] = positive | many[(positive,) * n]
        _types[f"Pad{n}"] = natural | many[(natural,) * n]
        _types[f"Output{n}"] = positive | many[(positive | None,) * n]
        _types[f"Sides{n}"] = int | many[(int,) * (2 * n)]
