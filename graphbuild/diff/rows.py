"""Differences as rows: what is the same in all instances of a block, or written once, is one row."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Literal

from graphbuild.diff import places, words
from graphbuild.diff.facts import Fact, Facts
from graphbuild.diff.matching import Pairing
from graphbuild.diff.places import Found, Group, Here, Place
from graphbuild.diff.values import Both, shape
from graphbuild.report import Counter, Counts

Mark = Literal["+", "-", "~"]
_MARKS: dict[str, Mark] = {"added": "+", "removed": "-"}
_SHAPED = ("op", "argument", "inside")
RUN = 4  # so many nodes that came or went one after the other are told by themselves
# What makes parameters and MACs others; the rest is told of what has them already.
_COSTLY = ("added", "removed", "repeat", "op", "argument", "mode", "times", "sharing", "inside")


@dataclass(frozen=True, slots=True)
class Row:
    """One difference as a reader would say it.

    A row that `follows` is the effect of another, such as of a param. Parameters and MACs are what
    it makes of them, in all of its places.
    """

    mark: Mark
    kind: str
    where: str
    text: str
    places: tuple[Place, ...] = ()
    follows: bool = False
    parameters: int = 0
    macs: int = 0
    shapes: tuple[str, str] | None = None  # where it has one place, and they differ
    lines: tuple[str, str] = ("", "")  # file:line in both
    together: bool = False  # different nodes, which came or went one after the other

    def to_dict(self) -> dict[str, object]:
        """The row as JSON has it."""
        return {
            "mark": self.mark,
            "kind": self.kind,
            "where": self.where,
            "text": self.text,
            "follows": self.follows,
            "places": [{"before": p.before or None, "after": p.after or None} for p in self.places],
            "shapes": list(self.shapes) if self.shapes else None,
            "parameters": self.parameters,
            "macs": self.macs,
            "lines": {"before": self.lines[0] or None, "after": self.lines[1] or None},
        }


class Rows:
    """Collects the differences of two graphs."""

    def __init__(
        self,
        facts: Facts,
        dims: Both,
        full: bool = False,
        depth: int | None = None,
    ) -> None:
        self.facts, self.dims, self.full, self.depth = facts, dims, full, depth
        self.count = Counter()
        self.groups: dict[Hashable, Group] = {}
        self.shapes = self.inferred = 0  # nodes where they follow

    def rows(self, pairing: Pairing) -> Iterator[Row]:
        """The rows, in the order of the file; those that follow last."""
        self._walk(pairing, Here())
        made = [self._row(group) for group in self._runs()]
        yield from (row for row in made if not row.follows)
        yield from (row for row in made if row.follows)

    def _walk(self, pairing: Pairing, here: Here) -> None:
        found = self.facts.of(pairing)
        at: dict[int, list[Fact]] = {}
        for fact in found:
            node = fact.after or fact.before
            at.setdefault(id(node) if node is not None and not fact.several else 0, []).append(fact)
        for fact in at.pop(0, ()):
            self._take(fact, here, pairing)
        for a, b in pairing.pairs:
            for fact in at.get(id(b if b is not None else a), ()):
                self._take(fact, here, pairing)
            if a is not None and b is not None:
                inner = self.facts.opened(a, b)
                if inner is None:
                    continue
                if self.depth is not None and here.level + 1 >= self.depth:
                    self._take(Fact("inside", a, b), here, pairing)
                else:
                    self._walk(inner, here.inside(a, b))

    def _take(self, fact: Fact, here: Here, pairing: Pairing) -> None:
        self.shapes += fact.kind == "shape"
        self.inferred += fact.kind == "argument" and fact.hidden
        if fact.hidden and not self.full:
            return
        key: Hashable = (fact, here.before, here.after) if self.full else places.key(fact, here)
        self.groups.setdefault(key, []).append(Found(fact, here, pairing))

    def _runs(self) -> Iterator[Group]:
        """The groups; what came or went in a row in one scope is told together."""
        run: list[Group] = []
        for group in [*self._alike(), []]:
            if run and (self.full or not group or not places.continues(run[-1], group)):
                yield from [[found for one in run for found in one]] if len(run) > RUN else run
                run = []
            run += [group] if group else []

    def _alike(self) -> Iterator[Group]:
        """The groups, with what is the same at many nodes as one."""
        groups = list(self.groups.values())
        mates: dict[Hashable, Group] = {}
        for group in groups:
            if len(group) == 1 and not self.full:
                mates.setdefault(_sameness(group[0]), []).append(group[0])
        for group in groups:
            same = mates.get(_sameness(group[0]), []) if len(group) == 1 else []
            if len(same) <= RUN:
                yield group
            elif same[0] is group[0]:
                yield same

    def _row(self, group: Group) -> Row:
        fact = group[0].fact
        nodes = {id(node): node for f in group if (node := f.fact.after or f.fact.before)}
        kinds = ("added", "removed", "renamed")
        together = fact.kind in kinds and len({id(f.here) for f in group}) == 1
        together = together and len(nodes) > 1
        costs = [self._costs(found) for found in group]
        spans = [node.span if node is not None else None for node in (fact.before, fact.after)]
        if fact.items:
            spans = [fact.items[0].before, fact.items[0].after]
        came = fact.after is not None if fact.kind == "repeat" else None
        paths = [found.path for found in group]
        return Row(
            mark=_MARKS.get(fact.kind, "~") if came is None else "+" if came else "-",
            kind=fact.kind,
            where=words.ends(paths) if together else words.where(group),
            text=self._together(group) if together else self._text(group),
            places=tuple(found.place for found in group),
            follows=fact.follows,
            parameters=sum(counts.parameters for counts in costs),
            macs=sum(counts.macs for counts in costs),
            shapes=self._shapes(fact) if len(group) == 1 and fact.kind in _SHAPED else None,
            lines=(words.line(spans[0]), words.line(spans[1])),
            together=together,
        )

    def _together(self, group: Group) -> str:
        if group[0].fact.kind == "renamed":
            return words.renames(group, self.facts.matcher)
        return words.census(filter(None, (f.fact.after or f.fact.before for f in group)))

    def _text(self, group: Group) -> str:
        return words.text(group, self.dims, self.facts.matcher)

    def _costs(self, found: Found) -> Counts:
        """What a difference makes of the parameters and MACs."""
        fact, pairing = found.fact, found.pairing
        if fact.kind not in _COSTLY:
            return Counts()
        before = [fact.before] if fact.before is not None else []
        after = [fact.after] if fact.after is not None else []
        if fact.several:
            before, after = ([], [*fact.several]) if after else ([*fact.several], [])
        old = sum((self.count.node(pairing.before, node) for node in before), Counts())
        new = sum((self.count.node(pairing.after, node) for node in after), Counts())
        return Counts(new.parameters - old.parameters, macs=new.macs - old.macs)

    def _shapes(self, fact: Fact) -> tuple[str, str] | None:
        if fact.before is None or fact.after is None or fact.before.type == fact.after.type:
            return None
        return shape(fact.before.type, self.dims[0]), shape(fact.after.type, self.dims[1])


def _sameness(found: Found) -> Hashable:
    """What differences have in common that are told together if they are many."""
    fact = found.fact
    if fact.kind == "renamed":
        return fact.kind, found.here
    if fact.kind not in ("argument", "op") or fact.before is None or fact.after is None:
        return id(fact), found.here
    items = tuple((item.name, item.old, item.new) for item in fact.items)
    kinds = words.brief(fact.before), words.brief(fact.after)
    ops = (words.called(fact.before), words.called(fact.after)) if fact.kind == "op" else kinds
    return fact.kind, fact.follows, items, ops
