"""Weight files: torchvision's fit, nothing is run, and what does not fit is told in one table."""

from __future__ import annotations

import builtins
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import graphbuild
from graphbuild.vision import torchvision
from graphbuild.weights import MAX_ROWS, WeightsError, load_weights

IMAGE = torch.randn(2, 3, 64, 64)


@pytest.fixture(scope="module")
def theirs() -> nn.Module:
    return torchvision.models.resnet18().eval()


def small() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Linear(2, 2, bias=False))


def values(model: nn.Module) -> list[torch.Tensor]:
    return [value.clone() for value in model.state_dict().values()]


def same(model: nn.Module, other: nn.Module | list[torch.Tensor]) -> bool:
    others = values(other) if isinstance(other, nn.Module) else other
    return all(torch.equal(a, b) for a, b in zip(values(model), others, strict=True))


@pytest.mark.parametrize("kind", ["resnet18.pth", "old.pth", "resnet18.safetensors"])
def test_files_of_torchvision_fit(kind: str, theirs: nn.Module, tmp_path: Path) -> None:
    file = tmp_path / kind
    state = theirs.state_dict()
    if file.suffix == ".safetensors":
        save_file(state, file)
    else:
        torch.save(state, file, _use_new_zipfile_serialization=kind != "old.pth")
    model = graphbuild.compile("resnet18", weights=file).eval()
    with torch.no_grad():
        assert torch.equal(model(IMAGE), theirs(IMAGE))


WRAPPED: dict[str, Any] = {
    "a checkpoint": lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1}},
    "a checkpoint of a tutorial": lambda state: {"model_state_dict": state, "loss": 0.5},
    "DataParallel": lambda state: {f"module.{key}": value for key, value in state.items()},
    "torch.compile": lambda state: {f"_orig_mod.{key}": value for key, value in state.items()},
    "both, in a checkpoint": lambda state: {
        "model": {f"_orig_mod.module.{key}": value for key, value in state.items()}
    },
    "no counts of batches": lambda state: {
        key: value for key, value in state.items() if "num_batches" not in key
    },
}


@pytest.mark.parametrize("how", WRAPPED)
def test_what_is_around_the_weights_is_taken_off(how: str, tmp_path: Path) -> None:
    source, model = small(), small()
    torch.save(WRAPPED[how](source.state_dict()), tmp_path / "net.pt")
    load_weights(model, tmp_path / "net.pt")
    assert same(model, source)


def test_a_tied_parameter_is_in_a_file_once(tmp_path: Path) -> None:
    def tied() -> nn.Module:
        model = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
        model["b"].weight = model["a"].weight
        return model

    source, model = tied(), tied()
    state = source.state_dict()
    save_file({key: state[key] for key in state if key != "b.weight"}, tmp_path / "t.safetensors")
    load_weights(model, tmp_path / "t.safetensors")
    assert same(model, source)


def test_everything_that_does_not_fit_is_told_in_one_table(tmp_path: Path) -> None:
    state = small().state_dict()
    del state["1.running_mean"]
    state["0.weight"] = torch.zeros(4, 1, 1, 1)
    state["2.bias"] = torch.zeros(2)
    state["note\x1b"] = "text"
    torch.save(state, tmp_path / "net.pth")
    model = small()
    before = values(model)
    with pytest.raises(WeightsError) as caught:
        load_weights(model, tmp_path / "net.pth")
    assert str(caught.value).removeprefix(str(tmp_path)) == (
        "/net.pth does not fit Sequential\n"
        "1 missing, 1 of another shape, 2 unexpected:\n"
        "\n"
        "  key             in the model  in the file\n"
        "  1.running_mean  4             missing\n"
        "  0.weight        4×3×1×1       4×1×1×1\n"
        "  2.bias          unexpected    2\n"
        "  note\\x1b        unexpected    a str"
    )
    assert same(model, before)


def test_a_table_has_an_end(theirs: nn.Module, tmp_path: Path) -> None:
    torch.save(theirs.state_dict(), tmp_path / "resnet18.pth")
    with pytest.raises(WeightsError) as caught:
        graphbuild.compile("densenet121", weights=tmp_path / "resnet18.pth")
    lines = str(caught.value).splitlines()
    assert len(lines) == MAX_ROWS + 5
    assert lines[-1].startswith("  and ")


class Harm:
    def __reduce__(self) -> Any:
        return builtins.open, ("harm.txt", "w")


def test_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"0.weight": Harm()}, "new.pth")
    Path("old.pth").write_bytes(pickle.dumps({"0.weight": Harm()}))
    for name in ("new.pth", "old.pth"):
        with pytest.raises(WeightsError, match=r"more than tensors.*save model.state_dict"):
            load_weights(small(), name)
    assert not Path("harm.txt").exists()


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04junk", b"\xff" * 100, b"{}", b"\x80\x02."])
def test_junk_is_told(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be read"):
        load_weights(small(), tmp_path / name)


def test_what_is_no_mapping_is_told(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "net.pt")
    with pytest.raises(WeightsError, match="a list is no mapping"):
        load_weights(small(), tmp_path / "net.pt")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("no.pt", "no.safetensors"):
        with pytest.raises(FileNotFoundError):
            load_weights(small(), tmp_path / name)
