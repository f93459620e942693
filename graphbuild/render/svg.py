"""What is done to the SVG that Graphviz writes: for readers, for screen readers, for both schemes."""

from __future__ import annotations

import re

from graphbuild.render.text import FONT, markup
from graphbuild.render.theme import stylesheet

_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_ID = re.compile(r"<title>[^<]*</title>\s*")  # its ids, which would be shown in place of our words
_TIP = re.compile(r' xlink:title="([^"]*)"([^>]*)>')  # which browsers do not show everywhere
_EACH = (f' font-family="{FONT}"', ' xml:space="preserve"')
_NODE = re.compile(
    r'<g id="node\d+" class="node">.*?(?=<g id="(?:node|edge|clust)\d|</svg>)', re.DOTALL
)
_OUTLINE = re.compile(r' (?:points|d)="([^"]*)"')
_ACROSS = re.compile(r"(-?[\d.]+),-?[\d.]+")
_START = re.compile(r'text-anchor="start" x="[^"]*"')


def finish(drawn: bytes, name: str, told: str, *, auto: bool) -> bytes:
    """The drawing with a title, tooltips as titles, and for both schemes a stylesheet."""
    text = _ID.sub("", _COMMENT.sub("", drawn.decode()))
    for each in _EACH:  # said once, for all
        text = text.replace(each, "")
    text = _TIP.sub(r"\2><title>\1</title>", text)
    text = _NODE.sub(_centred, text)
    head = f"<title>{markup(name)}</title>\n<desc>{markup(told)}</desc>\n"
    if auto:
        head += f"<style>{stylesheet()}</style>\n"
    text = text.replace("<svg ", f'<svg role="img" font-family="{FONT}" ', 1)
    return text.replace('<g id="graph0"', head + '<g id="graph0"', 1).encode()


def _centred(found: re.Match[str]) -> str:
    """A box with its text in the middle, however wide the reader's font makes it."""
    outlines = " ".join(_OUTLINE.findall(found[0]))
    across = [float(x) for x in _ACROSS.findall(outlines)]
    if not across:
        return found[0]
    middle = (min(across) + max(across)) / 2
    return _START.sub(f'text-anchor="middle" x="{middle:.2f}"', found[0])
