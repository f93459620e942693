"""What YAML's parser could not read, in words for someone who writes YAML by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from graphbuild.errors import Finding, Source, Span

_REACH = 1000  # an expression longer than this is not searched for its end
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # marks that turn the direction of writing
_BARE = re.compile(r"(?:(?<=[\s\[{,])|^)[^\s\[\]{},'\"#]*\$\(")
_FLOW = "quotes, since inside {...} and [...] bare text ends at , [ ] { }"
_BLOCK = "quotes, since bare text ends at ': ' and ' #'"


def closing(line: str, start: int) -> int | None:
    """Where the bracket that opens at `line[start]` closes (exclusive), quotes skipped."""
    open_, quote = "", ""
    for at in range(start, min(len(line), start + _REACH)):
        char = line[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            open_ += char
        elif char in ")]}":
            if open_[-1] + char not in ("()", "[]", "{}"):
                return None
            open_ = open_[:-1]
            if not open_:
                return at + 1
    return None


def quoted(text: str) -> str:
    """The text as a quoted YAML scalar."""
    if "'" in text and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def cut_expression(source: Source, span: Span) -> Finding | None:
    """A bare ``$(`` inside braces or brackets that YAML ended before its parenthesis closes.

    `span` is the scalar that YAML made of it.
    """
    if span.end_line != span.line:
        return None
    line = source.lines[span.line - 1]
    begin, end = span.column - 1, span.end_column - 1
    at = line.find("$(", begin, end)
    while at >= 0:
        close = closing(line, at + 1)
        if close is None:
            return None
        if close > end:
            tail = re.compile(r"[^,\[\]{}:#\s]*").match(line, close)  # as in $(a, b)px
            return _cut(source, span.line, begin, tail.end() if tail else close, line[begin:end])
        at = line.find("$(", close, end)
    return None


def _cut(
    source: Source, number: int, begin: int, end: int, found: str | None, why: str = _FLOW
) -> Finding:
    return Finding(
        "E122",
        "YAML ends this expression in the middle",
        Span(source, number, begin + 1, number, end + 1),
        expected=why,
        found=found,
        suggestion=f"write {quoted(source.lines[number - 1][begin:end])}",
    )


def bare_colon(key: str, span: Span) -> Finding | None:
    """A key such as ``op:Conv2d`` or ``op Conv2d`` inside braces: a space or colon is missing."""
    match = re.fullmatch(r"([A-Za-z_]\w*)(?::(\S.*)| (\w+))", key)
    if match is None:
        return None
    if match[3]:
        hint = f"write {match[1]}: {match[3]}"
        return Finding("E002", "a key without a colon", span, suggestion=hint)
    message = "a colon ends a key only if a space follows it"
    return Finding("E002", message, span, suggestion=f"write {match[1]}: {match[2]}")


def unreadable(source: Source) -> Finding | None:
    """A character that YAML does not allow anywhere, or one that makes text read as another."""
    match = _UNREADABLE.search(source.text) or TURNING.search(source.text)
    if match is None:
        return None
    what, hint = "control character", "remove it"
    if TURNING.match(match.group()):
        what = "invisible character"
        hint = f'it changes the order in which text is shown; as text, write "\\u{ord(match.group()):04x}"'
    before = f"{source.text[: match.start()]}|".splitlines()
    line, column = len(before), len(before[-1])
    message = f"the text contains the {what} U+{ord(match.group()):04X}"
    span = Span(source, line, column, line, column + 1)
    return Finding("E002", message, span, suggestion=hint)


def explain(source: Source, error: Exception, last: Span | None) -> Finding:
    """The finding for what the parser raised; `last` is the scalar that it read before."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return Finding("E002", "the text is not YAML", Span(source, 1, 1, 1, 1))
    mark, context = error.problem_mark or error.context_mark, error.context_mark
    return _Mistake(
        source,
        str(error.problem or ""),
        str(error.context or ""),
        (mark.line, mark.column) if mark else (0, 0),
        (context.line, context.column) if context else None,
        last,
    ).explain()


Point = tuple[int, int]  # line and column from 0, as YAML's marks count


@dataclass(frozen=True)
class _Mistake:
    """What the parser said: the problem and where, and in what, which it began at `opened`."""

    source: Source
    problem: str
    context: str
    point: Point
    opened: Point | None
    last: Span | None

    def line(self, point: Point) -> str:
        """The text from a point to the end of its line."""
        lines = self.source.lines
        return lines[point[0]][point[1] :] if point[0] < len(lines) else ""

    def finding(self, message: str, hint: str | None = None, at: Point | None = None) -> Finding:
        row, column = at or self.point
        lines = self.source.lines
        if row >= len(lines) and lines:  # behind the end: after the last character
            row, column = len(lines) - 1, len(lines[-1])
        span = Span(self.source, row + 1, column + 1, row + 1, column + 2)
        return Finding("E002", message, span, suggestion=hint)

    def explain(self) -> Finding:
        return (
            self.cut()
            or self.indent()
            or self.first_character()
            or self.quotes()
            or self.colons()
            or self.brackets()
            or self.layout()
            or self.finding(self.problem or "the text is not YAML")
        )

    def cut(self) -> Finding | None:
        """A bare expression around the place, which YAML took for something else."""
        row, column = self.point
        line = self.line((row, 0))
        for match in _BARE.finditer(line, max(0, column - _REACH), column + 2):
            close = closing(line, match.end() - 1)
            if close is not None and match.start() <= column <= close:
                why = _FLOW if "flow" in self.context else _BLOCK
                return _cut(self.source, row + 1, match.start(), close, None, why)
        return None

    def indent(self) -> Finding | None:
        line = self.line((self.point[0], 0))
        lead = line[: len(line) - len(line.lstrip())]
        if "\t" in lead and self.point[1] <= len(lead):
            at = (self.point[0], lead.index("\t"))
            return self.finding("a tab cannot indent YAML", "indent with spaces", at)
        return None

    def first_character(self) -> Finding | None:
        if "cannot start any token" in self.problem:
            at = self.point
        elif re.search("alias|anchor|tag|directive", self.context) and self.opened:
            at = self.opened
        else:
            return None
        rest = self.line(at)
        value = re.split(r"\s#|[,\]}]", rest, maxsplit=1)[0].strip()
        what = "a tab" if rest[:1] == "\t" else repr(rest[:1])
        return self.finding(f"bare text cannot begin with {what}", f"quote it: {quoted(value)}", at)

    def quotes(self) -> Finding | None:
        if "quoted" in self.context and re.search("end of stream|document", self.problem):
            return self.finding("this quote is never closed", None, self.opened)
        if "escape" in self.problem:
            hint = "inside double quotes a backslash is written twice; single quotes take it as is"
            return self.finding("an unknown escape sequence", hint)
        last, here = self.last, (self.point[0] + 1, self.point[1] + 1)
        if last is not None and (last.end_line, last.end_column) == here and here[1] > 1:
            quote = self.line((self.point[0], self.point[1] - 1))[:1]
            if quote in ("'", '"') and self.line(self.point)[:1] not in ("", *",]} "):
                twice = "''" if quote == "'" else '\\"'
                return self.finding("text goes on behind its quote", f"inside, write {twice}")
        return None

    def colons(self) -> Finding | None:
        if "expected ':'" in self.problem:
            at = self.opened or self.point
            return self.no_space(at) or self.finding(
                "a key without a colon", "write key: value", at
            )
        if "mapping values are not allowed" not in self.problem:
            return None
        row, last = self.point[0], self.last
        if last is None:
            return self.finding("a value cannot stand here")
        start = (last.line - 1, last.column - 1)
        if start[0] == row:
            value = self.line(start).split(" #")[0].strip()
            return self.finding("a second colon in one line", f"quote the value: {quoted(value)}")
        text = self.line((row, 0))
        return self.no_space(start) or self.finding(
            "this line continues the value above it, so it cannot have a key",
            "indent it like the key that it stands beside",
            (row, len(text) - len(text.lstrip())),
        )

    def no_space(self, at: Point) -> Finding | None:
        line = self.line(at).split(" #")[0].strip()
        row, column = at[0] + 1, at[1] + 1
        return bare_colon(line, Span(self.source, row, column, row, column + len(line)))

    def brackets(self) -> Finding | None:
        if "flow" not in self.context or self.opened is None:
            rest = self.line(self.point)
            if rest[:1] in ("}", "]"):
                return self.finding(f"nothing is open that this {rest[0]!r} could close")
            return None
        if "node content" in self.problem:
            end = not self.line(self.point).strip()
            return self.finding(
                "the text ends inside [ or {" if end else "a value is expected here"
            )
        opener = self.line(self.opened)[:1]
        closer = "]" if opener == "[" else "}"
        end = self.point[0] >= len(self.source.lines) or not self.line(self.point).strip()
        if end or (self.point[0] > self.opened[0] and self.line(self.point).startswith(":")):
            return self.finding(f"this {opener!r} is never closed", None, self.opened)
        hint = "text that has , : [ ] { or } in it is quoted here"
        return self.finding(f"expected ',' or {closer!r} here", hint)

    def layout(self) -> Finding | None:
        if "sequence entries are not allowed" in self.problem:
            hint = "put it on a line of its own, or write [a, b]"
            return self.finding("a list with '- ' cannot begin here", hint)
        if "block scalar" in self.context:
            return self.finding("text cannot follow '|' or '>' on its line", "quote the text")
        if "expected '-'" in self.problem:
            hint = "items of one list begin with '- ' in the same column"
            return self.finding("the next item of the list is expected here", hint)
        if "expected key" in self.problem:
            hint = "keys of one mapping begin in the same column"
            return self.finding("this does not line up with the lines above", hint)
        return None
