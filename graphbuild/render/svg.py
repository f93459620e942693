"""What is done to the SVG that Graphviz writes: for light and dark at once, and for inlining."""

from __future__ import annotations

import re

from graphbuild.render.theme import stylesheet

_HEAD = re.compile(r"<svg [^>]*>")
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_TITLE = re.compile(r"<title>(?:cluster_)?n\d+(?:_\d+)?(?:&#45;&gt;n\d+)?</title>\s*")


def finish(drawn: bytes, *, auto: bool) -> bytes:
    """Drop what only Graphviz wants to know; for both schemes, add a stylesheet."""
    text = _COMMENT.sub("", drawn.decode())
    text = _TITLE.sub("", text)  # ids, which viewers would show in place of our tooltips
    if auto:
        style = f"<style>{stylesheet()}</style>"
        text = _HEAD.sub(lambda found: found[0] + "\n" + style, text, count=1)
    return text.encode()
