"""What holds of every example. What one of them claims is tested in `test_<its name>.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import ROOT, python

EXAMPLES = sorted(p.stem for p in (ROOT / "examples").glob("*.py") if p.stem != "common")


def test_each_is_tested_and_in_the_table() -> None:
    table = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    for name in EXAMPLES:
        assert (Path(__file__).parent / f"test_{name}.py").exists()
        assert f"python examples/{name}.py" in table
    assert table.count("python examples/") == len(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_help(name: str, example) -> None:
    text = example(name, "--help").text
    for option in ("--seed", "--output", "--help"):
        assert option in text


def test_from_a_shell(tmp_path: Path) -> None:
    """In a folder of its own, with the progress bar where it does not mix with the results."""
    path = ROOT / "examples" / "linear_regression.py"
    done = python(str(path), "--epochs", "2", "--output", "made/here", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "training" in done.stderr
    assert "training" not in done.stdout
    assert (tmp_path / "made" / "here" / "linear_regression.png").exists()
