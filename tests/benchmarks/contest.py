"""What a benchmark is, and how two sides are measured so that noise is seen for what it is."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Literal

Cost = Callable[[], float]  # measures once; seconds or bytes


@dataclass(frozen=True)
class Setting:
    """What a contest is prepared with: a folder of its own, and the clock."""

    folder: Path
    clock: Callable[[], float]

    def timed(self, function: Callable[[], object], *, calls: int = 1) -> Cost:
        """The time of a call in seconds, garbage of what went before already collected.

        What the function returns is freed within the time.
        """

        def cost() -> float:
            gc.collect()
            start = self.clock()
            for _ in range(calls):
                function()
            return (self.clock() - start) / calls

        return cost

    def calls_for(self, function: Callable[[], object], seconds: float) -> int:
        """How many calls take this long, by two of which the first only warms up."""
        function()
        return max(1, round(seconds / self.timed(function)()))


def processor() -> float:
    """Seconds that this process, and those it waited for, have spent on the processor.

    Others on the machine disturb it much less than what a watch shows.
    """
    from resource import RUSAGE_CHILDREN, getrusage  # not on Windows

    children = getrusage(RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime


@dataclass(frozen=True)
class Contest:
    """Ours, theirs, and theirs once more: how far the last two differ is noise."""

    ours: Cost
    theirs: Cost
    again: Cost


@dataclass(frozen=True)
class Benchmark:
    """A contest, prepared when its turn comes, and what it should show.

    The ratio of our cost to theirs should be at most `target`; if `noisy`, within the noise.
    """

    name: str
    target: float
    prepare: Callable[[Setting], Contest]
    unit: Literal["s", "B"] = "s"
    rounds: int = 21
    noisy: bool = False


@dataclass(frozen=True)
class Spread:
    """Ratios of all rounds; their middle half lies between the quartiles."""

    median: float
    low: float
    high: float
    quartiles: tuple[float, float]

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        first, middle, last = (
            statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        )
        return cls(middle, min(values), max(values), (first, last))


@dataclass(frozen=True)
class Result:
    """Costs are medians."""

    benchmark: Benchmark
    ratio: Spread
    noise: Spread
    ours: float
    theirs: float

    @property
    def limit(self) -> float:
        """The target, and where noise is allowed for, how far a quartile of A/A lies from 1."""
        if not self.benchmark.noisy:
            return self.benchmark.target
        return self.benchmark.target + max(abs(q - 1) for q in self.noise.quartiles)

    @property
    def holds(self) -> bool:
        return self.ratio.median <= self.limit


def measure(
    benchmark: Benchmark,
    setting: Setting,
    rounds: int,
    step: Callable[[], object] = lambda: None,
) -> Result:
    """Measure all sides in each round, each time another one first; `step` is told of each round."""
    contest = benchmark.prepare(setting)
    sides = [("ours", contest.ours), ("theirs", contest.theirs), ("again", contest.again)]
    costs: dict[str, list[float]] = {name: [] for name, _ in sides}
    for turn in range(rounds):
        start = turn % len(sides)
        for name, cost in sides[start:] + sides[:start]:
            costs[name].append(cost())
        step()
    pairs = list(zip(costs["ours"], costs["theirs"], costs["again"], strict=True))
    return Result(
        benchmark,
        # Both of theirs count, so that the two columns do not share one outlier.
        ratio=Spread.of([2 * ours / (theirs + again) for ours, theirs, again in pairs]),
        noise=Spread.of([again / theirs for _, theirs, again in pairs]),
        ours=statistics.median(costs["ours"]),
        theirs=statistics.median(costs["theirs"] + costs["again"]),
    )
