"""What a picture consists of: boxes, clusters and links with their text, as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from graphbuild.errors import Span
from graphbuild.render import marks
from graphbuild.render.costs import Cost
from graphbuild.render.kinds import WORDS

ColorBy = Literal["kind", "params", "macs", "memory"]


@dataclass(frozen=True, slots=True)
class Box:
    """One visible node. card: a header and rows. sign: an operator. bar: a concat. pill: an end."""

    id: str
    path: str
    form: Literal["card", "sign", "bar", "pill"]
    kind: str
    title: str
    rows: tuple[str, ...]
    tip: str
    cost: Cost  # of one; the rows tell that of all of its ×N
    turns: int = 1  # the ×N that is told at the box
    copies: int = 1  # how many equal ones it stands for, with the ×N of the clusters around it
    applied: int = 1  # how often each is applied in turn, by clusters around it
    span: Span | None = None
    badge: str = ""  # of weights that are applied again
    again: bool = False  # it applies weights that are drawn elsewhere
    mode: str = "always"
    heat: float | None = None  # 0 to 1, where colours tell costs
    group: str = ""  # boxes of one stand in a straight line
    mark: marks.Mark | None = None  # in the picture of a difference


@dataclass(frozen=True, slots=True)
class Cluster:
    """An open scope: the boxes and clusters in it, by id and in the order of the file."""

    id: str
    path: str
    title: str
    note: str
    depth: int
    inside: tuple[Cluster | str, ...]
    span: Span | None = None
    turns: int = 1
    badge: str = ""
    mode: str = "always"
    mark: marks.Mark = ""

    def boxes(self) -> Iterator[str]:
        """The ids of all boxes in it."""
        for inner in self.inside:
            if isinstance(inner, str):
                yield inner
            else:
                yield from inner.boxes()

    def clusters(self) -> Iterator[Cluster]:
        """All clusters in it."""
        for inner in self.inside:
            if not isinstance(inner, str):
                yield inner
                yield from inner.clusters()


@dataclass(frozen=True, slots=True)
class Link:
    """An edge; `label` is the shape where it changes, or the case."""

    tail: str
    head: str
    style: Literal["data", "control", "case", "bus", "shared", "tied"]
    label: str = ""
    tip: str = ""
    frame: str = ""  # the cluster where it begins, rather than at the box in there
    main: bool = False  # on the longest way through: it should be straight
    mark: marks.Mark = ""


@dataclass(frozen=True)
class Picture:
    """All that is drawn, in words."""

    name: str
    doc: str
    totals: str
    boxes: tuple[Box, ...]
    root: Cluster
    links: tuple[Link, ...]
    color_by: ColorBy = "kind"
    most: str = ""  # the end of the scale, where colours tell costs
    marked: bool = False  # whether it is of a difference, and colours tell what changed

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that occur, in the order of the legend."""
        found = {box.kind for box in self.boxes if box.form == "card"}
        return tuple(kind for kind in WORDS if kind in found)

    @property
    def marks(self) -> tuple[str, ...]:
        """What else the legend explains."""
        styles = {link.style for link in self.links}
        found = [style for style in ("bus", "case", "shared", "tied") if style in styles]
        modes = {box.mode for box in self.boxes} | {c.mode for c in self.root.clusters()}
        return tuple(found) if modes <= {"always"} else (*found, "mode")
