"""The whole difference of two graphs as a value, and as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from graphbuild.diff.keys import Fit
from graphbuild.diff.rows import Row
from graphbuild.ir import Graph
from graphbuild.render.costs import short
from graphbuild.report import Counts


@dataclass(frozen=True, slots=True)
class Total:
    """What the whole, or a part at the top, costs in both; a part may be in one alone."""

    path: str  # "" for the whole
    before: Counts
    after: Counts

    @property
    def apart(self) -> tuple[int, int]:
        """How far the numbers are apart."""
        one, other = self.before, self.after
        return abs(other.parameters - one.parameters), abs(other.macs - one.macs)


PARTS = 12  # at the top that are told
WIDEST = 40  # the column of names


def _nothing() -> Graph:
    raise ValueError("a difference that was not made of two graphs")


@dataclass(frozen=True)
class Difference:
    """What changed from one graph to another; true if anything did."""

    names: tuple[str, str]
    rows: tuple[Row, ...]
    totals: Total
    parts: tuple[Total, ...]  # that cost something else
    weights: Fit
    notes: tuple[str, ...] = ()  # what differs without changing the network
    follow: tuple[int, int] = (0, 0)  # nodes whose inferred arguments, and whose shapes, follow
    unite: Callable[[], Graph] = field(repr=False, compare=False, default=_nothing)

    def __bool__(self) -> bool:
        return bool(self.rows)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    @property
    def graph(self) -> Graph:
        """Both graphs in one, with marks, for `graphbuild.render`."""
        return self.unite()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """What a notebook shows: the picture, and the text."""
        return {**self.graph._repr_mimebundle_(), "text/plain": str(self)}

    def lines(self) -> Iterator[str]:
        """The text, line by line."""
        one, other = self.names
        yield f"{one} → {other}"
        if not self:
            yield from (
                "",
                f"no difference: {_number(self.totals.after.parameters)} parameters in both",
            )
            yield from self.notes
            return
        causes = [row for row in self.rows if not row.follows]
        effects = [row for row in self.rows if row.follows]
        if causes:
            yield from ("", *_table(causes))
        inferred, shapes = self.follow
        if effects or inferred or shapes:
            yield from ("", "what follows:")
            yield from _table(effects)
            told = [f"what the input determines, in {_count(inferred, 'node')}"] if inferred else []
            told += [f"the shape of {_count(shapes, 'value')}"] if shapes else []
            if told:
                yield f"    {', and '.join(told)}"
        yield ""
        yield from self._costs()
        yield str(self.weights)
        yield from self.notes

    def _costs(self) -> Iterator[str]:
        whole = Total("", self.totals.before, self.totals.after)
        rows = [("", "parameters", "MACs")]
        most = sorted(self.parts, key=lambda part: part.apart, reverse=True)[:PARTS]
        for total in (whole, *(part for part in self.parts if part in most)):
            pairs = [
                (getattr(total.before, name), getattr(total.after, name))
                for name in ("parameters", "macs")
            ]
            told = _delta(*pairs[0]), _delta(*pairs[1], brief=True)
            rows.append((total.path or "total", *told))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            yield "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        if len(self.parts) > PARTS:
            yield f"and {len(self.parts) - PARTS:,} more parts that differ less"

    def to_dict(self) -> dict[str, Any]:
        """The difference as JSON has it."""

        def counts(total: Total) -> dict[str, Any]:
            return {
                name: {"before": getattr(total.before, name), "after": getattr(total.after, name)}
                for name in ("parameters", "macs")
            }

        one, other = self.weights.only
        return {
            "before": self.names[0],
            "after": self.names[1],
            "different": bool(self),
            "rows": [row.to_dict() for row in self.rows],
            "totals": counts(self.totals),
            "parts": [{"path": part.path, **counts(part)} for part in self.parts],
            "weights": {
                "fit": self.weights.same,
                "fit_once_renamed": max(self.weights.moved, self.weights.same),
                "other_shape": self.weights.reshaped,
                "only_before": one,
                "only_after": other,
                "same_order": self.weights.order,
            },
            "notes": list(self.notes),
        }


def _table(rows: list[Row]) -> Iterator[str]:
    """A line for each row; what is said of one node in several is joined."""
    width = min(max((len(row.where) for row in rows), default=0), WIDEST)
    for same in _joined(rows):
        row = same[0]
        told = list(dict.fromkeys(one.text for one in same))
        shapes = next((one.shapes for one in same if one.shapes), None)
        if shapes is not None:
            told.append(f"{shapes[0]} → {shapes[1]}")
        if len(row.places) > 1 and row.kind != "renumbered" and not row.together:
            told.append(f"in {len(row.places):,} places")
        costs = max(same, key=lambda one: (abs(one.parameters), abs(one.macs)))
        pairs = (costs.parameters, "params"), (costs.macs, "MACs")
        told += [f"{_signed(number)} {what}" for number, what in pairs if number]
        lines = dict.fromkeys(filter(None, row.lines))
        place = f"  ({' → '.join(lines)})" if lines else ""
        yield f"{row.mark} {row.where:<{width}}  {', '.join(told)}{place}"


def _joined(rows: list[Row]) -> list[list[Row]]:
    found: list[list[Row]] = []
    for row in rows:
        before = found[-1][0] if found else None
        alone = before is not None and bool(row.places) and not (row.together or before.together)
        if alone and before and (row.places, row.mark) == (before.places, before.mark):
            found[-1].append(row)
        else:
            found.append([row])
    return found


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _number(number: int) -> str:
    return f"{number:,}"


def _signed(number: int) -> str:
    return f"{'+' if number > 0 else '-'}{short(abs(number))}"


def _delta(old: int, new: int, *, brief: bool = False) -> str:
    """Two numbers, and how far they are apart."""
    write = short if brief else _number
    if old == new:
        return write(new)
    share = f"{100 * (new - old) / old:+.1f}" if old else ""
    percent = f", {share}%" if share not in ("", "+0.0", "-0.0") else ""
    apart = _signed(new - old) if brief else f"{new - old:+,}"
    return f"{write(old)} → {write(new)} ({apart}{percent})"
