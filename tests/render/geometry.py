"""Where things stand in a drawing, read from its SVG, and which of them are in each other's way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

from graphbuild.render.text import measure

SVG = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?[\d.]+")
Point = tuple[float, float]


@dataclass(frozen=True)
class Rect:
    """A rectangle in points; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float
    text: str = ""

    def meets(self, other: Rect) -> bool:
        across = self.left < other.right - 0.5 and other.left < self.right - 0.5
        return across and self.top < other.bottom - 0.5 and other.top < self.bottom - 0.5

    def holds(self, point: Point) -> bool:
        x, y = point
        return self.left + 1.5 < x < self.right - 1.5 and self.top + 1 < y < self.bottom - 1


@dataclass
class Drawn:
    """A group of the SVG: a box, an edge or a frame, with the texts in it."""

    outline: Rect
    texts: list[Rect]
    line: list[Point] = field(default_factory=list)  # of an edge


class Layout:
    def __init__(self, svg: bytes) -> None:
        self.root = ET.fromstring(svg)
        self.boxes = [self._drawn(group) for group in self._groups("node")]
        self.frames = [self._drawn(group) for group in self._groups("cluster")]
        self.edges = [self._drawn(group) for group in self._groups("edge")]

    def _groups(self, kind: str) -> Iterator[ET.Element]:
        return (group for group in self.root.iter(f"{SVG}g") if group.get("class") == kind)

    def _drawn(self, group: ET.Element) -> Drawn:
        return Drawn(_outline(group), list(_texts(group)), list(_line(group)))

    def faults(self) -> Iterator[str]:
        """What overlaps, is cut off, or is struck through."""
        for one, other in combinations(self.boxes, 2):
            if one.outline.meets(other.outline):
                yield f"two boxes overlap: {_words(one)} and {_words(other)}"
        for drawn in (*self.boxes, *self.frames):
            for text in drawn.texts:
                if text.left < drawn.outline.left - 1 or text.right > drawn.outline.right + 1:
                    yield f"{text.text!r} is wider than what it stands in"
        for text in (text for frame in self.frames for text in frame.texts):
            if any(text.meets(box.outline) for box in self.boxes):
                yield f"the name {text.text!r} is hidden by a box"
            if any(text.holds(point) for edge in self.edges for point in edge.line):
                yield f"the name {text.text!r} is struck through"
        for edge in self.edges:
            yield from self._label(edge)
            for box in self.boxes:
                inner = box.outline
                inner = Rect(inner.left + 2, inner.top + 2, inner.right - 2, inner.bottom - 2)
                if any(inner.holds(point) for point in edge.line):
                    yield f"an edge runs through {_words(box)}"

    def _label(self, edge: Drawn) -> Iterator[str]:
        names = [text for frame in self.frames for text in frame.texts]
        others = [t for e in self.edges if e is not edge for t in e.texts]
        for text in edge.texts:
            if any(text.meets(box.outline) for box in self.boxes):
                yield f"the label {text.text!r} stands on a box"
            if any(text.meets(other) for other in (*names, *others)):
                yield f"the label {text.text!r} stands on another text"
            for other in self.edges:
                if any(text.holds(point) for point in other.line):
                    yield f"the label {text.text!r} is struck through"


def _words(drawn: Drawn) -> str:
    return " ".join(text.text for text in drawn.texts)


def _numbers(text: str | None) -> list[Point]:
    found = [float(number) for number in _NUMBER.findall(text or "")]
    return list(zip(found[::2], found[1::2], strict=True))


def _outline(group: ET.Element) -> Rect:
    points: list[Point] = []
    for shape in group.iter():
        points += _numbers(shape.get("points")) + _numbers(shape.get("d"))
        if shape.tag == f"{SVG}ellipse":
            x, y, across, down = (float(shape.attrib[key]) for key in ("cx", "cy", "rx", "ry"))
            points += [(x - across, y - down), (x + across, y + down)]
    xs, ys = zip(*points, strict=True)
    return Rect(min(xs), min(ys), max(xs), max(ys))


def _texts(group: ET.Element) -> Iterator[Rect]:
    for text in group.iter(f"{SVG}text"):
        words, size = (text.text or "").strip("\u00a0"), float(text.attrib["font-size"])
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        wide = measure(words, size, bold=text.get("font-weight") == "bold")
        left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[text.attrib["text-anchor"]]
        yield Rect(left, y - size * 0.72, left + wide, y, words)


def _line(group: ET.Element) -> Iterator[Point]:
    """Points along the curves of an edge."""
    for path in group.iter(f"{SVG}path"):
        points = _numbers(path.get("d"))
        for at in range(0, len(points) - 3, 3):
            a, b, c, d = points[at : at + 4]
            curve = [_bezier(a, b, c, d, step / 40) for step in range(41)]
            yield from curve


def _bezier(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    u = 1 - t
    x, y = (
        u**3 * p + 3 * u * u * t * q + 3 * u * t * t * r + t**3 * s
        for p, q, r, s in zip(a, b, c, d, strict=True)
    )
    return x, y


def drift(layout: Layout) -> float:
    """How far apart, across, the middles of boxes are that follow one another down a chain."""
    middles = [(box.outline.left + box.outline.right) / 2 for box in layout.boxes]
    return max((abs(one - other) for one, other in pairwise(middles)), default=0.0)
