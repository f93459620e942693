"""Random specs with every construct: each compiles, computes what it says, keeps its meaning when
it is laid out, and is drawn. `pytest tests/fuzz --fuzz 20000 -n 2` runs that many of each kind.
"""

from __future__ import annotations

from pathlib import Path

from fuzzing import fuzz
from hypothesis import given
from judge import bounded, judge_drawing, judge_layout
from proof import HEAD, PARTS, built, proven, ruff
from specgen import specs

from graphbuild.errors import SpecError

MOST_WRONG = 0.1  # the share that the strategy makes by mistake, which ends in findings


def test_valid_specs(shard: int, examples: int, fresh: bool, tmp_path: Path) -> None:
    sources: dict[str, str] = {}
    wrong = []

    @fuzz(shard, examples, fresh)
    @given(specs())
    def judged(text: str) -> None:
        source = judge_valid(text)
        if source is None:
            wrong.append(text)
        else:
            sources[f"spec{len(sources)}"] = source

    judged()
    assert len(wrong) <= MOST_WRONG * (len(wrong) + len(sources))
    assert ruff(tmp_path, sources) == ""


def judge_valid(text: str) -> str | None:
    """The source of a spec, or None where it has findings."""
    try:
        with bounded():
            graph = built(text)
    except SpecError:
        return None
    generated = proven(text, graph, most=1)
    judge_layout(HEAD + text, PARTS / "net.yaml")
    judge_drawing(graph, ("svg", "mmd"))
    return generated.source
