from __future__ import annotations

from pathlib import Path

import pytest
import torch
from command import run


@pytest.mark.parametrize("layers", [1, 6])
def test_all_layers_are_trained_and_saved(layers: int, example) -> None:
    done = example("dynamic_mlp", "--num-layers", str(layers), "--epochs", "20")
    assert done.number("hidden layers:") == layers
    count = 2 * layers + 2
    assert f"parameters that training changed: {count} of {count}" in done.text
    accuracy = done.number("accuracy on the test digits:")
    assert accuracy > 85
    assert done.number("accuracy when saved and loaded:") == accuracy
    assert done.pictures() == ["dynamic_mlp.png"]
    saved = torch.load(done.folder / "dynamic_mlp.pt", weights_only=True)
    assert [key for key in saved if key.endswith("weight")] == [
        *(f"hidden.{i}.linear.weight" for i in range(layers)),
        "output.weight",
    ]


def test_the_depth_is_set_on_the_command_line(tmp_path: Path) -> None:
    done = run("compile", "dynamic_mlp", "--set", "num_layers=6", "-o", "deep.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "num_layers: int = 6" in (tmp_path / "deep.py").read_text(encoding="utf-8")
