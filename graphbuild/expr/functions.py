"""The values of expressions, and what can be done with them: functions, operators, limits.

Whatever fails raises a plain Python error; whatever can grow pays for it from a `Budget` before it
is built.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphbuild.errors import did_you_mean
from graphbuild.expr.shape import MissingError, ShapeView, Sizes

LARGEST = 2**63
MAX_ITEMS = 100_000
MAX_STEPS = 100_000
MAX_TEXT = 2_000
MAX_NESTING = 50


class Budget:
    """The steps that are left to one evaluation; one is about a microsecond."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_STEPS

    @property
    def spent(self) -> int:
        return MAX_STEPS - self.left

    def spend(self, steps: int) -> None:
        if steps > self.left:
            raise ValueError("it takes too many steps")
        self.left -= steps


def items(value: Any) -> tuple[Any, ...] | range:
    """The items of a list; raises TypeError if it is none."""
    kind = type(value)
    if kind is tuple or kind is range:
        return value  # type: ignore[no-any-return]
    if kind is Sizes:
        return value.read()  # type: ignore[no-any-return]
    if isinstance(value, (list, tuple, Mapping)):
        return tuple(value)
    raise TypeError(f"{show(value)} is not a list")


def show(value: object) -> str:
    """A value in a message."""
    if isinstance(value, ShapeView):
        return "a tensor"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:36]}..."


def is_list(value: object) -> bool:
    """Whether `+`, `*` and `==` take it for a list."""
    return isinstance(value, (tuple, list, range))


def bounded(value: Any) -> Any:
    """The value, if it is not too large."""
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        raise OverflowError("the number is too large")
    if isinstance(value, complex):
        raise ValueError("the result is not a real number")
    return value


def weigh(values: Any, budget: Budget, depth: int = 0) -> int:
    """Pays for a list, with what is inside of it; returns its count of items, nested ones too."""
    if depth > MAX_NESTING:
        raise ValueError("the list is nested too deep")
    count = len(values)
    budget.spend(count)
    if not isinstance(values, range):
        for value in values.values() if isinstance(values, Mapping) else values:
            if isinstance(value, (tuple, list, Mapping)):
                count += weigh(value, budget, depth + 1)
    if count > MAX_ITEMS:
        raise ValueError(f"the list has more than {MAX_ITEMS:,} items")
    return count


def clean(value: Any, depth: int = 0) -> Any:
    """A result without views and iterators."""
    if isinstance(value, ShapeView):
        raise TypeError("a tensor is not a value; read its .shape, .channels, .height or .width")
    if isinstance(value, (tuple, list, range)):
        if depth > MAX_NESTING:
            raise ValueError("the list is nested too deep")
        return tuple([clean(v, depth + 1) for v in items(value)])
    return value


def member(value: Any, name: Any) -> Any:
    """What stands under a name in a mapping or a shape."""
    if isinstance(value, ShapeView):
        return value.read(name)
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
        keys = [str(key) for key in value]
        hint = did_you_mean(str(name), keys) or f"known keys: {' '.join(keys[:12])}"
        raise MissingError(f"no key {name!r}", hint)
    raise TypeError(f"{show(value)} has no {name!r}")


def item(value: Any, at: Any) -> Any:
    """`value[at]`."""
    if isinstance(value, Mapping):
        return member(value, at)
    if not isinstance(at, int):
        raise TypeError(f"{show(at)} is not a position")
    if type(value) is Sizes:
        return value.part(at)
    found = items(value)
    if not -len(found) <= at < len(found):
        raise IndexError(f"there is no item {at} in a list of {len(found)}")
    return found[at]


