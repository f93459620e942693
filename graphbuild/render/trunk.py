"""Which edges a picture should draw straight: those of the longest way through it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from graphlib import CycleError, TopologicalSorter

Pair = tuple[Hashable, Hashable]
LOOPS = 100  # that edges are turned round for; more are taken for the worst


def trunk(pairs: Sequence[Pair]) -> set[Pair]:
    """Of each node's edges the one in that the longest way comes by, if it is also such a one out."""
    before = _before(pairs)
    after: dict[Hashable, list[Hashable]] = {}
    for tail, head in pairs:
        after.setdefault(tail, []).append(head)
    try:
        order = list(TopologicalSorter(before).static_order())
    except CycleError:  # folding can lay two ways into one another
        return set(pairs)
    depth = _lengths(order, before)
    height = _lengths(reversed(order), after)
    chosen = {(max(tails, key=depth.__getitem__), head) for head, tails in before.items() if tails}
    return chosen & {(tail, max(heads, key=height.__getitem__)) for tail, heads in after.items()}


def spans(pairs: Sequence[Pair]) -> int:
    """How many rows the edges cross in all; a layout takes time by these, more than by boxes."""
    before = _before(pairs)
    for _ in range(LOOPS):
        try:
            order = list(TopologicalSorter(before).static_order())
        except CycleError as error:  # one of its edges runs back
            tail, head = error.args[1][:2]
            before[head] = [other for other in before[head] if other != tail]
        else:
            depth = _lengths(order, before)
            return sum(abs(depth[head] - depth[tail]) for tail, head in pairs)
    return len(pairs) * len(before)


def _before(pairs: Sequence[Pair]) -> dict[Hashable, list[Hashable]]:
    """Of each node, what its edges come from."""
    found: dict[Hashable, list[Hashable]] = {}
    for tail, head in pairs:
        found.setdefault(head, []).append(tail)
        found.setdefault(tail, [])
    return found


def _lengths(
    order: Iterable[Hashable], edges: dict[Hashable, list[Hashable]]
) -> dict[Hashable, int]:
    found: dict[Hashable, int] = {}
    for node in order:
        found[node] = 1 + max((found[other] for other in edges.get(node, ())), default=0)
    return found
