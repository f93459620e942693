"""What initialisers need of a parameter's shape: where one cannot apply, its call would raise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphbuild.ir import Initializer

_FANS = (2, None, "at least 2 dimensions")
# How many dimensions at least, at most, and both in words.
_DIMENSIONS: dict[str, tuple[int, int | None, str]] = {
    "xavier_uniform": _FANS,
    "xavier_normal": _FANS,
    "kaiming_uniform": _FANS,
    "kaiming_normal": _FANS,
    "orthogonal": _FANS,
    "eye": (2, 2, "2 dimensions"),
    "sparse": (2, 2, "2 dimensions"),
    "dirac": (3, 5, "3, 4 or 5 dimensions"),
}


def unmet(initialiser: Initializer, shape: tuple[int, ...]) -> str | None:
    """What the initialiser needs, where a parameter of this shape does not have it."""
    least, most, words = _DIMENSIONS.get(initialiser.name, (0, None, ""))
    if len(shape) < least or (most is not None and len(shape) > most):
        return f"a parameter of {words}"
    given = initialiser.args.get("groups")
    groups = given.value if given is not None else 1
    if initialiser.name == "dirac" and isinstance(groups, int) and shape[0] % groups:
        return f"a first dimension that groups ({groups}) divides"
    return None


def out_of_range(name: str, values: Mapping[str, object]) -> tuple[str, str] | None:
    """The argument of an initialiser whose number cannot be, and what it should be."""
    numbers = {key: value for key, value in values.items() if isinstance(value, int | float)}
    for key, value in numbers.items():
        if value != value or abs(value) == float("inf"):
            return key, "a finite number"
    if "std" in numbers and (numbers["std"] < 0 or (name == "trunc_normal" and not numbers["std"])):
        return "std", "a number > 0" if name == "trunc_normal" else "a number >= 0"
    if not 0 <= numbers.get("sparsity", 0) <= 1:
        return "sparsity", "a number between 0 and 1"
    if name in ("uniform", "trunc_normal"):
        first, last = (0, 1) if name == "uniform" else (-2, 2)
        low, high = numbers.get("a", first), numbers.get("b", last)
        if low > high:
            return ("b", f"at least a ({low})") if "b" in numbers else ("a", f"at most b ({high})")
    return None
