"""YAML text to plain data in which every key and value knows its place.

The text goes through the events of YAML's C parser. Scalars follow the core rules of YAML 1.2:
`on`, `no` and `1_000` are strings, `1e-5` is a number. Anchors, aliases and tags are refused: the
language has params and blocks for reuse, and without them the data is no larger than the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from graphbuild.errors import Finding, Note, Source, Span, SpecError
from graphbuild.syntax import bare_colon, cut_expression, explain, unreadable

MAX_SIZE = 2_000_000  # characters
MAX_DEPTH = 64
MAX_ENTRIES = 150_000
MAX_FINDINGS = 200  # a file with more is not a spec
_MAX_CUTS = 10_000  # bare expressions inside braces whose end is searched for

Place = tuple[int, int, int, int]  # line, column, end line, end column, as in Span

LOADER: Any = getattr(yaml, "CLoader", yaml.SafeLoader)
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_PROPERTY = re.compile(r"\S[^\s,\[\]{}]*")  # a tag or an anchor as it is written
_MAX_DIGITS = 300  # longer digit strings stay text: no size or rate has so many


class Located:
    """What text, sequences and mappings have in common: the place they were written at."""

    __slots__ = ()
    source: Source
    place: Place

    @property
    def span(self) -> Span:
        return Span(self.source, *self.place)


class Text(str, Located):
    """A scalar as it was written, without its quotes; `plain` if it had none."""

    __slots__ = ("place", "plain", "source")
    plain: bool

    @property
    def value(self) -> bool | int | float | str | None:
        """The YAML 1.2 core value of a plain scalar; of a quoted one, its text."""
        return scalar(str(self)) if self.plain else str(self)


class Seq(list[Any], Located):
    """A sequence of `Text`, `Seq` and `Map`."""

    __slots__ = ("place", "source")


class Map(dict[Text, Any], Located):
    """A mapping from `Text` to `Text`, `Seq` and `Map`."""

    __slots__ = ("place", "source")


Value = Text | Seq | Map


def text(content: str, at: Value, plain: bool = True) -> Text:
    """A `Text` that was not written itself but stands for what is written at `at`."""
    out = Text(content)
    out.source, out.place, out.plain = at.source, at.place, plain
    return out


def scalar(content: str) -> bool | int | float | str | None:
    """What a plain scalar means by the core schema of YAML 1.2."""
    if content in _WORDS:
        return _WORDS[content]  # type: ignore[return-value]
    if content[0] not in "+-.0123456789" or len(content) > _MAX_DIGITS:
        return content
    if _DECIMAL.fullmatch(content):
        return int(content)
    if _FLOAT.fullmatch(content):
        return float(content)
    if re.fullmatch("0o[0-7]+", content):
        return int(content[2:], 8)
    if re.fullmatch("0x[0-9a-fA-F]+", content):
        return int(content[2:], 16)
    return content


def plain(value: Value) -> object:
    """Located data as plain Python data; keys stay the text they are."""
    if isinstance(value, Text):
        return value.value
    if isinstance(value, Seq):
        return [plain(item) for item in value]
    return {str(key): plain(item) for key, item in value.items()}


def parse(source: Source) -> Value:
    """The data of a text; raises `SpecError` with every finding (E002, E003, E004, E122)."""
    findings: list[Finding] = []
    root = _read(source, findings)
    if findings:
        raise SpecError(findings)
    return root if root is not None else _at(Text(""), source, (1, 1, 1, 1), True)


def _at(out: Text, source: Source, place: Place, bare: bool) -> Text:
    out.source, out.place, out.plain = source, place, bare
    return out


def _read(source: Source, findings: list[Finding]) -> Value | None:
    bad = None
    if len(source.text) > MAX_SIZE:
        message = f"the text has more than {MAX_SIZE:,} characters"
        bad = Finding("E004", message, Span(Source(source.name, ""), 1, 1, 1, 1))
    bad = bad or unreadable(source)
    if bad is not None:
        findings.append(bad)
        return None
    reader = _Reader(source, findings)
    loader = LOADER(source.text)
    try:
        for event in iter(loader.get_event, None):
            if not reader.take(event):
                break
    except yaml.YAMLError as error:
        finding = explain(source, error, reader.last.span if reader.last is not None else None)
        # An expression that YAML cut in two often makes the rest of its line unreadable as well.
        if not any(f.code == "E122" and _same_line(f, finding) for f in findings):
            findings.append(finding)
    finally:
        loader.dispose()
    return reader.root


def _same_line(one: Finding, other: Finding) -> bool:
    return one.span is not None and other.span is not None and one.span.line == other.span.line


class _Reader:
    """Builds the data, event by event."""

    def __init__(self, source: Source, findings: list[Finding]) -> None:
        self.source = source
        self.findings = findings
        self.root: Value | None = None
        self.last: Text | None = None  # the last scalar, for a syntax error that follows it
        self.top: Seq | Map | None = None
        self.key: Text | None = None
        self.flow = False
        self.stack: list[tuple[Seq | Map | None, Text | None, bool]] = []
        self.entries = 0
        self.documents = 0
        self.cuts = 0

    def find(self, code: str, message: str, place: Place, suggestion: str | None = None) -> None:
        span = Span(self.source, *place)
        self.findings.append(Finding(code, message, span, suggestion=suggestion))

    def take(self, event: Any) -> bool:
        """Take an event in; false where reading further is of no use."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            start, end = event.start_mark, event.end_mark
            item: Any = Text(event.value)
            item.source = self.source
            item.place = (start.line + 1, start.column + 1, end.line + 1, end.column + 1)
            item.plain = not event.style
            self.last = item
            if self.flow and item.plain and (not item or "$(" in item):
                self._check_flow(item)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            item = Map() if kind is yaml.MappingStartEvent else Seq()
            item.source = self.source
            item.place = _place(event)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close(event)
            return True
        elif kind is yaml.AliasEvent:
            self._refuse_alias(event)
            item = _at(Text(""), self.source, _place(event), True)
        else:
            return self._document(event)
        if kind is not yaml.AliasEvent and (event.tag or event.anchor):
            self._refuse_property(event)
        self.entries += 1
        if self.entries > MAX_ENTRIES:
            self.find("E004", f"the text has more than {MAX_ENTRIES:,} entries", item.place)
            return False
        self._attach(item)
        if kind is not yaml.ScalarEvent and kind is not yaml.AliasEvent:
            self.stack.append((self.top, self.key, self.flow))
            if len(self.stack) > MAX_DEPTH:
                self.find("E004", f"the text is nested deeper than {MAX_DEPTH} levels", item.place)
                return False
            self.top, self.key, self.flow = item, None, bool(event.flow_style)
        return len(self.findings) < MAX_FINDINGS

    def _attach(self, item: Any) -> None:
        top = self.top
        if top is None:
            self.root = item
        elif isinstance(top, Seq):
            top.append(item)
        elif self.key is not None:
            if item.place[0] > self.key.place[2] and not item and isinstance(item, Text):
                # a value that is not there (`? key`) has the mark of whatever comes next
                item.place = self.key.place[2:] * 2
            if self.key == "<<" and self.key.plain and (item or not isinstance(item, Text)):
                hint = "params, defaults and blocks say things once"
                self.find("E002", "YAML's merge keys are not used in specs", self.key.place, hint)
            top[self.key] = item
            self.key = None
        elif not isinstance(item, Text):
            what = "mapping" if isinstance(item, Map) else "list"
            hint = "quote it if these braces or brackets are meant as text"
            self.find("E002", f"a {what} cannot be a key", item.place, hint)
            self.key = _at(Text(f"?{self.entries}"), self.source, item.place, False)
        else:
            self.key = item
            if item in top:
                self._refuse_twice(item, top)

    def _close(self, event: Any) -> None:
        item = self.top
        if item is None:
            return
        line, column = item.place[:2]
        if self.flow:
            end = (event.end_mark.line + 1, event.end_mark.column + 1)
        else:  # the end mark of a block stands at whatever comes next
            children = list(item.values())[-1:] if isinstance(item, Map) else item[-1:]
            end = children[0].place[2:] if children else (line, column)
        item.place = (line, column, *end)
        self.top, self.key, self.flow = self.stack.pop()
        # the key was used up when the container was attached
        self.key = None

    def _document(self, event: Any) -> bool:
        if type(event) is yaml.DocumentStartEvent:
            self.documents += 1
            if self.documents > 1:
                hint = "remove the '---', or put the second one into a file of its own"
                self.find("E002", "a file holds one spec; here begins another", _place(event), hint)
                return False
        return True

    def _check_flow(self, item: Text) -> None:
        """What YAML takes for something else inside braces and brackets."""
        finding = None
        if "$(" in item and self.cuts < _MAX_CUTS:
            self.cuts += 1
            finding = cut_expression(self.source, item.span)
        key = self.key
        if not item and key is not None and key.plain and key.place[2:] == item.place[:2]:
            finding = bare_colon(key, key.span)
        if finding is not None:
            self.findings.append(finding)

    def _refuse_twice(self, key: Text, top: Map) -> None:
        first = next(k for k in top if k == key)
        note = Note("it stands here already", first.span)
        self.findings.append(
            Finding("E003", f"the key {str(key)!r} stands twice", key.span, notes=(note,))
        )

    def _refuse_alias(self, event: Any) -> None:
        hint = f"quote it if it is meant as text: '*{event.anchor}'"
        self.find("E002", "YAML's aliases are not used in specs", _place(event), hint)

    def _refuse_property(self, event: Any) -> None:
        what, hint = "tags", "quote it if it is meant as text"
        if event.anchor:
            what, hint = "anchors", "params and blocks say things once"
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        written = _PROPERTY.match(self.source.text, event.start_mark.index)
        place = (line, column, line, column + (len(written.group()) if written else 1))
        self.find("E002", f"YAML's {what} are not used in specs", place, hint)


def _place(event: Any) -> Place:
    start, end = event.start_mark, event.end_mark
    return (start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def walk(value: Value) -> Iterator[Text]:
    """Every scalar of the data, keys too, in file order."""
    if isinstance(value, Text):
        yield value
    elif isinstance(value, Seq):
        for item in value:
            yield from walk(item)
    else:
        for key, item in value.items():
            yield key
            yield from walk(item)
