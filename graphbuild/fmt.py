"""The canonical layout of a spec: spacing, indentation, quotes.

Comments, order and blank lines stay, and so does the choice between one line, `{...}`, and several,
as long as the one line is not too long. Text is quoted where it needs it. PyYAML, which reads every
spec, writes it as well. The result is read again and compared, so that formatting never changes
what a spec says.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.emitter import Emitter

from graphbuild.comments import Comment, comments, put
from graphbuild.elaborate.template import TYPE_WORDS
from graphbuild.errors import Finding, Source, Span, SpecError
from graphbuild.pause import collection_paused
from graphbuild.source import LOADER, Map, Seq, Text, Value, parse, scalar
from graphbuild.syntax import TURNING
from graphbuild.visible import visible

WIDTH = 120  # of what stands in one line
MAX_SIZE = 1_000_000  # characters
_ESCAPED = re.compile("[\x85\u2028\u2029\ufeff]")  # these are seen in double quotes only
# A text with these cannot stand in a block: lines of spaces, and a tab where it begins.
_UNBLOCKED = re.compile(r"(?m)^[ \t]+$|\A[ \n]*\t|\A\s*\Z")


@collection_paused()
def format_text(text: str, name: str = "<text>") -> str:
    """The text of a spec in its canonical layout.

    Raises SpecError where it is not YAML as specs have it, or has a comment that would be lost; ops
    and arguments are not looked at.
    """
    source = Source(name, text)
    if len(text) > MAX_SIZE:
        message = f"the text has more than {MAX_SIZE:,} characters, too many to be laid out"
        raise SpecError([Finding("E004", message, Span(source, 1, 1, 1, 2))])
    before = parse(source)
    if isinstance(before, Text):  # nothing but comments, or no spec at all
        return text
    text = re.sub("\r\n?", "\n", text.lstrip("\ufeff"))
    found = comments(text)
    lost = [_lost(comment, source) for comment in found if comment.lost]
    if lost:
        raise SpecError(lost)
    root = yaml.compose(text, LOADER)
    _lay_out(root, text, 0, 0)
    made = put(found, text, _written(root, text))
    same = _plain(parse(Source(name, made))) == _plain(before)
    if not same or sorted(c.text for c in comments(made)) != sorted(c.text for c in found):
        raise RuntimeError(f"formatting would change {name}")
    return made


def _lost(comment: Comment, source: Source) -> Finding:
    line, column = comment.line + 1, comment.column + 1
    span = Span(source, line, column, line, column + 1)
    hint = "give it a line of its own above"
    return Finding("E002", "a comment here would be lost", span, suggestion=hint)


def _lay_out(node: Any, text: str, lead: int, column: int) -> None:
    """Opens brackets that do not fit into one line, behind `lead` characters; `column` is where the
    keys or dashes of a node stand that has lines of its own.
    """
    if isinstance(node, yaml.ScalarNode):
        return
    if node.flow_style:
        if not node.value or lead + len(_written(node, text)) - 1 <= WIDTH:
            return
        node.flow_style = False
    for item in node.value:
        if isinstance(node, yaml.SequenceNode):
            _lay_out(item, text, column + 2, column + 2)
        else:
            key, value = item
            _lay_out(value, text, column + len(key.value) + 2, column + 2)


def _written(root: Any, text: str) -> str:
    """A node of the text as text, without comments and blank lines."""
    out = io.StringIO()
    printer = _Printer(out, width=10**9, allow_unicode=True)
    printer.emit(yaml.StreamStartEvent())
    printer.emit(yaml.DocumentStartEvent(explicit=False))
    for event in _events(root, text, False):
        printer.emit(event)
    printer.emit(yaml.DocumentEndEvent(explicit=False))
    printer.emit(yaml.StreamEndEvent())
    return TURNING.sub(lambda mark: visible(mark.group()), out.getvalue())


def _events(node: Any, text: str, flow: bool) -> Iterator[Any]:
    if isinstance(node, yaml.ScalarNode):
        yield _scalar(node, text, flow)
        return
    flow = flow or node.flow_style
    if isinstance(node, yaml.SequenceNode):
        yield yaml.SequenceStartEvent(None, None, True, flow_style=flow)
        for item in node.value:
            yield from _events(item, text, flow)
        yield yaml.SequenceEndEvent()
    else:
        yield yaml.MappingStartEvent(None, None, True, flow_style=flow)
        for key, item in node.value:
            yield _scalar(key, text, False)
            yield from _events(item, text, flow)
        yield yaml.MappingEndEvent()


def _scalar(node: Any, text: str, flow: bool) -> Any:
    """A scalar with the quotes that it needs."""
    value, style, lines = node.value, node.style, None
    if style in ("|", ">"):
        if _ESCAPED.search(value) or _UNBLOCKED.search(value):
            style = _quotes(value)
        elif style == ">":
            lines = _folded(text[node.start_mark.index : node.end_mark.index], value)
            style = ">" if lines else "|"
    elif style:
        style = _quotes(value)
    elif "\n" in value or _ESCAPED.search(value):
        style = '"'
    elif not value and flow:
        value = "null"  # what is not there is seen only in a line of its own
    event: Any = yaml.ScalarEvent(None, None, (True, True), value, style=style)
    event.lines = lines
    return event


def _folded(written: str, value: str) -> list[str]:
    """The lines of a folded text as they are broken, or none if it says itself how far in it is."""
    head, *lines = re.split("[\n\x85\u2028\u2029]", written)
    if re.match(">[-+]?[0-9]", head):
        return []
    while not lines[-1].strip(" "):
        lines.pop()
    first = next(line for line in lines if line.strip(" "))
    indent = len(first) - len(first.lstrip(" "))
    kept = len(value) - len(value.rstrip("\n")) - 1
    return [line[indent:] for line in lines] + [""] * kept


class _Printer(Emitter):
    """YAML with lists further in than their keys, and block texts broken as they are."""

    event: Any
    indent: Any

    def expect_document_start(self, first: bool = False) -> None:
        self.open_ended = False  # no "..." behind the last text
        super().expect_document_start(first)

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow)

    def choose_scalar_style(self) -> str:
        if self.event.style in ("|", ">") and not self.flow_level and not self.simple_key_context:
            return str(self.event.style)
        style = str(super().choose_scalar_style())
        return '"' if style == "'" and not self.event.value.isprintable() else style

    def write_folded(self, text: str) -> None:
        self.write_indicator(">" + self.determine_block_hints(text).lstrip("2"), True)
        self.write_line_break()
        for line in self.event.lines:
            self.stream.write(" " * self.indent + line if line else "")
            self.write_line_break()


def _quotes(text: str) -> str | None:
    """The quotes of a text that had some; without any, it gets them where YAML's syntax needs them."""
    if not text.isprintable():
        return '"'
    said = isinstance(scalar(text), str) and text not in TYPE_WORDS and text != "<<"
    return None if text and said else "'"


def _plain(value: Value) -> object:
    """What a text says, without places."""
    if isinstance(value, Map):
        return [(str(key), _plain(item)) for key, item in value.items()]
    if isinstance(value, Seq):
        return [_plain(item) for item in value]
    meant = value.value
    word = value in TYPE_WORDS and value.plain  # which quotes make a text of
    return None if meant is None else (str(value), type(meant), word)
