"""The HTML-like labels of boxes, of clusters, and of the picture as a whole.

Widths are given from our own measures, so that a picture does not depend on the fonts of a machine.
"""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING

from graphbuild.render.kinds import WORDS
from graphbuild.render.marks import Mark
from graphbuild.render.text import markup, measure, seen
from graphbuild.render.theme import CHANGED, HUES, SCALE, Theme, heat, on

if TYPE_CHECKING:
    from graphbuild.render.boxes import Box, Cluster, Picture

HEAT = {"params": "parameters", "macs": "MACs", "memory": "activation memory"}
MARKS = {
    "bus": "thick line: running concat",
    "case": "dashed: choice",
    "shared": "dotted: same weights",
    "tied": "dotted: tied weights",
    "mode": "dashed frame: in one mode only",
}
MARKED: dict[Mark, str] = {
    "added": "+ added",
    "removed": "− removed",
    "changed": "~ changed",
    "": "as before",
}
HEAD, BODY, SMALL = 10.5, 9.5, 8.5
LEAST = 64  # no card is less wide
PER_ROW = 4  # entries of the legend
GAP = "&#160;" * 3  # between them
_LETTER = re.compile(r"^(weights )\w+")


def card(box: Box, theme: Theme) -> str:
    """A coloured header that says what it is, and rows on the card below."""
    hue = HUES[box.kind] if box.heat is None else heat(box.heat)
    ink = on(hue)
    if box.mark is not None:
        hue, ink = marked_colours(box.mark, theme)
    colours = {BODY: theme.text, SMALL: theme.muted}
    lines = [_font(markup(text), size, colours[size]) for text, size in _rows(box)]
    lines += [_font(markup(mark), SMALL, theme.shared) for mark in _marks(box)]
    body = ""
    if lines:
        inner = "".join(f"<TR><TD>{line}</TD></TR>" for line in lines)
        body = (
            '<TR><TD CELLPADDING="0"><TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0"'
            f' CELLPADDING="1.5" BGCOLOR="{theme.card}" STYLE="ROUNDED">{inner}</TABLE></TD></TR>'
        )
    style = "ROUNDED,DOTTED" if box.again else "ROUNDED"
    style += ",DASHED" if box.mode != "always" and not box.again else ""
    style += ",DASHED" if box.mark == "removed" and "DASHED" not in style else ""
    # On dark paper the dark end of the scale would have no edge.
    edge = theme.shared if box.again else hue if box.heat is None else theme.line
    head = _font(f"<B>{markup(_head(box))}</B>", HEAD, ink)
    return (
        f'<<TABLE BORDER="1.2" COLOR="{edge}" STYLE="{style}" BGCOLOR="{hue}" CELLBORDER="0"'
        f' CELLSPACING="0" CELLPADDING="3"><TR><TD WIDTH="{width(box):.0f}">{head}</TD></TR>'
        f"{body}</TABLE>>"
    )


def width(box: Box) -> float:
    """How wide a card is."""
    texts = [measure(_head(box), HEAD, bold=True)]
    texts += [measure(text, size) for text, size in _rows(box)]
    texts += [_mark_width(mark) for mark in _marks(box)]
    return max(*texts, LEAST - 16) + 16


def _mark_width(mark: str) -> float:
    """One badge is as wide as another, whatever its letter."""
    return measure(_LETTER.sub(r"\1W", mark), SMALL)


def _head(box: Box) -> str:
    return f"{box.title} ×{box.turns}" if box.turns > 1 else box.title


def _rows(box: Box) -> list[tuple[str, float]]:
    """The rows and their sizes: arguments large, the name with the costs small."""
    return [(text, SMALL if at == len(box.rows) - 1 else BODY) for at, text in enumerate(box.rows)]


def _marks(box: Box | Cluster) -> list[str]:
    return list(filter(None, (box.badge, _only(box.mode))))


def marked_colours(mark: Mark, theme: Theme) -> tuple[str, str]:
    """Of what changed, and of what stayed, in the picture of a difference: a colour and one on it."""
    if mark == "changed":
        return CHANGED, on(CHANGED)
    return {"added": theme.added, "removed": theme.removed}.get(mark, theme.frame), (
        theme.card if mark else theme.text
    )


def bar(box: Box, theme: Theme) -> str:
    """A slim bar, with what comes out of it."""
    hue, ink = HUES["merge"], on(HUES["merge"])
    if box.mark is not None:
        hue, ink = marked_colours(box.mark, theme)
    text = " ".join((box.title, *box.rows))
    wide = measure(text, SMALL) + 24
    return (
        f'<<TABLE BORDER="0" BGCOLOR="{hue}" CELLBORDER="0" CELLSPACING="0"'
        f' CELLPADDING="1"><TR><TD WIDTH="{wide:.0f}">'
        f"{_font(markup(text), SMALL, ink)}</TD></TR></TABLE>>"
    )


