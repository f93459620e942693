"""Which scopes are open: from a graph to the tree of what is visible.

    view = fold(graph, Folding(expand=("features.denseblock2",)))
    [item.path for item in view.leaves()]

Scopes open breadth first, those that are alike together, while no more than `Folding.limit` boxes
are visible. What is asked for by path or depth opens in any case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from graphbuild.errors import did_you_mean
from graphbuild.ir import Graph, Node
from graphbuild.modes import Mode, both
from graphbuild.render.marks import Union, hides, mark, signature, whole
from graphbuild.render.parts import Part, parts, present, runs, stretches

LIMIT = 40
PILLS = 20  # of inputs, and of outputs; further ones are one
CASES = 12  # a choice among more cases than these is opened only if asked for


@dataclass(frozen=True, slots=True)
class Folding:
    """What is to be open. Paths are those of nodes, as in `state_dict`."""

    limit: int = LIMIT
    depth: int | None = None  # open as many levels, whatever comes of it
    expand: tuple[str, ...] = ()
    collapse: tuple[str, ...] = ()
    full: bool = False  # every node by itself
    most: int | None = None  # boxes; more are TooLarge


class TooLarge(ValueError):
    """A picture would be larger than what can be laid out."""

    def __init__(self, size: str) -> None:
        super().__init__(
            f"a picture of {size} takes too long to lay out; show less of it by depth, expand or"
            " collapse, or write it as dot or mmd"
        )


@dataclass(eq=False)
class Item:
    """A part of a scope at its place in the whole; a box, or a cluster if it is open.

    The tree is built by `fold`, and not changed after.
    """

    path: str  # of its first node
    part: Part
    scope: Item | None  # the open one that it stands in; None for the whole
    level: int = 0  # how many names the path has
    items: list[Item] = field(default_factory=list)
    open: bool = False

    @property
    def node(self) -> Node:
        return self.part.first

    @cached_property
    def inside(self) -> Graph | None:
        """The scope that a single call, or each turn of a run, calls."""
        if self.part.form not in ("call", "run"):
            return None
        call = self.node.call
        return call if isinstance(call, Graph) else None

    @property
    def openable(self) -> bool:
        """A call of weights that are drawn elsewhere stays closed: what is inside is there."""
        if self.part.form in ("repeat", "stretch"):
            return True
        return self.inside is not None and not self.node.shared

    @cached_property
    def holder(self) -> dict[str, Item]:
        """Which item inside stands for a node of the scope, by the node's name."""
        return {node.name: item for item in self.items for node in item.part.nodes}

    @property
    def prefix(self) -> str:
        return f"{self.path}." if self.path else ""

    @cached_property
    def times(self) -> int:
        """How many equal ones it stands for: itself, and all that it lies in."""
        around = self.scope.times if self.scope is not None else 1
        return around * (self.part.turns if self.part.form == "run" else 1)

    @cached_property
    def applied(self) -> int:
        """How often each of these is applied in turn, by scopes around that apply themselves so."""
        around = self.scope.applied if self.scope is not None else 1
        times = self.part.first.times if self.open and self.part.nodes else None
        return around * (times.value if times is not None and isinstance(times.value, int) else 1)

    @cached_property
    def mode(self) -> Mode:
        """When it runs: in which modes it and all that it lies in do."""
        modes = {node.mode for node in self.part.nodes}
        own: Mode = modes.pop() if len(modes) == 1 else "always"
        return both(own, self.scope.mode) if self.scope is not None else own

    def leaves(self) -> Iterator[Item]:
        """The visible ones, in the order of the file."""
        stack = [self]
        while stack:
            item = stack.pop()
            if item.open:
                stack += reversed(item.items)
            else:
                yield item


class NoSuchPath(LookupError):
    """A path to expand or collapse is none of a graph's blocks, groups and repetitions."""


def fold(graph: Graph, folding: Folding) -> Item:
    """The graph with its scopes open or closed.

    Raises NoSuchPath for a path that is none, TooLarge where more is asked for than `most`.
    """
    for path in (*folding.expand, *folding.collapse):
        _find(graph, path)
    return Folder(graph, folding).root


def _find(graph: Graph, path: str) -> None:
    scope: Graph = graph
    for name in path.split("."):
        node = scope.by_name.get(name)
        if node is None or not isinstance(node.call, Graph):
            names = [n.name for n in scope.nodes if isinstance(n.call, Graph)]
            hint = did_you_mean(name, names) or f"there are {', '.join(names[:8]) or 'none'}"
            what = "nothing to open" if node is not None else "no node"
            raise NoSuchPath(f"{graph.name!r} has {what} at {path!r}; {hint}")
        scope = node.call


