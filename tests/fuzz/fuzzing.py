"""How both fuzzers run: how many examples, from which seed, and what is told of a surprise."""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, seed, settings

USUAL = 300  # examples of each kind without `--fuzz`
SHARD = 1000  # examples of one test at most


class Fuzz:
    """Runs a property on so many different examples.

    Hypothesis tries variations of what it drew, which often come to the same spec: those are left
    out. `fresh` examples begin at a seed that is printed, others at the number of the shard.
    """

    def __init__(self, shard: int, examples: int, fresh: bool) -> None:
        self.examples = examples
        self.seed = random.SystemRandom().getrandbits(32) if fresh else shard
        self.passed: set[str] = set()

    def __call__(self, test: Callable[..., None]) -> Callable[..., None]:
        print(f"seed {self.seed}")  # which pytest shows where a test fails
        limits = settings(
            max_examples=self.examples * 3 // 2, deadline=None, database=None, derandomize=False,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
        )  # fmt: skip
        return seed(self.seed)(limits(test))

    def is_new(self, text: str) -> bool:
        return text not in self.passed and len(self.passed) < self.examples
