"""Runs an example as its command line does, in this process: importing torch takes the time."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from command import ROOT

EXAMPLES = ROOT / "examples"


@dataclass(frozen=True)
class Result:
    """What an example printed and wrote."""

    text: str
    folder: Path

    def number(self, words: str) -> float:
        """The number after these words in the text."""
        found = re.search(re.escape(words) + r"\D*?(-?\d[\d.,]*)", self.text)
        assert found, f"no {words!r} in: {self.text}"
        return float(found[1].rstrip(".,").replace(",", ""))

    def pictures(self) -> list[str]:
        """The names of the pictures it wrote; that they are pictures is checked."""
        found = sorted(self.folder.glob("*.png"))
        for path in found:
            data = path.read_bytes()
            assert data.startswith(b"\x89PNG\r\n\x1a\n")
            assert data.endswith(b"IEND\xaeB`\x82")
            width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
            assert width > 200
            assert height > 200
            assert len(data) > 5000  # more than a blank canvas takes
        return [path.name for path in found]


Example = Callable[..., Result]


@pytest.fixture
def example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Example:
    """`example("lenet5", "--epochs", "3")` runs `python examples/lenet5.py --epochs 3`."""

    def run(name: str, *args: str) -> Result:
        path = EXAMPLES / f"{name}.py"
        monkeypatch.syspath_prepend(str(EXAMPLES))
        monkeypatch.setattr(sys, "argv", [str(path), *args])
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(path), run_name="__main__")
        out, err = capsys.readouterr()
        assert not ended.value.code, err
        return Result(out, tmp_path)

    return run


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """`imported("gradcam")` is the example as a module."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return import_module
