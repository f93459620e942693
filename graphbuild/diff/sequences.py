"""What two sequences have in common in the same order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

WINDOW = 300


def best(n: int, m: int, score: Callable[[int, int], int]) -> Iterator[tuple[int, int]]:
    """Pairs of positions of two sequences, in order, with the highest sum of scores."""
    table = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        row, below = table[i], table[i + 1]
        for j in range(m - 1, -1, -1):
            here = score(i, j)
            row[j] = max(below[j], row[j + 1], below[j + 1] + here if here else 0)
    i = j = 0
    while i < n and j < m:
        here = score(i, j)
        if here and table[i][j] == table[i + 1][j + 1] + here:
            yield i, j
            i, j = i + 1, j + 1
        elif table[i][j] == table[i + 1][j]:
            i += 1
        else:
            j += 1


def aligned(n: int, m: int, score: Callable[[int, int], int]) -> Iterator[tuple[int, int]]:
    """`best`, in long sequences window by window: what is far apart is not found there."""
    i = j = 0
    while i < n and j < m:
        left, right = min(WINDOW, n - i), min(WINDOW, m - j)
        last = i + left == n and j + right == m
        pairs = [(a + i, b + j) for a, b in best(left, right, lambda a, b: score(a + i, b + j))]  # noqa: B023
        if last:
            yield from pairs
            return
        kept = [pair for pair in pairs if max(pair[0] - i, pair[1] - j) < WINDOW // 2]
        yield from kept
        i, j = (kept[-1][0] + 1, kept[-1][1] + 1) if kept else (i + WINDOW // 2, j + WINDOW // 2)


def stayed(names: Sequence[tuple[str, str]], places: Sequence[tuple[int, int]]) -> set[int]:
    """Of things with two names and two places, as many as stand in one order in both."""
    one, other = (sorted(range(len(places)), key=lambda at: places[at][side]) for side in (0, 1))
    told = [[sorted(names[at]) for at in order] for order in (one, other)]
    if told[0] > told[1]:  # so that it is the same both ways round
        one, other = other, one
    rank = {at: place for place, at in enumerate(one)}
    return {other[at] for at in increasing([rank[at] for at in other])}


def increasing(numbers: Sequence[int]) -> set[int]:
    """The positions of a longest increasing subsequence."""
    tails: list[int] = []
    at: list[int] = []
    before: list[int | None] = []
    for position, number in enumerate(numbers):
        place = bisect_left(tails, number)
        tails[place : place + 1] = [number]
        at[place : place + 1] = [position]
        before.append(at[place - 1] if place else None)
    kept: set[int] = set()
    last = at[-1] if at else None
    while last is not None:
        kept.add(last)
        last = before[last]
    return kept
