"""When values are there: always, in one mode of the module alone, or never.

A mode stands for a set of the two that a module can be in: training and evaluation. A value of
several parts whose parts are not there together has one mode per part.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Union

Mode = Literal["always", "training", "eval", "never"]
Modes = Union[Mode, tuple["Modes", ...]]  # noqa: UP007  (recursive)

_MODES: tuple[Mode, ...] = ("never", "training", "eval", "always")  # by their bits
_BITS = {mode: bits for bits, mode in enumerate(_MODES)}


def mode(training: bool, evaluation: bool) -> Mode:
    """The mode of what is there in training, in evaluation, in both or in none."""
    return _MODES[training + 2 * evaluation]


def there(mode: Mode, training: bool) -> bool:
    """Whether what has this mode is there in training, or else in evaluation."""
    return bool(_BITS[mode] & (1 if training else 2))


def both(*modes: Mode) -> Mode:
    """When all of these are there."""
    bits = 3
    for each in modes:
        bits &= _BITS[each]
    return _MODES[bits]


def either(*modes: Mode) -> Mode:
    """When at least one of these is there."""
    bits = 0
    for each in modes:
        bits |= _BITS[each]
    return _MODES[bits]


def within(outer: Mode, inner: Modes) -> Modes:
    """When a value is there that something gives which itself is there in `outer` alone."""
    if isinstance(inner, tuple):
        return packed(within(outer, part) for part in inner)
    return both(outer, inner)


def packed(parts: Iterable[Modes]) -> Modes:
    """The mode of a value from those of its parts: a single one where all are there together."""
    made = tuple(parts)
    first = made[0] if made else "always"
    return first if isinstance(first, str) and all(part == first for part in made) else made


def part(modes: Modes, index: int) -> Modes:
    return modes[index] if isinstance(modes, tuple) else modes


def leaves(modes: Modes) -> list[Mode]:
    """The modes of all parts."""
    if isinstance(modes, tuple):
        return [leaf for part in modes for leaf in leaves(part)]
    return [modes]
