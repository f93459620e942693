"""What the command line prints: findings and tables, in colour on a terminal and plain elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from graphbuild.errors import Finding
from graphbuild.visible import visible

Column = tuple[str, bool]  # its heading, and whether it holds numbers


def say(text: object, *, error: bool = False) -> None:
    """Print a line that people read."""
    print(visible(str(text)), file=sys.stderr if error else sys.stdout)


def findings(found: Iterable[Finding]) -> None:
    """Print findings to stderr, a blank line after each."""
    for finding in found:
        text = f"{finding}\n"
        if sys.stderr.isatty():
            _coloured(finding, text)
        else:
            print(text, file=sys.stderr)


def _coloured(finding: Finding, text: str) -> None:
    from rich.text import Text

    colour = "bold red" if finding.is_error else "bold yellow"
    out = Text(text)
    place = f"{visible(str(finding.span))}: " if finding.span else ""
    out.stylize("bold", 0, len(place))
    out.stylize(colour, len(place), len(place) + len(finding.code))
    out.highlight_regex(r"(?m)^ +\| [ \t]*(\^+)$", colour)
    out.highlight_regex(r"(?m)^ {2}(did you mean .*)$", "green")
    _rich(sys.stderr).print(out, soft_wrap=True)


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], total: Sequence[str]) -> None:
    """Print a table to stdout; `total` is its last row, or empty."""
    safe = [[visible(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich_table(columns, safe, total)
        return
    lines = [[heading for heading, _ in columns], *safe, *([total] if total else [])]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, columns, strict=True)
        padded = (c.rjust(w) if number else c.ljust(w) for c, w, (_, number) in cells)
        print("  ".join(padded).rstrip())


def _rich_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], total: Sequence[str]
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = Table(box=box.SIMPLE_HEAD, show_footer=bool(total), pad_edge=False)
    for position, (heading, number) in enumerate(columns):
        footer = Text(total[position]) if total else ""
        justify: Any = "right" if number else "left"
        out.add_column(heading, footer=footer, justify=justify, overflow="fold")
    for row in rows:
        out.add_row(*map(Text, row))
    _rich(sys.stdout).print(out)


def _rich(stream: TextIO) -> Any:
    from rich.console import Console

    return Console(file=stream, highlight=False)


def markdown(text: str) -> None:
    """Print Markdown to stdout: rendered on a terminal, as it stands elsewhere."""
    if not sys.stdout.isatty():
        print(visible(text))
        return
    from rich.markdown import Markdown

    _rich(sys.stdout).print(Markdown(text))
