"""How both fuzzers run: how many examples, from which seed, and what is told of a surprise."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, seed, settings

USUAL = 600  # examples of each kind without `--fuzz`
SHARD = 1000  # examples of one test at most


def fuzz(shard: int, examples: int, fresh: bool) -> Callable[[Any], Any]:
    """Runs a property on so many examples; `fresh` ones begin at a seed that is printed."""
    begin = random.SystemRandom().getrandbits(32) if fresh else shard
    print(f"seed {begin}")  # which pytest shows where a test fails
    limits = settings(
        max_examples=examples, deadline=None, database=None, derandomize=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    return lambda test: seed(begin)(limits(test))
