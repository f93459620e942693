"""A folded graph as a picture: boxes, clusters and links with their text, still without a layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from graphbuild.errors import Span
from graphbuild.ir import Graph, Input, Output
from graphbuild.render import labels, marks
from graphbuild.render.costs import Cost, Costs, short
from graphbuild.render.fold import Folding, Item, fold
from graphbuild.render.kinds import WORDS, is_concat, sign
from graphbuild.render.sharing import Badges, badges
from graphbuild.render.trunk import trunk
from graphbuild.render.wires import End, Wire, chooses, plain, wires

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


def picture(
    graph: Graph, folding: Folding, color_by: ColorBy = "kind", *, concrete: bool = False
) -> Picture:
    """The picture of an elaborated spec; `concrete` shows sizes at the example, not formulas."""
    return Painter(graph, fold(graph, folding), color_by, concrete).picture()


class Painter:
    """Tells what items show; `viewer.tree` asks it for those that are not visible, too."""

    def __init__(self, graph: Graph, view: Item, color_by: ColorBy, concrete: bool) -> None:
        self.graph, self.view, self.color_by = graph, view, color_by
        self.marked = isinstance(graph, marks.Union)
        self.dims = None if concrete else graph.dims
        self.costs = Costs(graph, memory=color_by == "memory")
        self.ids: dict[int, str] = {}
        self.badges: Badges = badges(view)
        leaves = list(view.leaves())
        self.cost = {id(leaf): self.costs.item(leaf) for leaf in leaves if leaf.part.nodes}
        told = (self._told(leaf) for leaf in leaves)
        self.most = max(map(self._amount, told), default=0)
        ends: list[End] = [*graph.inputs, *leaves, *graph.outputs]
        for number, end in enumerate(ends):
            self.ids[id(end)] = f"n{number}"
        self.leaves = leaves

    def picture(self) -> Picture:
        graph = self.graph
        boxes = (
            *(self._pill(given) for given in graph.inputs),
            *(self._box(leaf) for leaf in self.leaves),
            *(self._pill(output) for output in graph.outputs),
        )
        pills = [*graph.inputs, *graph.outputs]
        inside = (*self._inside(self.view, 0), *(self.ids[id(pill)] for pill in pills))
        total = self.costs.total
        old = self.costs.first or total
        told = [
            f"{labels.change(old.params, total.params)} parameters",
            f"{labels.change(old.macs, total.macs)} MACs",
        ]
        sizes = graph.dims.sizes if graph.dims is not None else {}
        example = ", ".join(f"{name}={values[0]}" for name, values in sizes.items())
        if self.color_by == "memory":
            told.append(f"{short(total.memory, 'B')} activations")
        return Picture(
            name=graph.name,
            doc=graph.doc,
            totals=" · ".join(told) + (f" at {example}" if example else ""),
            boxes=boxes,
            root=Cluster("root", "", graph.name, "", 0, inside),
            links=tuple(self._links()),
            color_by=self.color_by,
            most=short(self.most, "B" if self.color_by == "memory" else ""),
            marked=self.marked,
        )

    def _told(self, item: Item) -> Cost:
        """What a box says that it costs: all of its ×N."""
        return self.cost.get(id(item), Cost()) * labels.copies_told(item)

    def _amount(self, cost: Cost) -> int:
        return 0 if self.color_by == "kind" else getattr(cost, self.color_by)

    def _box(self, item: Item) -> Box:
        cost = self.cost.get(id(item), Cost())
        node = item.part.nodes[0] if item.part.nodes else None
        form: Literal["card", "sign", "bar"] = "card"
        title, rows = labels.title(item), labels.rows(item, self._told(item))
        mark = marks.of(item)
        if mark:
            title = f"{marks.SIGNS[mark]} {title}"
        if mark == "changed":
            old = self.costs.before(item) * labels.copies_told(item)
            rows = labels.changed_rows(item, old, self._told(item))
        if node is not None and item.part.form == "call":
            if sign(node) and not mark:
                form, title, rows = "sign", sign(node), ()
            elif is_concat(node):
                form, rows = "bar", (labels.joined(node, self.dims),)
        merge = form != "card" or (item.part.form == "call" and sign(item.node))
        kind = "merge" if merge else labels.item_kind(item)
        badge = self._badge(item)
        heat = self._amount(self._told(item)) / self.most if self.most and form == "card" else None
        return Box(
            id=self.ids[id(item)],
            path=item.path,
            form=form,
            kind=kind,
            title=title,
            rows=tuple(filter(None, rows)),
            tip=labels.tip(item, self._told(item), self.dims),
            cost=cost,
            turns=labels.own_times(item),
            copies=item.times,
            applied=item.scope.applied if item.scope is not None else 1,
            span=node.span if node is not None else None,
            badge=badge,
            again=id(item) in self.badges.again,
            mode=self._mode(item),
            heat=heat,
            group=self._line(item) if form == "bar" else "",
            mark=mark if self.marked else None,
        )

    def _line(self, item: Item) -> str:
        """The bars of a dense group stand in one line."""
        scope = item.scope
        dense = scope is not None and scope.inside is not None and scope.inside.connect == "dense"
        return f"bus {self.ids[id(next(scope.leaves()))]}" if dense and scope is not None else ""

    def _pill(self, end: Input | Output) -> Box:
        if isinstance(end, Input):
            type_, name, word = end.type, end.name, "input"
        else:
            type_, name = self.graph.value(end.edge), end.name or end.edge.source
            word = "output"
        told = f"{labels.dtype(type_)} {labels.shape(type_, self.dims)}"
        span = end.span if isinstance(end, Input) else end.edge.span
        id_ = self.ids[id(end)]
        tip = f"{word} {name}: {told}"
        mark = marks.mark(end)
        title = " ".join(filter(None, (marks.SIGNS.get(mark), labels.cut(name))))
        rows = (told, *getattr(end, "told", ()))
        return Box(
            id_,
            name,
            "pill",
            word,
            title,
            rows,
            tip,
            Cost(),
            span=span,
            mark=mark if self.marked else None,
        )

    def _inside(self, scope: Item, depth: int) -> Iterator[Cluster | str]:
        for item in scope.items:
            if not item.open:
                yield self.ids[id(item)]
            elif next(item.leaves(), None) is None:
                continue
            elif len(item.items) == 1:  # one thing needs no frame of its own
                yield from self._inside(item, depth)
            else:
                yield self._cluster(item, depth + 1)

    def _cluster(self, item: Item, depth: int) -> Cluster:
        outer = labels.outermost(item)
        title, what = labels.name(outer), labels.called(item.node)
        note = what if what != title else ""
        return Cluster(
            id=self._frame(item),
            path=outer.path,
            title=title,
            note=note,
            depth=depth,
            inside=tuple(self._inside(item, depth)),
            span=item.node.span,
            turns=labels.own_times(item)
            * (item.applied // item.scope.applied if item.scope else 1),
            badge=self._badge(item),
            mode=self._mode(item),
            mark=marks.whole(item.part.nodes),
        )

    def _mode(self, item: Item) -> str:
        """When it runs, unless that is told around it."""
        around = labels.outermost(item).scope
        return item.mode if around is None or around.mode != item.mode else "always"

    def _badge(self, item: Item) -> str:
        """Its own, or that of a scope that it is all of."""
        outer, found = labels.outermost(item), self.badges.of
        while item is not outer and id(item) not in found and item.scope is not None:
            item = item.scope
        return found.get(id(item), "")

    def _links(self) -> Iterator[Link]:
        every = plain(list(wires(self.view)))
        shown = {id(wire): labels.shape(wire.type, self.dims) for wire in every}
        before: dict[int, set[str]] = {}
        for wire in every:
            before.setdefault(id(wire.head), set()).add(shown[id(wire)])
        told: set[tuple[int, str]] = set()
        straight = trunk([(id(w.tail), id(w.head)) for w in every if not chooses(w)])
        for wire in every:
            text = shown[id(wire)]
            yield Link(
                self.ids[id(wire.tail)],
                self.ids[id(wire.head)],
                wire.style,
                wire.case or self._label(wire, text, before, told),
                text,
                main=(id(wire.tail), id(wire.head)) in straight,
                mark=wire.mark or self._touching(wire),
            )
        for one, other, style in self.badges.pairs:
            tail = self.ids[id(next(one.leaves(), other))]
            frame = self._frame(one) if one.open and len(one.items) > 1 else ""
            yield Link(tail, self.ids[id(other)], style, frame=frame)

    def _touching(self, wire: Wire) -> marks.Mark:
        """Of two graphs, an edge is of the one that a box at one of its ends is of."""
        ends = [marks.end(end) for end in (wire.tail, wire.head)] if self.marked else []
        return next((m for m in ends if m in ("added", "removed")), "")

    def _frame(self, item: Item) -> str:
        """The id of an open item's cluster."""
        return f"cluster_{self.ids[id(next(item.leaves()))]}_{item.level}"

    def _label(
        self, wire: Wire, text: str, before: dict[int, set[str]], told: set[tuple[int, str]]
    ) -> str:
        """The shape, at the first edge that has it, where what is at its tail changed it."""
        tail = wire.tail
        if isinstance(tail, Input) or isinstance(wire.head, Output):
            return ""  # the pill tells
        if tail.part.form == "call" and tail.part.nodes:
            if is_concat(tail.node):
                return ""  # so does the bar, for what changed
            if "shape" in tail.node.args and not tail.node.operands:
                return ""  # and the box of a raw parameter
        if text in before.get(id(tail), ()) or (id(tail), text) in told:
            return ""
        told.add((id(tail), text))
        return text