def cut(value: Any, chosen: slice, budget: Budget) -> Any:
    """`value[start:stop:step]`."""
    if type(value) is Sizes:
        return tuple(value.part(chosen))
    budget.spend(len(items(value)))
    return items(value)[chosen]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language, and how many arguments it takes by position."""

    run: Callable[..., Any]
    least: int
    most: int
    keywords: tuple[str, ...] = ()


def number(value: Any) -> Any:
    """The value, if it is a number."""
    if not isinstance(value, (int, float)):
        raise TypeError(f"{show(value)} is not a number")
    return value


def _round(value: Any, ndigits: int | None = None) -> Any:
    if ndigits is not None and not -20 <= ndigits <= 20:
        raise ValueError("round takes -20 to 20 digits")
    return round(number(value), ndigits)


def _float(value: Any) -> float:
    return float(value if value in ("inf", "-inf", "nan") else number(value))


def _range(*bounds: Any) -> range:
    made = range(*bounds)
    if len(made) > MAX_ITEMS:
        raise ValueError(f"the range has more than {MAX_ITEMS:,} items")
    return made


def _extreme(pick: Callable[..., Any]) -> Callable[..., Any]:
    def run(*values: Any, **more: Any) -> Any:
        found = items(values[0]) if len(values) == 1 else values
        if not found and not more:
            raise ValueError("there is nothing to compare in an empty list")
        return pick([number(v) for v in found], **more)

    return run


def _sum(values: Any, start: Any = 0) -> Any:
    return sum([number(v) for v in items(values)], number(start))


def make_divisible(v: float, divisor: int = 8, min_value: int | None = None) -> int:
    """The multiple of `divisor` nearest to `v`, but not below `min_value` nor below 0.9 * v."""
    nearest = int(v + divisor / 2) // divisor * divisor
    nearest = max(min_value or divisor, nearest)
    return nearest + divisor if nearest < 0.9 * v else nearest


FUNCTIONS: Mapping[str, Function] = {
    "abs": Function(lambda x: abs(number(x)), 1, 1),
    "ceil": Function(lambda x: math.ceil(number(x)), 1, 1),
    "enumerate": Function(lambda x, start=0: tuple(enumerate(items(x), start)), 1, 2, ("start",)),
    "float": Function(_float, 1, 1),
    "floor": Function(lambda x: math.floor(number(x)), 1, 1),
    "int": Function(lambda x: int(number(x)), 1, 1),
    "len": Function(lambda x: len(x if type(x) is Sizes else items(x)), 1, 1),
    "log": Function(lambda *x: math.log(*map(number, x)), 1, 2),
    "make_divisible": Function(make_divisible, 1, 3, ("divisor", "min_value")),
    "max": Function(_extreme(max), 1, 100, ("default",)),
    "min": Function(_extreme(min), 1, 100, ("default",)),
    "range": Function(_range, 1, 3),
    "round": Function(_round, 1, 2, ("ndigits",)),
    "sqrt": Function(lambda x: math.sqrt(number(x)), 1, 1),
    "sum": Function(_sum, 1, 2, ("start",)),
    "zip": Function(lambda *x: tuple(zip(*map(items, x), strict=False)), 1, 100),
}
MATH = ("ceil", "floor", "log", "sqrt")  # in Python these stand in `math`
WRITTEN = {"tuple": Function(items, 1, 1)}  # what emitted source has beyond them


def arithmetic(symbol: str, op: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Budget], Any]:
    def run(left: Any, right: Any, budget: Budget) -> Any:
        if isinstance(left, (int, float)) and isinstance(right, (int, float)):
            return bounded(op(left, right))
        if symbol == "+" and is_list(left) and is_list(right):
            weigh(left, budget)
            weigh(right, budget)
            return (*items(left), *items(right))
        if symbol == "*" and (is_list(left) or is_list(right)):
            one, times = (left, right) if is_list(left) else (right, left)
            if isinstance(times, int):
                budget.spend(max(0, times) * (weigh(one, budget) + 1))
                return tuple(items(one)) * times
        raise TypeError(f"{show(left)} {symbol} {show(right)}: these are not numbers")

    return run


def _power(left: Any, right: Any) -> Any:
    whole = isinstance(left, int) and isinstance(right, int) and abs(left) > 1
    if whole and right * (abs(left).bit_length() - 1) > 64:
        raise OverflowError("the number is too large")
    return left**right


BINARY = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", _power),
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def _contains(item: Any, holder: Any, budget: Budget) -> bool:
    if isinstance(holder, Mapping):
        return item in holder
    return any(_equal(item, other, budget) for other in items(holder))


def _equal(left: Any, right: Any, budget: Budget) -> bool:
    if is_list(left) and is_list(right):
        budget.spend(1)
        left, right = items(left), items(right)
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(_equal(a, b, budget) for a, b in pairs)
    if isinstance(left, ShapeView) or isinstance(right, ShapeView):
        raise TypeError("a tensor cannot be compared; compare its .shape")
    budget.spend(1)
    return bool(left == right)


def _ordered(op: Callable[[Any, Any], bool]) -> Callable[[Any, Any, Budget], bool]:
    return lambda left, right, budget: op(number(left), number(right))


COMPARE: dict[type[ast.cmpop], Callable[[Any, Any, Budget], bool]] = {
    ast.Eq: _equal,
    ast.NotEq: lambda left, right, budget: not _equal(left, right, budget),
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
    ast.In: _contains,
    ast.NotIn: lambda left, right, budget: not _contains(left, right, budget),
    ast.Is: lambda left, right, budget: left is right,
    ast.IsNot: lambda left, right, budget: left is not right,
}
