"""The canonical layout of a spec: spacing, indentation, quotes.

Comments, order and blank lines stay, and so does the choice between one line, `{...}`, and several,
as long as the one line is not too long. Text is quoted where it needs it. The result is read again
and compared, so that formatting never changes what a spec says.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from graphbuild.elaborate.template import TYPE_WORDS
from graphbuild.errors import Finding, Source, Span, SpecError
from graphbuild.pause import collection_paused
from graphbuild.source import LOADER, Map, Seq, Text, Value, parse, scalar
from graphbuild.syntax import TURNING
from graphbuild.visible import visible

# And what the two take differently: ends of a line in YAML 1.1, and marks of byte order.
_TABS = re.compile("[\t\x85\u2028\u2029\ufeff]")
WIDTH = 120  # of what stands in one line
MAX_SIZE = 1_000_000  # characters


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
    text = _plainer(re.sub("\r\n?", "\n", text.removeprefix("\ufeff")))
    comments = _comments(text)
    lost = [_lost(mark, source) for mark, _, is_lost in comments if is_lost]
    if lost:
        raise SpecError(lost)
    printer = _printer()
    data = printer.load(text)
    _lay_out(data, -2)
    out = io.StringIO()
    printer.dump(data, out)
    made = _indented(TURNING.sub(lambda mark: visible(mark.group()), out.getvalue()))
    same = _plain(parse(Source(name, made))) == _plain(before)
    if not same or [c for _, c, _ in _comments(made)] != [c for _, c, _ in comments]:
        raise RuntimeError(f"formatting would change {name}")
    return made


def _tokens(text: str) -> Iterator[Any]:
    """The tokens of YAML as the parser of specs sees them, which takes more than ruamel's does."""
    return yaml.scan(text, Loader=LOADER)


def _plainer(text: str) -> str:
    """The text as ruamel reads it: no tabs between tokens, and quotes where bare text has one."""
    if not _TABS.search(text):
        return text
    out, at = [], 0
    for token in _tokens(text):
        start, end = token.start_mark.index, token.end_mark.index
        out.append(_spaced(text[at:start]))
        written = text[max(at, start) : end]
        if isinstance(token, yaml.ScalarToken) and token.plain and _TABS.search(written):
            written = _escaped(token.value)
        out.append(written)
        at = max(at, end)
    return "".join([*out, _spaced(text[at:])])


def _spaced(gap: str) -> str:
    """What stands between tokens, with spaces for tabs that are not in comments."""
    gap = re.sub("[\x85\u2028\u2029]", "\n", gap.replace("\ufeff", ""))
    return re.sub(r"(?m)^[^#\n]*", lambda part: part.group().replace("\t", " "), gap)


def _escaped(text: str) -> str:
    """A text in double quotes."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _TABS.sub(lambda char: f"\\u{ord(char.group()):04x}", text) + '"'


def _comments(text: str) -> list[tuple[Any, str, bool]]:
    """Every comment: where the token before it ends, its text, and whether it would be lost.

    That is so inside of brackets, which become one line.
    """
    found: list[tuple[Any, str, bool]] = []
    depth, end, at = 0, None, 0
    for token in _tokens(text):
        for comment in re.findall("#.*", text[at : token.start_mark.index]):
            found.append((end, comment.rstrip(), depth > 0))
        if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
            depth += 1
        elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken):
            depth -= 1
        elif isinstance(token, yaml.DocumentEndToken):  # nothing behind it is read
            depth = 1
        end, at = token.end_mark, max(at, token.end_mark.index)
    return found


def _lost(mark: Any, source: Source) -> Finding:
    line = mark.line + 1
    span = Span(source, line, mark.column + 1, line, mark.column + 2)
    hint = "give it a line of its own above"
    return Finding("E002", "a comment here would be lost", span, suggestion=hint)


def _printer() -> Any:
    """A reader and writer that keeps comments, and every bare scalar as it is written."""
    from ruamel.yaml import YAML

    printer = YAML()
    printer.preserve_quotes = True
    printer.width = 10**6  # lines are broken here, not by the printer
    printer.indent(mapping=2, sequence=4, offset=2)
    printer.Resolver, printer.Representer, printer.Emitter, printer.Composer = _parts()
    return printer


@cache
def _parts() -> tuple[Any, Any, Any, Any]:
    from ruamel.yaml import scalarstring
    from ruamel.yaml.composer import Composer
    from ruamel.yaml.emitter import Emitter
    from ruamel.yaml.events import SequenceEndEvent
    from ruamel.yaml.representer import RoundTripRepresenter
    from ruamel.yaml.resolver import VersionedResolver

    class Resolver(VersionedResolver):
        versioned_resolver = {}  # noqa: RUF012 - all scalars are text; `source` knows what they mean

    class Representer(RoundTripRepresenter):
        def represent_quoted(self, data: str) -> Any:
            style = _quotes(str(data))
            return self.represent_scalar("tag:yaml.org,2002:str", str(data), style=style)

    class Lists(Emitter):
        """A list inside of a list begins in the same line: `- - a`."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.layouts: list[tuple[int, int]] = []

        def expect_block_sequence(self) -> None:
            inside = self.sequence_context
            super().expect_block_sequence()
            self.layouts.append((self.best_sequence_indent, self.sequence_dash_offset))
            self.best_sequence_indent, self.sequence_dash_offset = (2, 0) if inside else (4, 2)

        def expect_block_sequence_item(self, first: bool = False) -> None:
            ends = not first and isinstance(self.event, SequenceEndEvent)
            super().expect_block_sequence_item(first)
            if ends:
                self.best_sequence_indent, self.sequence_dash_offset = self.layouts.pop()

    class Above(Composer):
        """What stands above brackets stays, also where there is a comment behind them."""

        def compose_sequence_node(self, anchor: Any) -> Any:
            return self.both(super().compose_sequence_node, anchor)

        def compose_mapping_node(self, anchor: Any) -> Any:
            return self.both(super().compose_mapping_node, anchor)

        def both(self, compose: Any, anchor: Any) -> Any:
            start = self.parser.peek_event()
            if not start.flow_style or not start.comment:
                return compose(anchor)
            above, start.comment = start.comment, None
            node = compose(anchor)
            behind = node.comment or [None]
            node.comment = [behind[0] or above[0], above[1], *behind[2:]]
            return node

    for kind in (scalarstring.SingleQuotedScalarString, scalarstring.DoubleQuotedScalarString):
        Representer.add_representer(kind, Representer.represent_quoted)
    return Resolver, Representer, Lists, Above


