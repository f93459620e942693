"""A picture as a Mermaid flowchart, for documents that draw those themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from graphbuild.render.boxes import Box, Cluster, Link, Picture
from graphbuild.render.text import seen
from graphbuild.render.theme import HUES, heat, on

_FORMS = {"card": ("[", "]"), "sign": ("((", "))"), "bar": ("[", "]"), "pill": ("([", "])")}
_ARROWS = {"data": "-->", "bus": "==>", "control": "-.->", "case": "-.->"}
_ARROWS |= {"shared": "-.-", "tied": "-.-"}


def mermaid(picture: Picture, direction: Literal["TB", "LR"] = "TB") -> str:
    """The flowchart; text stands in quotes, with all that Mermaid might read in it escaped."""
    boxes = {box.id: box for box in picture.boxes}
    lines = ["---", f"title: {_title(f'{picture.name} · {picture.totals}')}", "---"]
    lines.append(f"flowchart {direction}")
    lines += _inside(picture.root, boxes, "  ")
    lines += [f"  {_link(link)}" for link in picture.links]
    lines += _colours(picture)
    return "\n".join(lines) + "\n"


def _inside(cluster: Cluster, boxes: dict[str, Box], indent: str) -> Iterator[str]:
    for inner in cluster.inside:
        if isinstance(inner, str):
            yield indent + _box(boxes[inner])
            continue
        times = f" ×{inner.turns}" if inner.turns > 1 else ""
        title = _quoted(" ".join(filter(None, (inner.title, inner.note))) + times)
        yield f"{indent}subgraph {inner.id} [{title}]"
        yield from _inside(inner, boxes, indent + "  ")
        yield f"{indent}end"


def _box(box: Box) -> str:
    left, right = _FORMS[box.form]
    times = f" ×{box.turns}" if box.turns > 1 else ""
    lines = [box.title + times, *box.rows, *filter(None, [box.badge])]
    lines += [f"{box.mode} only"] if box.mode != "always" else []
    return f"{box.id}{left}{_quoted(*lines)}{right}"


def _link(link: Link) -> str:
    label = f"|{_quoted(link.label)}|" if link.label else ""
    return f"{link.tail} {_ARROWS[link.style]}{label} {link.head}"


def _colours(picture: Picture) -> Iterator[str]:
    cards = [box for box in picture.boxes if box.form in ("card", "bar")]
    fills: dict[str, list[str]] = {}
    for box in cards:
        fill = HUES[box.kind] if box.heat is None else heat(box.heat)
        fills.setdefault(fill, []).append(box.id)
    for fill, ids in fills.items():
        yield (
            f"  style {ids[0]} fill:{fill},color:{on(fill)}"
            if len(ids) == 1
            else (f"  classDef c{fill[1:]} fill:{fill},color:{on(fill)}")
        )
        if len(ids) > 1:
            yield f"  class {','.join(ids)} c{fill[1:]}"


def _quoted(*lines: str) -> str:
    return '"' + "<br/>".join(map(_escaped, lines)) + '"'


def _escaped(text: str) -> str:
    """Each character that is not a plain one as Mermaid's `#code;`."""
    plain = " .,·×→…/⌈⌉⌊⌋+-_−÷"
    return "".join(c if c.isalnum() or c in plain else f"#{ord(c)};" for c in seen(text))


def _title(text: str) -> str:
    import json

    return json.dumps(seen(text), ensure_ascii=False)
