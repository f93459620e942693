"""Breaking text into lines: a document of pieces, groups and possible breaks, in 88 columns.

The algorithm is the usual one of code formatters, with the two devices that `ruff format` adds:
parentheses that appear only where a group breaks, and brackets that may open inside of a group
that counts as unbroken (`FitsExpanded`).

A document is a `str`, a list of documents, or one of the classes below.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Union

WIDTH = 88
INDENT = 4


@dataclass(eq=False, slots=True)
class Line:
    """A possible break: `flat` where its group does not break, a new line where it does."""

    flat: str = ""


LINE = Line(" ")
SOFT = Line()


@dataclass(eq=False, slots=True)
class Group:
    """Breaks all of its lines or none. With `when`, it is a group only where that group broke."""

    content: Doc
    when: Group | None = None
    broken: bool = field(default=False, init=False)  # as last printed or measured


@dataclass(eq=False, slots=True)
class Indent:
    """One level further in; with `when`, only where that group broke."""

    content: Doc
    when: Group | None = None


@dataclass(eq=False, slots=True)
class IfBroken:
    """One of two texts, by whether a group (or the one around it) broke."""

    broken: Doc
    flat: Doc = ""
    group: Group | None = None


@dataclass(eq=False, slots=True)
class FitsExpanded:
    """A bracket that may open without breaking `group`, whose parentheses it so makes needless."""

    content: Doc
    group: Group


@dataclass(eq=False, slots=True)
class BestFit:
    """In parentheses on a line of its own if it fits there, but not on the line it is on."""

    content: Doc


Doc = Union[str, "list[Doc]", Line, Group, Indent, IfBroken, FitsExpanded, BestFit]


@dataclass(frozen=True, slots=True)
class _Mode:
    indent: int
    broken: bool
    # When measuring: lines of an opened bracket go by, since parentheses would not shorten them.
    opened: bool = False


_Task = tuple[Doc, _Mode]


def width(text: str) -> int:
    """Columns that a text takes."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class _Printer:
    def __init__(self, indent: int) -> None:
        self.lines: list[str] = []
        self.line = " " * indent
        # Whether a group around has been found to fit, so that inner groups need no measuring.
        self.measured = False

    def print(self, doc: Doc, indent: int) -> list[str]:
        tasks: list[_Task] = [(doc, _Mode(indent, broken=True))]
        while tasks:
            self._step(tasks)
        self.lines.append(self.line.rstrip())
        return self.lines

    def _step(self, tasks: list[_Task]) -> None:
        doc, mode = tasks.pop()
        if isinstance(doc, str):
            self.line += doc
        elif isinstance(doc, list):
            tasks += [(part, mode) for part in reversed(doc)]
        elif isinstance(doc, Line):
            if mode.broken:
                self.lines.append(self.line.rstrip())
                self.line = " " * mode.indent
                self.measured = False
            else:
                self.line += doc.flat
        elif isinstance(doc, Group):
            if doc.when is None or doc.when.broken:
                mode = self._group(doc, mode, tasks)
            tasks.append((doc.content, mode))
        elif isinstance(doc, FitsExpanded):
            if not doc.group.broken:
                self.measured = False
            tasks.append((doc.content, mode))
        elif isinstance(doc, BestFit):
            self._best_fit(doc, mode, tasks)
        else:
            tasks.append(_plain(doc, mode))

    def _group(self, doc: Group, mode: _Mode, tasks: list[_Task]) -> _Mode:
        doc.broken = False
        if mode.broken or not self.measured:
            self.measured = True
            flat = _Mode(mode.indent, broken=False)
            doc.broken = not self._fits((doc.content, flat), tasks)
        return _Mode(mode.indent, doc.broken)

    def _best_fit(self, doc: BestFit, mode: _Mode, tasks: list[_Task]) -> None:
        flat = _Mode(mode.indent, broken=False)
        inner = _Mode(mode.indent + INDENT, broken=False)
        if not self._fits((doc.content, flat), tasks):
            line, self.line = self.line, " " * inner.indent
            if self._fits((doc.content, inner), []):
                self.line = line
                around: list[Doc] = ["(", Indent([SOFT, doc.content]), SOFT, ")"]
                tasks.append((around, _Mode(mode.indent, broken=True)))
                return
            self.line = line
        tasks.append((doc.content, flat))

    def _fits(self, first: _Task, rest: list[_Task]) -> bool:
        """Whether the text up to the next line break fits into the line."""
        room = WIDTH - width(self.line)
        wrapped = False  # whether an opened bracket has gone to another line
        tasks = [first]
        waiting = len(rest)
        while tasks or waiting:
            if not tasks:
                waiting -= 1
                tasks.append(rest[waiting])
            doc, mode = tasks.pop()
            if isinstance(doc, str):
                room -= width(doc)
                if room < 0 and not (mode.opened and wrapped):
                    return False
            elif isinstance(doc, list):
                tasks += [(part, mode) for part in reversed(doc)]
            elif isinstance(doc, Line):
                if not mode.broken:
                    room -= len(doc.flat)
                elif mode.opened:
                    wrapped = True
                    room = WIDTH - mode.indent
                else:
                    return True
            elif isinstance(doc, Group):
                if doc.when is None or doc.when.broken:
                    doc.broken = mode.broken
                tasks.append((doc.content, mode))
            elif isinstance(doc, FitsExpanded):
                if not doc.group.broken:
                    wrapped = False
                    mode = _Mode(mode.indent, broken=True, opened=True)
                tasks.append((doc.content, mode))
            elif isinstance(doc, BestFit):
                tasks.append((doc.content, mode))
            else:
                tasks.append(_plain(doc, mode))
        return True


def _plain(doc: Indent | IfBroken, mode: _Mode) -> _Task:
    if isinstance(doc, Indent):
        if doc.when is None or doc.when.broken:
            mode = _Mode(mode.indent + INDENT, mode.broken, mode.opened)
        return doc.content, mode
    broken = mode.broken if doc.group is None else doc.group.broken
    return (doc.broken if broken else doc.flat), mode


def print_doc(doc: Doc, indent: int = 0) -> list[str]:
    """The lines of a document whose first line is indented by so many spaces."""
    return _Printer(indent).print(doc, indent)
