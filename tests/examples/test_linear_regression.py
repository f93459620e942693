from __future__ import annotations

import re

import pytest


def test_it_recovers_the_weights(example) -> None:
    done = example("linear_regression")
    line = re.search("weights found: (.*) \\(", done.text)
    assert line
    assert [float(w) for w in line[1].split(", ")] == pytest.approx([1, 2, 3], abs=0.02)
    assert done.number("bias found:") == pytest.approx(5, abs=0.02)
    assert done.pictures() == ["linear_regression.png"]


def test_the_same_seed_gives_the_same_text(example) -> None:
    first, again, other = (
        example("linear_regression", "--epochs", "1", "--seed", seed).text for seed in "778"
    )
    assert first == again
    assert first != other
