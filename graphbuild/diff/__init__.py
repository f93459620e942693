"""What changed between two graphs, as a reader would say it.

    print(diff(before, after))

Stage by stage, each a plain value: `matching` (which nodes are the same), `facts` (what differs
between two scopes), `rows` (the same in all instances of a block is one), `difference` (all of it).
"""

from __future__ import annotations

from collections.abc import Iterator

from graphbuild.diff.difference import Difference, Total
from graphbuild.diff.dissolve import paired
from graphbuild.diff.facts import Facts
from graphbuild.diff.keys import fit, moves
from graphbuild.diff.matching import Matcher, Pairing
from graphbuild.diff.rows import Row, Rows
from graphbuild.diff.union import Merger
from graphbuild.diff.whole import whole
from graphbuild.ir import Graph
from graphbuild.report import Counts, Report, report

__all__ = ["Difference", "Row", "Total", "diff"]


def diff(
    before: Graph,
    after: Graph,
    *,
    depth: int | None = None,
    full: bool = False,
    names: tuple[str, str] | None = None,
) -> Difference:
    """The difference of two elaborated specs.

    `depth` folds what lies deeper than that many levels; `full` folds nothing, not even what follows.

    >>> bool(diff(graph, graph))
    False
    """
    matcher = Matcher()
    pairing = paired(matcher, before, after)
    dims = before.dims, after.dims
    facts = Facts(matcher, dims)
    rows = Rows(facts, dims, full, depth)
    found = () if matcher.same(before, after) else tuple(rows.rows(pairing))
    params, others, notes = whole(pairing, bool(found))
    reports = [report(graph, depth=1) for graph in (pairing.before, pairing.after)]
    called = names or (before.name, after.name)
    return Difference(
        names=called,
        rows=(*params, *others, *found) if found or others else (),
        totals=Total("", *(told.totals for told in reports)),
        parts=tuple(_parts(pairing, reports)) if found or others else (),
        weights=fit(before, after, moves(pairing, facts)),
        notes=notes,
        follow=(rows.inferred, rows.shapes),
        unite=lambda: Merger(facts, dims).whole(pairing, " → ".join(dict.fromkeys(called))),
    )


def _parts(pairing: Pairing, reports: list[Report]) -> Iterator[Total]:
    """The parts at the top that are in both, and cost something else."""
    counts = [{row.path: row.counts for row in told.rows} for told in reports]
    for a, b in pairing.matched:
        old, new = counts[0].get(a.name, Counts()), counts[1].get(b.name, Counts())
        if old != new:
            yield Total(b.name, old, new)
