"""Text of a spec, safe to show: what cannot be seen, or would drive a terminal, as an escape.

Names are checked, but a `doc`, a file's name or an excerpt may hold anything: escape sequences of
terminals, or marks that turn the direction of writing and make text read as what it is not.
"""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    """The text with `\\x1b`, `\\u202e` and the like written out; line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(char if _is_seen(char) else _escape(char) for char in text)


def _is_seen(char: str) -> bool:
    return char.isprintable() or char in "\n\t" or unicodedata.category(char) == "Zs"


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
