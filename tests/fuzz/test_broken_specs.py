"""Specs that were right and then changed: they end in a module or in findings, never otherwise.

`pytest tests/fuzz --fuzz 20000 -n 2` tries that many of each kind.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from fuzzing import Fuzz
from hypothesis import given
from judge import bounded, judge
from mutate import Broken, broken
from proof import PARTS


def test_broken_specs(shard: int, examples: int, fresh: bool, tmp_path: Path) -> None:
    fuzz = Fuzz(shard, examples, fresh)
    codes: Counter[str] = Counter()
    parts = {path.name: path.read_bytes() for path in PARTS.iterdir()}

    @fuzz
    @given(broken())
    def judged(case: Broken) -> None:
        if not fuzz.is_new(repr(case)):
            return
        for name, content in (parts | case.files).items():
            (tmp_path / name).write_bytes(content)
        codes.update(judge(case, tmp_path) or ["fine"])
        fuzz.passed.add(repr(case))

    judged()
    print(f"{len(fuzz.passed)} cases: {dict(codes.most_common())}")
    assert len(fuzz.passed) > examples / 2  # else they are too much alike
    if len(fuzz.passed) >= 100:  # of every kind there are some
        assert {code[:2] for code in codes} >= {"fi", "E0", "E1", "E2", "W3"}


def test_what_hangs_is_told() -> None:
    def hang() -> None:
        with bounded(0.05):
            while True:
                pass

    with pytest.raises(AssertionError, match="takes more than"):
        hang()
