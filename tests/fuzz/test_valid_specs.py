"""Random specs with every construct: each compiles, computes what it says, keeps its meaning when
it is laid out, and is drawn. `pytest tests/fuzz --fuzz 20000 -n 2` tries that many of each kind.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from zlib import crc32

from constructs import constructs, every
from fuzzing import Fuzz
from hypothesis import given, note
from judge import bounded, judge_drawing, judge_layout
from mutate import data_of
from proof import HEAD, PARTS, built, proven, ruff
from specgen import specs

from graphbuild.emit import emit
from graphbuild.errors import SpecError
from graphbuild.report import report

MOST_PARAMETERS = 10**8  # of a module that is built: widths that double can come to 10**20

# These rules judge what an expression says (`2 or 1`), and that the spec has said.
WORDS = "SIM2,PLR0124,PLR0133,PLR1716,FURB136,RUF034"
MOST_WRONG = 0.1  # the share that the strategy makes by mistake, which ends in findings


def test_valid_specs(shard: int, examples: int, fresh: bool, tmp_path: Path) -> None:
    fuzz = Fuzz(shard, examples, fresh)
    sources: dict[str, str] = {}
    wrong: list[str] = []

    @fuzz
    @given(specs())
    def judged(text: str) -> None:
        if not fuzz.is_new(text):
            return
        note(HEAD + text)
        source = judge_valid(text)
        if source is None:
            wrong.append(text)
        else:
            sources[f"spec{len(sources)}"] = source
        fuzz.passed.add(text)

    judged()
    print(f"{len(sources)} specs, and {len(wrong)} that are wrong")
    assert len(fuzz.passed) > examples / 2  # else they are too much alike
    assert len(wrong) <= MOST_WRONG * len(fuzz.passed)
    assert ruff(tmp_path, sources, besides=WORDS) == ""


def judge_valid(text: str) -> str | None:
    """The source of a spec, or None where it has findings."""
    try:
        with bounded():
            graph = built(text)
    except SpecError:
        return None
    fits = report(graph).totals.parameters <= MOST_PARAMETERS
    generated = proven(text, graph, most=1) if fits else emit(graph)
    judge_layout(HEAD + text, PARTS / "net.yaml")
    laid_out = crc32(text.encode()) % 4 == 0
    judge_drawing(graph, ("svg" if laid_out else "dot", "mmd"))
    return generated.source


def test_every_construct_is_drawn() -> None:
    fuzz = Fuzz(0, 800, fresh=False)
    found: Counter[str] = Counter()

    @fuzz
    @given(specs())
    def counted(text: str) -> None:
        if fuzz.is_new(text):
            found.update(set(constructs(data_of(text))))
            fuzz.passed.add(text)

    counted()
    assert [name for name in every() if not found[name]] == []
