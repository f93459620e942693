"""Weight files into a model: read without running anything, and loaded whole or not at all.

Files of `torch.save` are read with `weights_only=True`; those of safetensors hold nothing but
tensors. What a training script puts around the weights is taken off: a dictionary with a
`state_dict` inside, and the prefixes of `DataParallel` and `torch.compile`.
"""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from graphbuild.files import endless
from graphbuild.visible import visible

WRAPPERS = ("state_dict", "model_state_dict", "model")
PREFIXES = ("module.", "_orig_mod.")
MAX_ROWS = 40


class WeightsError(ValueError):
    """A weight file cannot be read, or does not fit the model."""


def load_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Load a `.pt`, `.pth` or `.safetensors` file; raises WeightsError, and the model stays as it was.

    >>> load_weights(graphbuild.compile("resnet18", init=False), "resnet18.pth")
    """
    wanted = model.state_dict()
    found = _unwrapped(_read(Path(path)), wanted)
    _complete(found, wanted)
    problems = _compare(found, wanted)
    if problems:
        name = type(model).__name__
        raise WeightsError("\n".join([f"{visible(str(path))} does not fit {name}", *problems]))
    model.load_state_dict(found)


def _read(path: Path) -> Any:
    odd = endless(path)
    if odd is not None:
        raise WeightsError(f"{visible(str(path))} cannot be read: {odd}")
    try:
        if path.suffix == ".safetensors":
            return _safetensors(path)
        # From a file of the old format, which is no zip archive, nothing can be mapped.
        mapped = zipfile.is_zipfile(path)
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except (OSError, MemoryError, ImportError):
        raise
    except pickle.UnpicklingError as error:
        hint = "it holds more than tensors, or is no weight file; save model.state_dict()"
        raise WeightsError(f"{visible(str(path))} cannot be read: {hint}") from error
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{visible(str(path))} cannot be read: {reason}") from error


def _safetensors(path: Path) -> Any:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ImportError(f"reading {path.name} needs the package safetensors") from error
    return load_file(path)


def _unwrapped(data: Any, wanted: Mapping[str, Tensor]) -> dict[str, Any]:
    """The tensors by the model's own keys, as far as what is around them is known."""
    for key in WRAPPERS:
        inner = data.get(key) if isinstance(data, Mapping) else None
        if isinstance(inner, Mapping) and key not in wanted:
            data = inner
            break
    if not isinstance(data, Mapping):
        raise WeightsError(f"a {type(data).__name__} is no mapping from keys to tensors")
    found = {str(key): value for key, value in data.items()}
    for prefix in PREFIXES * 2:  # in either order
        if not any(key.startswith(prefix) for key in wanted) and all(
            key.startswith(prefix) for key in found
        ):
            found = {key.removeprefix(prefix): value for key, value in found.items()}
    return found


def _complete(found: dict[str, Any], wanted: Mapping[str, Tensor]) -> None:
    """Add what files leave out: all but one key of a tied parameter, and counts of old batch norms."""
    places: dict[object, list[str]] = {}
    for key, tensor in wanted.items():
        place = (tensor.untyped_storage()._cdata, tensor.storage_offset(), tensor.shape)
        places.setdefault(place, []).append(key)
    for keys in places.values():
        given = next((key for key in keys if key in found), None)
        for key in keys:
            if key not in found and given is not None:
                found[key] = found[given]
    for key in wanted:
        if key.endswith("num_batches_tracked"):
            found.setdefault(key, wanted[key])


def _compare(found: Mapping[str, Any], wanted: Mapping[str, Tensor]) -> list[str]:
    """What does not fit as a table, below a line of counts; empty where all does."""
    missing = [(key, _shape(wanted[key]), "missing") for key in wanted if key not in found]
    others = [(key, "unexpected", _shape(found[key])) for key in found if key not in wanted]
    shapes = [
        (key, _shape(wanted[key]), _shape(found[key]))
        for key in wanted
        if key in found and _shape(wanted[key]) != _shape(found[key])
    ]
    rows = [*missing, *shapes, *others]
    if not rows:
        return []
    table = [("key", "in the model", "in the file"), *rows[:MAX_ROWS]]
    widths = [max(len(visible(row[column])) for row in table) for column in range(2)]
    lines = [
        f"  {visible(a):<{widths[0]}}  {b:<{widths[1]}}  {visible(c)}".rstrip() for a, b, c in table
    ]
    counts = f"{len(missing)} missing, {len(shapes)} of another shape, {len(others)} unexpected:"
    more = len(rows) - MAX_ROWS
    return [counts, "", *lines, *([f"  and {more} more"] if more > 0 else [])]


def _shape(value: object) -> str:
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"
    return "×".join(map(str, value.shape)) or "a scalar"
