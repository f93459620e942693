"""What kinds of value the language's keys take, and how a wrong one is told.

Each kind is an annotated type whose validator takes located data and hands it on. A validator
raises the plain fact by `wrong`; `spec` makes a finding of it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainValidator, SkipValidation
from pydantic_core import PydanticCustomError

from graphbuild.errors import did_you_mean
from graphbuild.source import Map, Seq, Text

MAX_RANK = 64  # dimensions of a tensor that torch's own kernels take
CONNECT = ("chain", "dense", "parallel")
DTYPES = (
    *("float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8"),
    *("uint8", "bool", "complex64", "complex128"),
)


def kind(value: Any) -> str:
    """A value in the words of someone who writes YAML."""
    if isinstance(value, Map):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, Seq):
        return "a list" if value else "an empty list"
    if value.value is None:
        return "nothing"
    short = value if len(value) <= 40 else f"{value[:37]}..."
    if isinstance(value.value, bool):
        return f"the truth value {short}"
    return f"the number {short}" if isinstance(value.value, int | float) else f"the text {short!r}"


def wrong(expected: str, value: Any, hint: str | None = None) -> PydanticCustomError:
    """The fact that `value` is not of the kind that is `expected`."""
    context = {"expected": expected, "found": kind(value), "hint": hint, "value": value}
    return PydanticCustomError("kind", "a value of the wrong kind", context)


def is_empty(value: Any) -> bool:
    return isinstance(value, Text) and value.value is None


def _mapping(value: Any) -> Any:
    if not isinstance(value, Map):
        raise wrong("a mapping", value)
    return value


def _inputs(value: Any) -> Any:
    if isinstance(value, Seq):
        raise wrong("a mapping", value, "an input has a name: inputs: {image: [...]}")
    return _mapping(value)


def _sequence(value: Any) -> Any:
    if not isinstance(value, Seq):
        raise wrong("a list", value)
    return value


def _items(value: Any) -> Any:
    return tuple(_sequence(value))


def _name(value: Any) -> Text:
    if not isinstance(value, Text) or is_empty(value):
        raise wrong("a name", value)
    return value


def _words(value: Any) -> str:
    if not isinstance(value, Text):
        raise wrong("text", value)
    return str(value)


def _reference(value: Any) -> Any:
    parts = value if isinstance(value, Seq) else value.values() if isinstance(value, Map) else ()
    for part in parts:
        _name(part)
    if is_empty(value) or (not parts and not isinstance(value, Text)):
        raise wrong("a name, a list of names, or a mapping from names to names", value)
    return value


def _condition(value: Any) -> Any:
    if not isinstance(value, Text) or is_empty(value):
        raise wrong("true, false, or an expression", value)
    return value


def _count(value: Any) -> Any:
    if isinstance(value, Seq) or is_empty(value) or not value:
        hint = "a variable that runs over a list has a name: repeat: {item: [...]}"
        raise wrong("a count, or a mapping from variables to what they run over", value, hint)
    return value


def _operand(value: Any) -> Any:
    if is_empty(value):
        raise wrong("a name, a list, a mapping, or a merge", value)
    return value


def _natural(value: Any) -> Text:
    number = value.value if isinstance(value, Text) else None
    if not isinstance(value, Text) or type(number) is not int or number < 0:
        raise wrong("a whole number", value)
    return value  # which knows its place


def _positive(value: Any) -> int:
    number = value.value if isinstance(value, Text) else None
    if type(number) is not int or number < 1:
        raise wrong("a whole number of at least 1", value)
    return number


def _connect(value: Any) -> str:
    if not isinstance(value, Text) or value not in CONNECT:
        hint = did_you_mean(value, CONNECT) if isinstance(value, Text) else None
        raise wrong("chain, dense or parallel", value, hint)
    return str(value)


def _dtype(value: Any) -> str:
    if not isinstance(value, Text) or value not in DTYPES:
        hint = did_you_mean(value, DTYPES) if isinstance(value, Text) else None
        raise wrong("a dtype such as float32 or int64", value, hint)
    return str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, Text) or not isinstance(value.value, bool):
        raise wrong("true or false", value)
    return value.value


def _references(value: Any) -> Any:
    for name in _mapping(value).values():
        _name(name)
    return value


def _names(value: Any) -> tuple[Text, ...]:
    if not isinstance(value, Seq | Map):
        raise wrong("a list of names", value)
    return tuple(_name(item) for item in value)


Raw = Annotated[Text | Seq | Map, SkipValidation]
Mapping = BeforeValidator(_mapping)
Inputs = BeforeValidator(_inputs)
Sequence = BeforeValidator(_sequence)
Items = BeforeValidator(_items)
Values = Annotated[dict[Text, Raw], Mapping]
Name = Annotated[Text, PlainValidator(_name)]
Names = Annotated[tuple[Text, ...], PlainValidator(_names)]
Words = Annotated[str, PlainValidator(_words)]
Shape = Annotated[Seq, PlainValidator(_sequence)]
Natural = Annotated[Text, PlainValidator(_natural)]
Positive = Annotated[int, PlainValidator(_positive)]
Reference = Annotated[Text | Seq | Map, PlainValidator(_reference)]
Operand = Annotated[Text | Seq | Map, PlainValidator(_operand)]
Condition = Annotated[Text, PlainValidator(_condition)]
Count = Annotated[Text | Map, PlainValidator(_count)]
Flag = Annotated[bool, PlainValidator(_flag)]
References = Annotated[dict[Text, Text], PlainValidator(_references)]
Connect = Annotated[Literal["chain", "dense", "parallel"], PlainValidator(_connect)]
Dtype = Annotated[str, PlainValidator(_dtype)]