def pill(box: Box, theme: Theme) -> str:
    """An input or output: its name, dtype and shape."""
    edge = marked_colours(box.mark, theme)[0] if box.mark else theme.strong
    style = "ROUNDED,DASHED" if box.mark == "removed" else "ROUNDED"
    wide = max(measure(box.title, HEAD, bold=True), *(measure(r, SMALL) for r in box.rows)) + 24
    rows = "".join(f"<TR><TD>{_font(markup(r), SMALL, theme.muted)}</TD></TR>" for r in box.rows)
    return (
        f'<<TABLE BORDER="1.4" COLOR="{edge}" STYLE="{style}" BGCOLOR="{theme.card}"'
        f' CELLBORDER="0" CELLSPACING="0" CELLPADDING="2"><TR><TD WIDTH="{wide:.0f}">'
        f"{_font(f'<B>{markup(box.title)}</B>', HEAD, theme.text)}</TD></TR>{rows}</TABLE>>"
    )


def frame(cluster: Cluster, theme: Theme, room: float) -> str:
    """The name of a cluster, what it is, and how often.

    In lines, where one would reach to the middle of a box inside, where an edge comes in.
    """
    return framed(cluster, theme, 0 if frame_width(cluster) < room / 2 else columns(room))


def columns(room: float) -> int:
    """How many characters a line of a name has beside the middle of a box."""
    return max(int(room / 2 / measure("n", BODY)), 1)


def framed(cluster: Cluster, theme: Theme, columns: int) -> str:
    """The name in one line, or in lines of so many characters."""
    marks = " · ".join(_marks(cluster))
    lines = wrap(note(cluster), columns, break_long_words=False) if columns else [note(cluster)]
    parts = [_font(f"<B>{markup(cluster.title)}</B>", BODY, theme.text)]
    parts += [_font(markup(line), BODY, theme.muted) for line in lines if line]
    parts += [_font(markup(marks), SMALL, theme.shared)] if marks else []
    gap = '<BR ALIGN="LEFT"/>' if columns else "&#160;&#160;"
    return f"<{gap.join(parts)}{gap if columns else ''}>"


def note(cluster: Cluster) -> str:
    """What a cluster is, and how often."""
    times = f"×{cluster.turns}" if cluster.turns > 1 else ""
    return " ".join(filter(None, (cluster.note, times)))


def frame_width(cluster: Cluster) -> float:
    """How wide the name of a cluster is in one line."""
    marks = sum(map(_mark_width, _marks(cluster)))
    return measure(cluster.title, BODY, bold=True) + measure(note(cluster), BODY) + marks


def heading(picture: Picture, theme: Theme) -> str:
    """The title with the totals, and a legend of what occurs."""
    rows = [_font(f"<B>{markup(picture.name)}</B>", 16, theme.text)]
    for line in wrap(seen(picture.doc), 64, max_lines=2, placeholder=" …"):
        rows.append(_font(markup(line), BODY, theme.muted))
    rows.append(_font(markup(picture.totals), BODY, theme.text))
    rows += _legend(picture, theme)
    out = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{out}</TABLE>>'


def _legend(picture: Picture, theme: Theme) -> list[str]:
    """Lines that say what the colours and lines mean, of those that occur."""
    if picture.marked:
        entries = [of_change(mark, theme) for mark in MARKED]
    elif picture.color_by == "kind":
        entries = [of_kind(kind, theme) for kind in picture.kinds]
    else:
        entries = [of_scale(picture.color_by, theme) + word(picture.most, theme)]
    entries += [of_mark(mark, theme) for mark in picture.marks]
    return [GAP.join(entries[at : at + PER_ROW]) for at in range(0, len(entries), PER_ROW)]


def of_kind(kind: str, theme: Theme) -> str:
    return _font("■", BODY, HUES[kind]) + word(WORDS[kind], theme)


def of_change(mark: Mark, theme: Theme) -> str:
    return _font("■", BODY, marked_colours(mark, theme)[0]) + word(MARKED[mark], theme)


def of_scale(color_by: str, theme: Theme) -> str:
    squares = "".join(_font("■", BODY, colour) for colour in SCALE)
    return word(f"{HEAT[color_by]} of one box: 0 ", theme) + squares


def of_mark(mark: str, theme: Theme) -> str:
    return _font(markup(MARKS[mark]), SMALL, theme.muted)


def word(text: str, theme: Theme) -> str:
    return _font(f"&#160;{markup(text)}", SMALL, theme.muted)


def _only(mode: str) -> str:
    return f"{mode} only" if mode != "always" else ""


def _font(text: str, size: float, colour: str) -> str:
    return f'<FONT POINT-SIZE="{size:g}" COLOR="{colour}">{text}</FONT>'