class Folder:
    """Makes the tree; `whole` and `children` give what is in it, one level after another."""

    def __init__(self, graph: Graph, folding: Folding) -> None:
        self.graph, self.folding = graph, folding
        self.known: dict[Graph, tuple[Part, ...]] = {}
        self.marked = isinstance(graph, Union)
        self.seen: dict[object, Item] = {}
        self.free = folding.full or folding.depth is not None
        self.pills = min(len(graph.inputs), PILLS) + min(len(graph.outputs), PILLS)
        self.root = self.whole()
        self.visible = self.pills + len(self.root.items)
        self._bounded()
        self._fold()

    def whole(self) -> Item:
        """The graph, open, with all that is in it closed."""
        graph = self.graph
        root = Item("", Part("call", (Node(graph.name, graph, (), graph.type),)), None)
        room = max(self.folding.limit - self.pills, 3)
        root.items = self._items(root, None if self.free else room)
        root.open = True
        return root

    def _bounded(self) -> None:
        most = self.folding.most
        if most is not None and self.visible > most:
            raise TooLarge(f"{self.visible:,} boxes or more")

    def _fold(self) -> None:
        level = [item for item in self.root.items if item.openable]
        while level:
            alike: dict[object, list[Item]] = {}
            for item in level:
                alike.setdefault(_likeness(item), []).append(item)
            level = []
            for items in alike.values():
                asked = [self._asked(item) for item in items]
                wanted = [i for i, a in zip(items, asked, strict=True) if a is not False]
                if self.marked and not self.free:
                    wanted = self._unseen(wanted)
                sure = [i for i, a in zip(items, asked, strict=True) if a]
                inner = {item: self.children(item) for item in wanted}
                more = sum(len(found) - 1 for found in inner.values())
                fits = self.visible + more <= self.folding.limit and self.folding.depth is None
                for item in wanted if fits else sure:
                    level += self._open(item, inner[item])
                self._bounded()

    def _asked(self, item: Item) -> bool | None:
        """Whether an item must be open (true), must not (false), or may."""
        folding = self.folding
        if item.inside is not None and not any(map(present, item.inside.nodes)):
            return True  # there is nothing in it to be seen
        if item.path in folding.collapse:
            return False
        path = f"{item.path}."
        if any(asked.startswith(path) or asked == item.path for asked in folding.expand):
            return True
        scope = item.scope
        if scope is not None and len(scope.items) == 1 and scope.path in folding.expand:
            return True  # a group of one repetition: who opens it wants to see the turns
        several = item.part.form in ("repeat", "run", "stretch")
        if folding.expand and several and _named_inside(item, folding.expand):
            return True
        if item.part.form == "stretch" or not (self.free or self._touched(item)):
            return False
        if folding.full or (folding.depth is not None and item.level < folding.depth):
            return True
        graph = item.inside
        if graph is not None and graph.routing is not None and folding.depth is None:
            return True if len(graph.nodes) <= CASES else None
        return None

    def _unseen(self, items: list[Item]) -> list[Item]:
        """Of boxes with the same changes inside the first one; the others say them in a row."""
        found = []
        for item in items:
            key = _likeness(item), signature(item)
            if self._asked(item) or self.seen.setdefault(key, item) is item:
                found.append(item)
        return found

    def _touched(self, item: Item) -> bool:
        """Whether there is something to see in it: of a difference, what changed."""
        nodes = item.part.nodes
        if not self.marked or whole(nodes):
            return not self.marked
        return any(map(hides, nodes)) or (item.part.form == "repeat" and any(map(mark, nodes)))

    def children(self, item: Item) -> list[Item]:
        """What becomes visible where an item is opened."""
        found = item.part.parts
        if item.part.form == "repeat":
            found = runs(item.part)
            if self.folding.full:
                found = tuple(Part("call", (node,)) for node in item.part.nodes)
        if not found:
            return self._items(item)
        prefix = item.scope.prefix if item.scope is not None else ""
        return [Item(prefix + part.first.name, part, item.scope, item.level) for part in found]

    def _items(self, item: Item, room: int | None = None) -> list[Item]:
        graph = item.inside
        if graph is None:
            return []
        if graph not in self.known:
            self.known[graph] = parts(graph, chains=not self.folding.full)
        found = self.known[graph]
        if room is not None:
            found = stretches(graph, found, room)
        level = item.level + 1
        items = [Item(item.prefix + part.first.name, part, item, level) for part in found]
        if graph.routing is not None:
            for form in ("router", "join"):
                items.append(Item(item.path, Part(form, ()), item, level))
        return items

    def _open(self, item: Item, inner: list[Item]) -> list[Item]:
        """Open an item; those inside of it that can be opened next."""
        self.visible += len(inner) - 1
        scope = item.scope
        if item.inside is None and scope is not None:  # what is in it stands in its place
            at = scope.items.index(item)
            scope.items[at : at + 1] = inner
        else:
            item.items, item.open = inner, True
        return [child for child in inner if child.openable]


def _likeness(item: Item) -> object:
    """What items have in common that open together."""
    graph = item.inside
    if graph is not None:
        return "scope", graph.template
    call = item.node.call
    inner = call.template if isinstance(call, Graph) else call
    return "repeat", item.node.loop.key if item.node.loop else "", inner


def _named_inside(item: Item, expand: tuple[str, ...]) -> bool:
    """Whether a turn of a repetition, or what is inside one, is asked for."""
    prefix = item.scope.prefix if item.scope is not None else ""
    paths = [prefix + node.name for node in item.part.nodes]
    return any(a == path or a.startswith(f"{path}.") for a in expand for path in paths)
