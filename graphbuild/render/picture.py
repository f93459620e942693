"""A folded graph as a picture: boxes, clusters and links with their text, still without a layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal, TypeVar

from graphbuild.ir import Graph, Input, Output
from graphbuild.render import labels, marks
from graphbuild.render.boxes import Box, Cluster, ColorBy, Link, Picture
from graphbuild.render.costs import Cost, Costs, short
from graphbuild.render.fold import PILLS, Folding, Item, fold
from graphbuild.render.kinds import is_concat, sign
from graphbuild.render.sharing import Badges, badges
from graphbuild.render.trunk import trunk
from graphbuild.render.wires import End, Wire, chooses, plain, wires

_End = TypeVar("_End", Input, Output)
PARALLEL = 8  # edges of one kind between two boxes; more are one


def picture(
    graph: Graph, folding: Folding, color_by: ColorBy = "kind", *, concrete: bool = False
) -> Picture:
    """The picture of an elaborated spec; `concrete` shows sizes at the example, not formulas."""
    pills = None if folding.full else PILLS
    return Painter(graph, fold(graph, folding), color_by, concrete, pills).picture()


class Painter:
    """Tells what items show; `viewer.tree` asks it for those that are not visible, too.

    Of more inputs, or outputs, than `pills`, the last pill stands for the rest.
    """

    def __init__(
        self,
        graph: Graph,
        view: Item,
        color_by: ColorBy,
        concrete: bool,
        pills: int | None = None,
    ) -> None:
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
        self.inputs, more_inputs = _few(graph.inputs, pills)
        self.outputs, more_outputs = _few(graph.outputs, pills)
        ends: list[End] = [*self.inputs, *leaves, *self.outputs]
        for number, end in enumerate(ends):
            self.ids[id(end)] = f"n{number}"
        self.gathered: dict[str, int] = {}  # how many further ends a pill stands for, by id
        for shown, more in ((self.inputs, more_inputs), (self.outputs, more_outputs)):
            for end in more:
                self.ids[id(end)] = self.ids[id(shown[-1])]
            if more:
                self.gathered[self.ids[id(shown[-1])]] = len(more)
        self.leaves = leaves

    def picture(self) -> Picture:
        graph = self.graph
        boxes = (
            *(self._pill(given) for given in self.inputs),
            *(self._box(leaf) for leaf in self.leaves),
            *(self._pill(output) for output in self.outputs),
        )
        pills = [*self.inputs, *self.outputs]
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
        if id_ in self.gathered:
            name, told = f"{self.gathered[id_] + 1:,} {word}s", f"from {labels.cut(name)} on"
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
        between = Counter(map(self._way, every))
        drawn: set[tuple[str, ...]] = set()
        for wire in every:
            way, text = self._way(wire), shown[id(wire)]
            if way in drawn:
                continue
            label = wire.case or self._label(wire, text, before, told)
            if between[way] > PARALLEL:
                drawn.add(way)
                label = f"{'' if wire.case else label} ×{between[way]:,}".strip()
            yield Link(
                self.ids[id(wire.tail)],
                self.ids[id(wire.head)],
                wire.style,
                label,
                text,
                main=(id(wire.tail), id(wire.head)) in straight,
                mark=wire.mark or self._touching(wire),
            )
        for one, other, style in self.badges.pairs:
            first = next(one.leaves(), None)
            if first is None:  # there is nothing in it to be seen
                continue
            frame = self._frame(one) if one.open and len(one.items) > 1 else ""
            yield Link(self.ids[id(first)], self.ids[id(other)], style, frame=frame)

    def _way(self, wire: Wire) -> tuple[str, ...]:
        """Edges that are alike in it differ in what they carry alone."""
        return self.ids[id(wire.tail)], self.ids[id(wire.head)], wire.style, wire.mark

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


def _few(ends: tuple[_End, ...], most: int | None) -> tuple[tuple[_End, ...], tuple[_End, ...]]:
    """As many as get a pill of their own, and those that share the last one."""
    if most is None or len(ends) <= most:
        return ends, ()
    return ends[:most], ends[most:]
