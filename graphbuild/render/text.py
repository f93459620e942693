"""The one authority on text in pictures: what may be seen, how wide it is, how it is escaped.

Names and docs come from specs that nobody has looked at. They are shown as text, whatever they hold.
"""

from __future__ import annotations

import unicodedata
from html import escape

FONT = "Helvetica,Arial,sans-serif"
# Widths of Helvetica in thousandths of its size, from the space to the tilde. Arial, Liberation Sans
# and Nimbus Sans have the same, so boxes of these sizes are the same on every machine.
_WIDTHS = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556,) * 10,
    *(278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500),
    *(667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278),
    *(278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222),
    *(833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
_WIDER = {"⌈": 390, "⌉": 390, "⌊": 390, "⌋": 390, "·": 333, "→": 1000, "…": 1000, "×": 584}
_LONGEST = 4_000
_BOLD = 1.07  # bold text, as measured on names of ops


def seen(text: str) -> str:
    """The text with what cannot be seen, or turns the direction of writing, written out.

    What is longer than anyone reads, and than DOT takes, is cut.
    """
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    if text.isprintable() or text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _written(c) for c in text)


def _written(char: str) -> str:
    code = ord(char)
    if unicodedata.category(char) == "Zs" or char == "\t":
        return " "
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def markup(text: str) -> str:
    """Text inside of an HTML-like label, of SVG or HTML."""
    return escape(seen(text).replace("\n", " "))


def attribute(text: str) -> str:
    """Text as a DOT attribute, where a backslash would be read as an escape.

    Marked for the package graphviz as no HTML-like string, which it takes all in `<...>` for.
    """
    from graphviz import nohtml

    marked: str = nohtml(seen(text).replace("\\", "\\\\"))
    return marked


def quoted(text: str) -> str:
    """Text as it stands between the quotes of a DOT attribute."""
    return attribute(text).replace('"', '\\"')


def measure(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is, in points."""
    total = 0
    for char in seen(text):
        code = ord(char)
        if 32 <= code < 127:
            total += _WIDTHS[code - 32]
        elif char in _WIDER:
            total += _WIDER[char]
        else:
            total += 1000 if unicodedata.east_asian_width(char) in "WF" else 600
    return total * size / 1000 * (_BOLD if bold else 1)
