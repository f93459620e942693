"""A graph as the viewer reads it: a tree of items, each with what it shows closed and open.

Nothing is laid out or chosen here. Equal calls of a block are told once, with `$` for where they
stand. What depends on what else is visible is left open, or told in each form that it can take; the
scripts know the rest: `dot.js` the numbers and colours, `wires.js` the edges.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from graphbuild.ir import Graph, Input, Node, Output, Several, Type
from graphbuild.render import labels
from graphbuild.render.boxes import Box, Cluster
from graphbuild.render.cards import LEAST, columns, frame_width, framed, note, width
from graphbuild.render.costs import Cost, Costs
from graphbuild.render.dot import Style, cluster_attributes, node_attributes
from graphbuild.render.fold import Folder, Folding, Item
from graphbuild.render.kinds import is_concat
from graphbuild.render.parts import present
from graphbuild.render.picture import Painter
from graphbuild.render.sharing import Badges
from graphbuild.render.text import markup, quoted
from graphbuild.render.theme import LIGHT
from graphbuild.render.viewer.details import Details
from graphbuild.render.viewer.statements import of_cluster, of_node

Record = dict[str, Any]
ANYWHERE = "$"  # the path of a scope that stands in several places; no name has a dollar
BADGE, SAME, EACH = "weights A", "same weights each time", "weights A, each time"


def tree(
    graph: Graph, folding: Folding, *, concrete: bool = False, link_base: str | None = None
) -> Record:
    """All there is to see of a graph; `concrete` shows sizes at the example, not formulas."""
    return _Tree(graph, folding, concrete, Details(graph, link_base)).data()


class _Tree(Painter):
    def __init__(self, graph: Graph, folding: Folding, concrete: bool, details: Details) -> None:
        self.folder = Folder(graph, folding)
        super().__init__(graph, self.folder.root, "kind", concrete)
        self.costs = Costs(graph, memory=True)
        self.ids = _Anywhere()
        self.badges = Badges()
        self.details = details
        self.graphs: dict[Graph, int] = {}
        self.scopes: list[Record] = []
        self.known: dict[object, int] = {}
        self.types: dict[Type, int] = {}
        self.texts: dict[str, tuple[str, str]] = {}  # as in labels, as in attributes; if otherwise
        self.boxes: dict[Box, tuple[str, float]] = {}
        self.frames: dict[Cluster, tuple[float, str, list[tuple[int, str]]]] = {}
        self.owners: dict[Graph, frozenset[str]] = {}
        ties = [path for tie in graph.ties for path in (tie.path, tie.source)]
        self.tied = {part for path in ties for part in _above(path)}

    def data(self) -> Record:
        graph, root = self.graph, self.folder.whole()
        whole = self._scope(root)
        return {
            "scopes": self.scopes,
            "graphs": [self._graph(each) for each in list(self.graphs)],
            "whole": whole,
            "types": self._types(),
            "inputs": [self._end(end) for end in graph.inputs],
            "outputs": [self._end(end) for end in graph.outputs],
            "ties": [[tie.path, tie.source] for tie in graph.ties],
            "open": sorted(self._opened(self.folder.root, self.folder.whole().items)),
            "texts": self.texts,
            "files": self.details.files(),
        }

    # -- items ----------------------------------------------------------------------------------

    def _scope(self, item: Item) -> int:
        """The place in `scopes` of what is in an open item."""
        graph = item.inside
        if graph is None:
            raise ValueError(f"{item.path} is not a scope")
        key = (graph, item.mode)
        # one thing alone takes the name of what it lies in, and a tie is told by its whole path
        anywhere = len(item.items) > 1 and item.scope is not None and item.path not in self.tied
        if anywhere and key in self.known:
            return self.known[key]
        at = len(self.scopes)
        self.scopes.append({})
        if anywhere:
            self.known[key] = at
            item.path = ANYWHERE
            for inner in item.items:
                inner.path = f"{ANYWHERE}.{inner.node.name}" if inner.part.nodes else ANYWHERE
        number = self.graphs.setdefault(graph, len(self.graphs))
        items = [self._record(item, inner) for inner in list(item.items)]
        self.scopes[at] |= {"graph": number, "items": items, "anywhere": anywhere}
        return at

    def _record(self, scope: Item, item: Item) -> Record:
        """What an item shows closed, what it shows open, and what is in it."""
        part, path, level = item.part, item.path, item.level
        self.cost[id(item)] = self.costs.item(item) if part.nodes else Cost()
        record: Record = {
            "form": part.form,
            "nodes": [node.name for node in part.nodes],
            "turns": part.turns,
            "box": self._closed(item),
            "name": labels.part_name(part) if part.nodes else part.form,
        }
        if any(node.times is not None for node in part.nodes):
            record["same"] = True
        if not item.openable:
            return record
        inner = self.folder.children(item)
        if item.inside is None:  # what is in it stands in its place
            kept, at = scope.items, scope.items.index(item)
            scope.items = [*kept[:at], *inner, *kept[at + 1 :]]
            record["parts"] = [self._record(scope, each) for each in inner]
            scope.items = kept
            return record
        opened = Item(path, part, scope, level, inner, open=True)
        for each in inner:
            each.scope = opened
        scope.items[scope.items.index(item)] = opened
        if any(map(present, item.inside.nodes)):
            record["cluster"] = self._open(opened)
        else:
            record["hollow"] = True
        record["scope"] = self._scope(opened)
        scope.items[scope.items.index(opened)] = item
        return record

    def _closed(self, item: Item) -> Record:
        box = self._box(item)
        owners = {node.shared for node in item.part.nodes if node.shared}
        again = bool(owners and owners - {node.name for node in item.part.nodes})
        tip, told = quoted(box.tip), self._told(item)
        # without what is not drawn, so that equal ones are written once
        box = replace(box, again=again, tip=ANYWHERE, path="", span=None, cost=Cost())
        record: Record = {
            "form": box.form,
            "kind": box.kind,
            "title": box.title,
            "tip": tip,
            "drawn": {badge: self._statement(box, badge) for badge in self._badges(item)},
            "cost": [told.params, told.macs, told.memory],
        }
        if box.mode != "always":
            record["mode"] = box.mode
        if again:
            record["again"] = True
        return record

    def _statement(self, box: Box, badge: str) -> tuple[str, float]:
        box = replace(box, badge=badge)
        if box not in self.boxes:
            self.boxes[box] = of_node(node_attributes(box, LIGHT, Style())), width(box)
        return self.boxes[box]

    def _open(self, item: Item) -> Record:
        cluster = replace(self._cluster(item, 0), path=ANYWHERE)
        record: Record = {
            "path": quoted(labels.outermost(item).path),
            "title": cluster.title,
            "drawn": {badge: self._framed(cluster, badge) for badge in self._badges(item)},
        }
        if cluster.mode != "always":
            record["mode"] = cluster.mode
        return record

    def _framed(self, cluster: Cluster, badge: str) -> tuple[float, str, list[tuple[int, str]]]:
        """How wide the name is in one line, that, and in lines from so many characters on."""
        cluster = replace(cluster, badge=badge, depth=1, inside=(), span=None)
        if cluster not in self.frames:
            least, lines = columns(LEAST), dict[str, int]()
            for most in range(least, max(len(note(cluster)), least) + 1):
                lines.setdefault(self._named(cluster, most), most)
            told = [(most, text) for text, most in lines.items()]
            self.frames[cluster] = frame_width(cluster), self._named(cluster, 0), told
        return self.frames[cluster]

    def _named(self, cluster: Cluster, most: int) -> str:
        label = framed(cluster, LIGHT, most)
        return of_cluster(cluster_attributes(cluster, label, LIGHT, Style()))

    def _badges(self, item: Item) -> list[str]:
        """The badges that an item may have, the first of the letters for all."""
        found = [""]
        at: Item | None = item
        outer = labels.outermost(item)
        while at is not None:
            nodes, shared = at.part.nodes, self._owners(at.scope)
            prefix = at.scope.prefix if at.scope is not None else ""
            if any(n.shared or n.name in shared or prefix + n.name in self.tied for n in nodes):
                found += [BADGE, EACH]
            if any(node.times is not None for node in nodes):
                found.append(SAME)
            at = at.scope if at is not outer else None
        return list(dict.fromkeys(found))

    def _owners(self, scope: Item | None) -> frozenset[str]:
        """The nodes of a scope whose weights others apply again."""
        graph = scope.inside if scope is not None else None
        if graph is None:
            return frozenset()
        if graph not in self.owners:
            self.owners[graph] = frozenset(node.shared for node in graph.nodes) - {""}
        return self.owners[graph]

    def _opened(self, scope: Item, items: list[Item]) -> set[str]:
        """The keys of what is open in a folded graph, where `items` stand in a scope at first."""
        now = {_key(item): item for item in scope.items}
        found = set()
        for item in items:
            key = _key(item)
            if item.inside is None and item.openable and key not in now:
                inner = self.folder.children(item)
                found |= {key, *self._opened(scope, inner)}
            elif key in now and now[key].open:
                whole = now[key]
                found |= {key, *self._opened(whole, self.folder.children(item))}
        return found

    # -- scopes and values ----------------------------------------------------------------------

    def _graph(self, graph: Graph) -> Record:
        record: Record = {
            "name": graph.name,
            "inputs": [[given.name, self._type(given.type)] for given in graph.inputs],
            "outputs": [[o.edge.source, *o.edge.select] for o in graph.outputs],
            "single": graph.form == "single",
            "dense": graph.connect == "dense",
            "routing": graph.routing.kind if graph.routing is not None else "",
            "nodes": {node.name: self._node(node) for node in graph.nodes},
            "about": self.details.graph(graph),
        }
        for name in (*graph.input_names, *graph.by_name):
            self._text(name)
        return record

    def _node(self, node: Node) -> Record:
        operands = [[edge.source, *edge.select] for edge in node.operands]
        if not present(node):
            return {"operands": operands, "absent": True}
        record: Record = {
            "operands": operands,
            "type": self._type(node.type),
            "about": self.details.node(node),
        }
        if isinstance(node.call, Graph) and node.call.routing is not None:
            record["routed"] = True
        if node.synthetic and is_concat(node):
            record["joins"] = True
        if "shape" in node.args and not node.operands:
            record["raw"] = True
        if node.shared:
            record["shared"] = node.shared
        return record

    def _end(self, end: Input | Output) -> Record:
        box = replace(self._pill(end), tip=ANYWHERE)
        record = {
            "name": box.path,
            "kind": box.kind,
            "tip": quoted(self._pill(end).tip),
            "drawn": self._statement(box, ""),
            "about": self.details.place(box.span),
        }
        if isinstance(end, Input):
            return {**record, "type": self._type(end.type)}
        return {**record, "edge": [end.edge.source, *end.edge.select]}

    def _type(self, type_: Type) -> int:
        if type_ not in self.types:
            if isinstance(type_, Several):
                for item in type_.items:
                    self._type(item)
            self.types[type_] = len(self.types)
        return self.types[type_]

    def _types(self) -> list[object]:
        """Each a shape with its dtype, or the numbers of those that it has as parts."""
        found: list[object] = []
        for type_ in self.types:
            if isinstance(type_, Several):
                found.append([self.types[item] for item in type_.items])
            else:
                shape = labels.shape(type_, self.dims)
                self._text(shape)
                found.append({"shape": shape, "dtype": type_.dtype})
        return found

    def _text(self, text: str) -> None:
        """Keep how a text is written where that is another text."""
        written = markup(text), quoted(text)
        if written != (text, text):
            self.texts[text] = written


class _Anywhere(dict[int, str]):
    """The ids of boxes, which the viewer numbers."""

    def __missing__(self, key: int) -> str:
        return ANYWHERE


def _key(item: Item) -> str:
    """What tells items apart: a repetition begins where its first turn stands."""
    return f"{item.path} {item.part.form}" if item.part.form in ("repeat", "stretch") else item.path


def _above(path: str) -> list[str]:
    names = path.split(".")
    return [".".join(names[:end]) for end in range(1, len(names) + 1)]
