"""Free dimensions: the sizes they are probed at, equality, and the formula they are shown by.

A dimension is known by its values at a handful of probe sizes. The first two probes are the
example (dimensions without an example size are 1, then 2): every op must take those. The others
say which sizes are the same at every input, and which formula gives them; an op that cannot take
one of them tells only something about the range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

REQUIRED = 2  # so many probes must go through
PROBES = 4
# What the later probes add to an example size, and again per position among the dimensions: first
# a multiple of 32, which nets that halve five times take, then a size far off and odd.
_STEPS = ((0, 0), (0, 0), (64, 32), (1055, 320))
_BATCHES = (1, 2, 3, 5)


class Size(int):
    """A size at the example that knows how it follows from a free one: ``m·⌊(name + c)/k⌋ + a``.

    Every chain of convolutions and poolings with given strides is of this form with m = 1, since
    ⌊(⌊(x + a)/m⌋ + b)/s⌋ = ⌊(x + a + b·m)/(m·s)⌋. Other arithmetic gives a plain number.
    """

    form: tuple[str, int, int, int, int]  # name, m, c, k, a

    def __new__(cls, value: int, form: tuple[str, int, int, int, int]) -> Size:
        self = super().__new__(cls, value)
        name, m, c, k, a = form
        self.form = (name, 1, c + a * k, k, 0) if m == 1 else form
        return self

    def __reduce__(self) -> tuple[type[Size], tuple[int, tuple[str, int, int, int, int]]]:
        return Size, (int(self), self.form)  # what copies and pickles are made of

    def __add__(self, other: int) -> int:
        if type(other) is not int:
            return int(self) + other
        name, m, c, k, a = self.form
        return Size(int(self) + other, (name, m, c, k, a + other))

    __radd__ = __add__

    def __sub__(self, other: int) -> int:
        return self + -other if type(other) is int else int(self) - other

    def __mul__(self, other: int) -> int:
        if type(other) is not int or other < 1:
            return int(self) * other
        name, m, c, k, a = self.form
        return Size(int(self) * other, (name, m * other, c, k, a * other))

    __rmul__ = __mul__

    def __floordiv__(self, other: int) -> int:
        value = int(self) // other
        if type(other) is not int or other < 1:
            return value
        name, m, c, k, a = self.form
        if m == 1:
            return Size(value, (name, 1, c, k * other, 0))
        if m % other == 0 == a % other:
            return Size(value, (name, m // other, c, k, a // other))
        return value

    def at(self, size: int) -> int:
        """Its value where the free dimension is `size`."""
        _, m, c, k, a = self.form
        return m * ((size + c) // k) + a

    def relative(self, given: int, name: str) -> Size | None:
        """The same size as it follows from another one, here called `name`; None if unknown."""
        if not isinstance(given, Size):
            return None
        free, m, c, k, a = self.form
        other, m1, c1, k1, _ = given.form
        if free != other or m1 != 1 or k % k1 or (c - c1) % k1:
            return None
        return Size(int(self), (name, m, (c - c1) // k1, k // k1, a))

    @property
    def formula(self) -> str:
        """How it follows, for people."""
        name, m, c, k, a = self.form
        if k == 1:
            text, a = name, a + m * c
        elif c == 0:
            text = f"⌊{name}/{k}⌋"
        elif c == k - 1:
            text = f"⌈{name}/{k}⌉"
        else:
            text = f"⌊({name}{c:+d})/{k}⌋"
        return (text if m == 1 else f"{text}*{m}") + (f"{a:+d}" if a else "")


@dataclass(frozen=True, slots=True)
class Dim:
    """A free dimension: its example size where it has one, and the range it may take."""

    name: str
    example: int | None = None
    multiple: int = 1
    min: int = 1
    max: int | None = None

    def at(self, probe: int, position: int) -> int:
        """Its size at a probe; `position` among the free dimensions keeps two of them apart."""
        if self.example is None:
            size = _BATCHES[probe] + (probe and position)
        else:
            step, shift = _STEPS[probe]
            size = self.example + (step + shift * position)
        if probe >= REQUIRED or self.example is None:
            size = max(self.min, -(-size // self.multiple) * self.multiple)
            if self.max is not None and size > self.max:
                size = self.max - self.max % self.multiple
        return size


@dataclass(frozen=True)
class Dims:
    """All free dimensions of a spec, by name, in the order in which the inputs name them."""

    free: tuple[Dim, ...]

    @cached_property
    def sizes(self) -> Mapping[str, tuple[int, ...]]:
        """Each dimension's size at every probe; at the example as a `Size`."""
        found = {}
        for position, dim in enumerate(self.free):
            first, *others = (dim.at(probe, position) for probe in range(PROBES))
            found[dim.name] = (Size(first, (dim.name, 1, 0, 1, 0)), *others)
        return found

    @cached_property
    def _formulas(self) -> dict[tuple[int | None, ...], str | None]:
        return {}

    def formula(self, values: Sequence[int | None]) -> str | None:
        """A formula in the free dimensions that fits every known value, or None."""
        key = tuple(values)
        if key not in self._formulas:
            self._formulas[key] = self._fit(key)
        return self._formulas[key]

    def _fit(self, values: tuple[int | None, ...]) -> str | None:
        known = [p for p, v in enumerate(values) if v is not None]
        if not known:
            return None
        first = values[known[0]]
        if all(values[p] == first for p in known):
            return str(first)
        exact = self._exact(values, known)
        if exact:
            return exact
        fits = []
        for dim in self.free:
            sizes = self.sizes[dim.name]
            fits.append(_affine(dim.name, [(sizes[p], values[p] or 0) for p in known]))
        if any(fits):  # ⌈W/16⌉ rather than something in H that happens to fit as well
            return min(filter(None, fits), key=len)
        for left in self.free:  # a product of two: N*T, H*W/64
            for right in self.free:
                pair = [self.sizes[left.name][p] * self.sizes[right.name][p] for p in known]
                found = left is not right and _affine(
                    f"{left.name}*{right.name}",
                    [(s, values[p] or 0) for s, p in zip(pair, known, strict=True)],
                )
                if found:
                    return found
        return None

    def _exact(self, values: tuple[int | None, ...], known: list[int]) -> str | None:
        """What the size at the example says of itself, if that holds at every probe."""
        size = values[0]
        if not isinstance(size, Size):
            return None
        name, m, _, k, _ = size.form
        at = self.sizes[name]
        if any(size.at(at[p]) != values[p] for p in known):
            return None
        if k % m == 0 and all((values[p] or 0) * (k // m) == at[p] for p in known):
            return f"{name}/{k // m}" if k > m else name  # ⌈H/32⌉*4 is H/8 where 32 divides H
        return size.formula

    def show(self, values: Sequence[int | None]) -> str:
        """One dimension for people: a number, a formula, or else the size at the example."""
        return self.formula(values) or str(values[0])

    def show_shape(self, shapes: Sequence[tuple[int, ...] | None]) -> str:
        """A shape for people, such as ``N×256×H/8×W/8``; ``scalar`` where it has no dimension."""
        first = next((s for s in shapes if s is not None), ())
        columns = ([s[i] if s is not None else None for s in shapes] for i in range(len(first)))
        return "×".join(self.show(list(column)) for column in columns) or "scalar"


def _affine(name: str, points: list[tuple[int, int]]) -> str | None:
    """``name``, ``name*a``, ``name+c``, ``name/k``, ``⌊name/k⌋`` or ``⌈name/k⌉`` through all points.

    None where no such formula fits. One with more numbers in it would fit by chance.
    """
    if len(set(points)) < 2 or any(x <= 0 for x, _ in points):
        return None
    if all(y == x for x, y in points):
        return name
    x0, y0 = points[0]
    if all(y - x == y0 - x0 for x, y in points):
        return f"{name}{y0 - x0:+d}"
    if y0 and y0 % x0 == 0 and all(y == x * (y0 // x0) for x, y in points):
        return f"{name}*{y0 // x0}"
    if len({y for _, y in points}) < 2:
        return None
    (x1, y1), (x2, y2) = min(points), max(points)
    for k in range(2, 129):
        if abs(x2 - x1 - (y2 - y1) * k) >= k:
            continue
        if all(y * k == x for x, y in points):
            return f"{name}/{k}"
        if all(y == x // k for x, y in points):
            return f"⌊{name}/{k}⌋"
        if all(y == -(-x // k) for x, y in points):
            return f"⌈{name}/{k}⌉"
    return None
