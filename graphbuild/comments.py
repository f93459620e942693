"""Takes the comments and blank lines of a YAML text over to another layout of the same data.

A parser drops them. Both texts have the same nodes in the same order, so each comment goes with the
node that it stands behind or above.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from graphbuild.source import LOADER

_BREAK = re.compile("[\n\x85\u2028\u2029]")  # what YAML 1.1 takes for the end of a line
_COMMENT = re.compile("#[^\n\x85\u2028\u2029]*")
_HEAD = re.compile(r"[|>]([-+0-9]*)")  # of a block scalar


@dataclass(frozen=True)
class Comment:
    """A comment, and where it stands."""

    text: str
    index: int  # in the text
    line: int
    column: int  # both from 0
    alone: bool  # in its line
    lost: bool  # in brackets, which become one line, or where nothing is read any more


def comments(text: str) -> list[Comment]:
    """Every comment of a text that is YAML."""
    starts = [0, *(mark.end() for mark in _BREAK.finditer(text))]
    found = []
    for begin, end, lost in _gaps(text):
        for mark in _COMMENT.finditer(text, begin, end):
            line = bisect_right(starts, mark.start()) - 1
            column = mark.start() - starts[line]
            alone = not text[starts[line] : mark.start()].strip(" \t\ufeff")
            told = mark.group().rstrip(" \t")
            found.append(Comment(told, mark.start(), line, column, alone, lost))
    return found


def _gaps(text: str) -> Iterator[tuple[int, int, bool]]:
    """What stands between the tokens, from where to where, and whether it would be lost."""
    depth, at = 0, 0
    for token in yaml.scan(text, LOADER):
        start, end = token.start_mark.index, token.end_mark.index
        yield at, start, depth > 0
        if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
            depth += 1
        elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken):
            depth -= 1
        elif isinstance(token, yaml.DocumentEndToken):  # nothing behind it is read
            depth = 1
        elif isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            head = _BREAK.search(text, start)
            yield start, head.start() if head else end, False
        at = max(at, end)


@dataclass(frozen=True)
class _Pair:
    """A node that is seen in the old text, and the same one in the new text."""

    old: Any
    new: Any
    key: Any  # of the new one; None where it has none

    @property
    def index(self) -> int:
        return int(self.old.start_mark.index)

    @property
    def line(self) -> int:
        return int(self.old.start_mark.line)

    @property
    def end(self) -> tuple[int, int]:
        """Index and line where the old one ends; of a block scalar, whose text follows, its head."""
        mark = self.old.start_mark if _is_block(self.old) else self.old.end_mark
        return mark.index, mark.line

    @property
    def behind(self) -> int | None:
        """The line of the new text behind which a comment goes that stood behind the old node."""
        if isinstance(self.new, yaml.ScalarNode):
            return int((self.new.start_mark if _is_block(self.new) else self.new.end_mark).line)
        if self.new.flow_style:
            return int(self.new.end_mark.line)
        return int(self.key.end_mark.line) if self.key is not None else None


def _is_block(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")


def _pairs(old: Any, new: Any) -> Iterator[_Pair]:
    """Those in the order of the text, keys before values."""
    stack = [_Pair(old, new, None)]
    while stack:
        pair = stack.pop()
        one, other = pair.old, pair.new
        if isinstance(one, yaml.ScalarNode):
            if one.end_mark.index > one.start_mark.index:
                yield pair
            continue
        if one.flow_style:
            yield pair
        for item, same in reversed(list(zip(one.value, other.value, strict=True))):
            if isinstance(one, yaml.SequenceNode):
                stack.append(_Pair(item, same, None))
            else:
                stack.append(_Pair(item[1], same[1], same[0]))
                stack.append(_Pair(item[0], same[0], None))


def put(found: list[Comment], text: str, made: str) -> str:
    """`made`, another layout of what `text` says, with the blank lines and comments found in it."""
    pairs = list(_pairs(yaml.compose(text, LOADER), yaml.compose(made, LOADER)))
    page = _Page(made, pairs)
    ends = {pair.end[1]: pair for pair in sorted(pairs, key=lambda pair: pair.end)}
    firsts = {pair.line: pair for pair in reversed(pairs)}
    indices = [pair.index for pair in pairs]
    blanks = _blanks(text, pairs)
    items: list[Comment | _Pair] = [*found, *firsts.values()]
    for item in sorted(items, key=lambda item: item.index):
        if isinstance(item, _Pair):
            page.space(item, blanks.pop(item.line, 0))
        elif not item.alone and item.line in ends:
            page.behind(item, ends[item.line])
        else:
            follows = bisect_right(indices, item.index)
            line = pairs[follows].new.start_mark.line if follows < len(pairs) else len(page.lines)
            page.add(line, blanks.pop(item.line, 0), item.text)
    return page.text()


def _blanks(text: str, pairs: list[_Pair]) -> dict[int, int]:
    """How many blank lines stand above a line, where these are not what a text ends in."""
    kept = {line for pair in pairs for line in _kept(text, pair.old)}
    found, count = {}, 0
    for number, line in enumerate(_BREAK.split(text)):
        if line.strip(" \t\ufeff"):
            found[number], count = count, 0
        elif number not in kept:
            count += 1
    return found


def _kept(text: str, node: Any) -> range:
    """The lines of a block scalar, if the blank lines below are part of it."""
    head = _HEAD.match(text, node.start_mark.index)
    keeps = _is_block(node) and head is not None and "+" in head[1]
    return range(node.start_mark.line, node.end_mark.line) if keeps else range(0)


class _Page:
    """The new text, and what its lines get."""

    def __init__(self, made: str, pairs: list[_Pair]) -> None:
        self.lines = made.removesuffix("\n").split("\n")
        self.above: dict[int, list[str]] = defaultdict(list)
        self.firsts = {pair.new.start_mark.line: pair for pair in reversed(pairs)}
        self.tight = {kept.stop for pair in pairs if (kept := _kept(made, pair.new))}
        self.taken: set[int] = set()  # lines with no place behind them
        for pair in pairs:
            if isinstance(pair.new, yaml.ScalarNode) and not _is_block(pair.new):
                self.taken.update(range(pair.new.start_mark.line, pair.new.end_mark.line))

    def add(self, line: int, blanks: int, *comment: str) -> None:
        """A comment, or none, above a line, with blank lines above if these change no text."""
        if line not in self.tight or self.above[line]:
            self.above[line] += [""] * blanks
        self.above[line] += comment

    def space(self, pair: _Pair, blanks: int) -> None:
        """Blank lines above a node that begins a line."""
        line = pair.new.start_mark.line
        if self.firsts[line] is pair:
            self.add(line, blanks)

    def behind(self, comment: Comment, pair: _Pair) -> None:
        """A comment behind a node: in its column if there is room; above if there is no place."""
        line = pair.behind
        if line is None or line in self.taken:
            self.add(pair.new.start_mark.line, 0, comment.text)
            return
        self.taken.add(line)
        opened = isinstance(pair.new, yaml.CollectionNode) and not pair.new.flow_style
        width = 0 if opened else max(0, comment.column - 1)
        self.lines[line] = f"{self.lines[line]:<{width}} {comment.text}"

    def text(self) -> str:
        """All of it, each comment above a line as far in as this."""
        out: list[str] = []
        for number, line in enumerate([*self.lines, ""]):
            indent = line[: len(line) - len(line.lstrip(" "))]
            out += [indent + above if above else "" for above in self.above.get(number, ())]
            out.append(line)
        return "\n".join(out).lstrip("\n")
