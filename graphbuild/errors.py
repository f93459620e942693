"""Findings: what is wrong, where, what was expected, and what would mend it.

Inner code raises the plain fact; the stage that knows the place turns it into a `Finding`,
collects all findings of its stage and raises them together as one `SpecError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from graphbuild.visible import visible

CODES = {
    "E001": "the file cannot be read",
    "E002": "the text is not YAML",
    "E003": "a key stands twice",
    "E004": "the text is too large or too deep",
    "E005": "another spec that cannot be used here",
    "E006": "specs that contain each other",
    "E101": "unknown key",
    "E102": "missing key",
    "E103": "a value of the wrong kind",
    "E104": "not a usable name",
    "E105": "unknown language version",
    "E106": "a name is defined twice",
    "E111": "unknown op",
    "E112": "unknown argument",
    "E113": "missing argument",
    "E114": "an argument of the wrong type",
    "E115": "an argument out of range",
    "E121": "bad expression",
    "E122": "unbalanced expression",
    "E123": "undefined name in an expression",
    "E124": "an expression that cannot be computed",
    "E201": "undefined reference",
    "E202": "ambiguous operand",
    "E203": "cycle",
    "E204": "shape mismatch",
    "E205": "wrong number of inputs",
    "E206": "wrong dtype",
    "E207": "a shape that the op cannot take",
    "E208": "what is built once depends on the input",
    "E209": "in-place overwrite of a value that is still read",
    "E210": "unmet expectation",
    "E211": "a block that contains itself",
    "E212": "an initialisation rule that cannot apply",
    "E213": "a use of a value that may be absent",
    "E214": "cases that cannot be chosen among",
    "W301": "unused node",
    "W302": "unused block or param",
    "W303": "a name hides another",
    "W304": "dropout on an output",
    "W305": "a bias in front of a batch norm",
}


@dataclass(frozen=True)
class Source:
    """The text that a spec was read from; spans point into it."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source; lines and columns count from 1, the end column is exclusive.

    Line 0 is the source as a whole.
    """

    source: Source = field(repr=False)
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        place = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.source.name}{place}"


@dataclass(frozen=True, slots=True)
class Note:
    """A related place: where an operand comes from, from which call a block was reached."""

    message: str
    span: Span | None = None


LONGEST = 1_000  # characters of a line of a finding; a name may have a million


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a spec (code `E...`) or looks wrong (`W...`)."""

    code: str
    message: str
    span: Span | None = None
    expected: str | None = None
    found: str | None = None
    suggestion: str | None = None
    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        for part in ("message", "expected", "found", "suggestion"):
            text = getattr(self, part)
            if text is not None and len(text) > LONGEST:
                object.__setattr__(self, part, f"{text[: LONGEST - 3]}...")

    @property
    def is_error(self) -> bool:
        return self.code.startswith("E")

    @property
    def place(self) -> tuple[str, int, int]:
        """The key that findings are sorted by."""
        if self.span is None:
            return ("", 0, 0)
        return (self.span.source.name, self.span.line, self.span.column)

    def __str__(self) -> str:
        head = f"{self.span}: " if self.span else ""
        first = visible(f"{head}{self.code} {self.message}")
        more = []
        if self.expected is not None:
            more.append(f"  expected  {self.expected}")
        if self.found is not None:
            more.append(f"  found     {self.found}")
        for note in self.notes:
            place = f"  ({note.span.source.name}:{note.span.line})" if note.span else ""
            more.append(f"  {note.message}{place}")
        if self.suggestion is not None:
            more.append(f"  {self.suggestion}")
        shown = excerpt(self.span) if self.span is not None else []
        return "\n".join([first, *shown, *map(visible, more)])


EXCERPT = 160  # so many characters of a line are shown


def excerpt(span: Span) -> list[str]:
    """The span's first line under its number, and a line of carets below it; long lines are cut."""
    if not 1 <= span.line <= len(span.source.lines):
        return []
    line = span.source.lines[span.line - 1]
    number = f"{span.line:>5}"
    start = max(0, span.column - 1 - EXCERPT // 2) if len(line) > EXCERPT else 0
    shown = line[start : start + EXCERPT]
    begin = span.column - 1 - start
    end = span.end_column - 1 - start if span.end_line == span.line else len(shown)
    marked = "^" * max(1, _width(visible(shown[begin:end])))
    # Tabs stay tabs in front of the carets, so that both lines align in any terminal.
    lead = "".join(c if c == "\t" else " " * _width(c) for c in visible(shown[:begin]))
    return [f"{number} | {visible(shown)}", f"{' ' * len(number)} | {lead}{marked}"]


def _width(text: str) -> int:
    """The columns that a terminal shows a text in: wide characters take two, some accents none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


class SpecError(ValueError):
    """A spec cannot be used; carries every finding of the stage that gave up."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = sort(findings)
        super().__init__("\n\n".join(map(str, self.findings)))

    def __reduce__(self) -> tuple[type[SpecError], tuple[tuple[Finding, ...]]]:
        return type(self), (self.findings,)


def sort(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings by place, each once."""
    return tuple(dict.fromkeys(sorted(findings, key=lambda f: (*f.place, f.code))))


MAX_NAME = 100  # characters of a name that the nearest one is looked for
MAX_NAMES = 500  # so many are compared with it
MAX_KNOWN = 2_000  # of so many


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name nearest to a misspelt one, or None where none is near."""
    from difflib import get_close_matches

    names, small = list(islice(known, MAX_KNOWN)), name.lower()
    same = [other for other in names if other.lower() == small]
    if same:
        return min(same, key=lambda other: other[:1] != name[:1])
    if len(name) > MAX_NAME:
        return None
    if len(names) > MAX_NAMES:  # of very many, those that begin alike and are as long
        near = (o for o in names if o[:1].lower() == small[:1] and abs(len(o) - len(name)) < 3)
        names = list(islice(near, MAX_NAMES))
    found = get_close_matches(name, names, n=1, cutoff=0.6)
    if not found:  # the right letters in the wrong case: conv2d for Conv2d
        lower = {other.lower(): other for other in names}
        found = [lower[m] for m in get_close_matches(small, lower, n=1, cutoff=0.75)]
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The suggestion line of a misspelt name."""
    best = closest(name, known)
    return None if best is None else f"did you mean {best!r}?"
