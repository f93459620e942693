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
PROBES = 6
# What the later probes add to an example size, and again per position among the dimensions: first
# a multiple of 32, which nets that halve five times take, then other residues, which tell rounding
# up from rounding down.
_STEPS = ((0, 0), (0, 0), (64, 32), (102, 36), (75, 34), (117, 22))
_BATCHES = (1, 2, 3, 5, 4, 7)


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
        """Each dimension's size at every probe."""
        return {
            dim.name: tuple(dim.at(probe, position) for probe in range(PROBES))
            for position, dim in enumerate(self.free)
        }

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
        for dim in self.free:
            sizes = self.sizes[dim.name]
            found = _affine(dim.name, [(sizes[p], values[p] or 0) for p in known])
            if found:
                return found
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

    def show(self, values: Sequence[int | None]) -> str:
        """One dimension for people: a number, a formula, or else the size at the example."""
        return self.formula(values) or str(values[0])

    def show_shape(self, shapes: Sequence[tuple[int, ...] | None]) -> str:
        """A shape for people, such as ``N×256×H/8×W/8``; ``scalar`` where it has no dimension."""
        first = next((s for s in shapes if s is not None), ())
        columns = ([s[i] if s is not None else None for s in shapes] for i in range(len(first)))
        return "×".join(self.show(list(column)) for column in columns) or "scalar"


def _affine(name: str, points: list[tuple[int, int]]) -> str | None:
    """``name``, ``name*a``, ``name+c``, ``name/k``, ``⌈name/k⌉`` or ``⌊(name+c)/k⌋`` through all points.

    Every chain of convolutions and poolings with given strides is of this form, since
    ⌊(⌊(x + a)/m⌋ + b)/s⌋ = ⌊(x + a + b·m)/(m·s)⌋.
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
    spread = {y for _, y in points}
    if len(spread) < 2 or any(y <= 0 for _, y in points):
        return None
    shifted = None
    for k in range(2, 129):
        if all(y * k == x for x, y in points):
            return f"{name}/{k}"
        # y = ⌊(x + c)/k⌋ bounds c at every point: y*k <= x + c < y*k + k
        low = max(y * k - x for x, y in points)
        high = min(y * k + k - 1 - x for x, y in points)
        if low <= 0 <= high:
            return f"⌊{name}/{k}⌋"
        if low <= k - 1 <= high:
            return f"⌈{name}/{k}⌉"
        # strides are mostly powers of two, so those go before other k that happen to fit
        if low <= high and (shifted is None or k & (k - 1) == 0):
            shifted = f"⌊({name}{low if abs(low) < abs(high) else high:+d})/{k}⌋"
    if shifted:
        return shifted
    for a in range(2, 65):  # stretched: a * name + c (a transposed convolution)
        c = y0 - a * x0
        if all(y == a * x + c for x, y in points):
            return f"{name}*{a}{c:+d}" if c else f"{name}*{a}"
    return None
