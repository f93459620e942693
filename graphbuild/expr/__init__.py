"""Expressions: `$name.0.key`, `$(...)` and texts that hold them, read into checked Python trees.

An expression is an `ast.expr` of a small, total subset of Python. `lift` reads any YAML value as
one, `evaluate` computes it within limits, `unparse` writes it as a Python author would. Nodes
carry their offset in the text as `col_offset`, so that an error can show its place. Trees are
shared between equal texts: never change one, build another (`substitute`).

Sequences are tuples throughout: `[a, b]` is read as a tuple display, and a comprehension gives a
tuple, so that a list in YAML, in an expression and in an argument are the same thing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import cast

from graphbuild.errors import Span
from graphbuild.expr.error import ExprError
from graphbuild.expr.functions import FUNCTIONS, Budget
from graphbuild.expr.parse import OPEN, parse
from graphbuild.expr.reduce import reduced
from graphbuild.expr.shape import ShapeView
from graphbuild.expr.tree import literal, names, python, same, substitute
from graphbuild.expr.value import evaluate
from graphbuild.expr.write import unparse

__all__ = [
    "FUNCTIONS",
    "Budget",
    "ExprError",
    "ShapeView",
    "closing",
    "evaluate",
    "lift",
    "literal",
    "locate",
    "names",
    "python",
    "reduced",
    "same",
    "substitute",
    "unparse",
]

MAX_LENGTH = 2_000

_BARE = re.compile(r"\$([^\W\d]\w*)((?:\.\w+)*)\Z")
_WORD = re.compile(r"[\w.]*")


def lift(value: object) -> ast.expr:
    """Any YAML value as an expression: a literal, a display, or what its `$` says.

    Raises `ExprError` (E121, E122), with offsets into the text it found wrong.
    """
    if isinstance(value, str):
        try:
            return _read(str(value)) if "$" in value else literal(getattr(value, "value", value))
        except ExprError as error:
            error.text = value
            if error.code == "E122":
                error.suggestion = _quoted(value) or error.suggestion
            raise
    if isinstance(value, (list, tuple)):
        shown = ast.Tuple([lift(item) for item in value], ast.Load())
        shown.texts = list(value)  # type: ignore[attr-defined]
        return shown
    if isinstance(value, Mapping):
        keys: list[ast.expr | None] = [ast.Constant(str(key)) for key in value]
        mapping = ast.Dict(keys, [lift(item) for item in value.values()])
        mapping.texts = list(value.values())  # type: ignore[attr-defined]
        return mapping
    return literal(value)


def locate(text: object, error: ExprError) -> Span | None:
    """Where in the source an error stands: the part of the text that it is about, if it is in one
    line as written, or else the whole of it."""
    text = text if error.text is None else error.text
    span = cast("Span | None", getattr(text, "span", None))
    if span is None or not isinstance(text, str):
        return span
    if span.line != span.end_line:
        return _in_block(text[error.start : error.end], span)
    line = span.source.lines[span.line - 1] if span.line <= len(span.source.lines) else ""
    at = line[span.column - 1 : span.end_column - 1].find(text)
    if at < 0 or not 0 <= error.start < error.end:
        return span
    start = span.column + at + error.start
    return Span(span.source, span.line, start, span.line, start + error.end - error.start)


def _in_block(part: str, span: Span) -> Span:
    """The one place of a part of a text over several lines, or else the whole of it."""
    lines = span.source.lines[span.line - 1 : span.end_line]
    found = [(n, m) for n, line in enumerate(lines) for m in _whole(part).finditer(line)]
    if len(found) != 1:
        return span
    row, match = span.line + found[0][0], found[0][1]
    return Span(span.source, row, match.start() + 1, row, match.end() + 1)


def _whole(part: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(part)}(?!\w)" if part else "(?!)")


def closing(text: str, start: int) -> int | None:
    """The position after the bracket that closes the one at `start`, or None if none does."""
    stack: list[str] = []
    quote = ""
    escaped = False
    for at in range(start, len(text)):
        c = text[at]
        if quote:
            if c == quote and not escaped:
                quote = ""
            escaped = c == "\\" and not escaped
        elif c in "'\"":
            quote = c
        elif c in OPEN:
            stack.append(OPEN[c])
        elif c in ")]}":
            if not stack or stack.pop() != c:
                return None
            if not stack:
                return at + 1
    return None


def _quoted(text: str) -> str | None:
    """The suggestion for a scalar that YAML cut off inside of `{...}` or `[...]`."""
    span = getattr(text, "span", None)
    if not isinstance(span, Span) or not getattr(text, "plain", False):
        return None
    line = span.source.lines[span.line - 1] if span.line <= len(span.source.lines) else ""
    at = line.find("$(", span.column - 1)
    end = None if at < 0 else closing(line, at + 1)
    if end is None:
        return None
    whole = line[span.column - 1 : end]
    shown = f'"{whole}"' if '"' not in whole else "'" + whole.replace("'", "''") + "'"
    return f"inside of {{...}} and [...] an expression needs quotes: {shown}"


def _closed(text: str) -> str | None:
    """A short text with the parentheses that it lacks, in the quotes that braces need."""
    missing = text.count("(") - text.count(")")
    if not 0 < missing < 4 or len(text) > 60:
        return None
    whole = (text + ")" * missing).replace("'", "''")
    return f"write '{whole}'"


@lru_cache(maxsize=20_000)
def _read(text: str) -> ast.expr:
    """A text that holds a dollar."""
    if len(text) > MAX_LENGTH:
        raise ExprError("E121", f"an expression of more than {MAX_LENGTH:,} characters", 0, 0)
    bare = _BARE.match(text)
    if bare:
        return _path(bare)
    parts: list[ast.expr] = []
    pending = ""
    at = 0
    while at < len(text):
        if text[at] != "$":
            pending += text[at]
            at += 1
        elif text.startswith("$$", at):
            pending += "$"
            at += 2
        elif text.startswith("$(", at):
            end = closing(text, at + 1)
            if end is None:
                hint = _closed(text)
                raise ExprError("E122", "this `$(` has no matching `)`", at, len(text), hint)
            value = parse(text[at + 2 : end - 1], at + 2)
            if at == 0 and end == len(text):
                return value
            if pending:
                parts.append(_at(ast.Constant(pending), at - len(pending), at))
            shown = ast.FormattedValue(value=value, conversion=-1, format_spec=None)
            parts.append(_at(shown, at, end))
            pending, at = "", end
        else:
            word = _WORD.match(text, at + 1)
            found = word.group() if word else ""
            hint = f"write $({found})" if found and at else "a dollar itself is written $$"
            hint = _computed(text) or hint
            message = f"'${found}' cannot stand here"
            raise ExprError("E121", message, at, at + 1 + len(found), hint)
    if not parts:
        return _at(ast.Constant(pending), 0, len(text))
    if pending:
        parts.append(_at(ast.Constant(pending), len(text) - len(pending), len(text)))
    return _at(ast.JoinedStr(parts), 0, len(text))


def _computed(text: str) -> str | None:
    """What is meant by `$width * 2`: the whole as an expression, if it can be one."""
    code = re.sub(r"\$(?=[^\W\d])", "", text)
    try:
        meant = (
            re.search(r"[*/+%]|\s-\s", text)
            and "$" not in code
            and isinstance(parse(code, 0), ast.BinOp)
        )
    except ExprError:
        return None
    return f"did you mean $({code})?" if meant else None


def _at(node: ast.expr, start: int, end: int) -> ast.expr:
    node.lineno = node.end_lineno = 1
    node.col_offset, node.end_col_offset = start, end
    return node


def _path(bare: re.Match[str]) -> ast.expr:
    """`$name.0.key`: a name, then list positions and keys."""
    at = bare.end(1)
    if bare.group(1).startswith("__"):
        raise ExprError("E121", f"{bare.group(1)!r} cannot be read", 1, at)
    path = _at(ast.Name(bare.group(1), ast.Load()), 1, at)
    for part in bare.group(2).split(".")[1:]:
        at += 1 + len(part)
        if part.isdecimal():
            index = _at(ast.Constant(int(part)), at - len(part), at)
            path = _at(ast.Subscript(path, index, ast.Load()), 1, at)
        elif part.isidentifier() and not part.startswith("__"):
            path = _at(ast.Attribute(path, part, ast.Load()), 1, at)
        else:
            raise ExprError("E121", f"{part!r} is no position and no key", at - len(part), at)
    return path