def _quotes(text: str) -> str | None:
    """The quotes of a text that had some; without any, it gets them where YAML's syntax needs them."""
    if not text.isprintable():
        return '"'
    said = isinstance(scalar(text), str) and text not in TYPE_WORDS and text != "<<"
    return None if text and said else "'"


def _lay_out(node: Any, column: int) -> None:
    """Gives what is too long for one line lines of its own; `column` is where its own key stands."""
    if isinstance(node, str) or not node:
        return
    inner = column + 2 if isinstance(node, dict) else column + 4
    items = list(node.items() if isinstance(node, dict) else enumerate(node))
    for key, item in items:
        if type(item) is str and not item and node.fa.flow_style():
            node[key] = "null"  # what is not there is seen only in a line of its own
        lead = inner + (len(str(key)) + 2 if isinstance(node, dict) else 0)
        flow = not isinstance(item, str) and item.fa.flow_style()
        if flow and _length(item) + lead > WIDTH:
            item.fa.set_block_style()
            _move_comment(node, key, item)
        _lay_out(item, inner)


def _move_comment(node: Any, key: Any, item: Any) -> None:
    """What stood behind one line goes, when that becomes several: its comment to the first of them,
    or above the dash that leaves it no place, and the lines of comments below it behind the last.
    """
    from ruamel.yaml.error import CommentMark
    from ruamel.yaml.tokens import CommentToken

    behind = [2 if isinstance(one, dict) else 0 for one in (node, item)]
    held = node.ca.items.get(key)
    if not held or not held[behind[0]]:
        return
    beside, _, below = held[behind[0]].value.partition("\n")
    first = CommentToken(f"{beside}\n", CommentMark(0)) if beside else None
    if isinstance(node, dict):
        held[2] = first
    else:
        above = [*(held[1] or ()), *([first] if first else ())]
        held[:2] = [None, above or None]
    if below:
        places: list[Any] = [None] * 4
        places[behind[1]] = CommentToken(f"\n{below}", CommentMark(0))
        item.ca.items[list(item)[-1] if isinstance(item, dict) else len(item) - 1] = places


def _length(node: Any) -> int:
    """How long something is in one line."""
    if isinstance(node, dict):
        return sum(len(str(key)) + 4 + _length(item) for key, item in node.items())
    if isinstance(node, list):
        return sum(2 + _length(item) for item in node)
    text = str(node)
    return len(text) + 2 * (isinstance(node, str) and any(c in text for c in ",[]{}"))


def _indented(text: str) -> str:
    """The text with each comment that has a line of its own as far in as what it stands above."""
    lines = text.removesuffix("\n").split("\n")
    inside: set[int] = set()  # lines within a scalar, which are what they are
    for token in _tokens(text):
        if isinstance(token, yaml.ScalarToken):
            inside.update(range(token.start_mark.line + 1, token.end_mark.line))
    column = 0
    for number in reversed(range(len(lines))):
        if number in inside:
            continue
        bare = lines[number].strip(" ")  # a no-break space is text
        if bare.startswith("#"):
            lines[number] = " " * column + bare
        else:
            lines[number] = lines[number].rstrip(" ")
            column = len(lines[number]) - len(bare) if bare else column
    return "\n".join(lines).lstrip("\n") + "\n"


def _plain(value: Value) -> object:
    """What a text says, without places."""
    if isinstance(value, Map):
        return [(str(key), _plain(item)) for key, item in value.items()]
    if isinstance(value, Seq):
        return [_plain(item) for item in value]
    meant = value.value
    word = value in TYPE_WORDS and value.plain  # which quotes make a text of
    return None if meant is None else (str(value), type(meant), word)
