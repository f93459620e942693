"""torchvision, importable whatever torch it stands beside.

Its wheel for CUDA cannot load its C++ library beside a torch for the CPU. The import of the package
then fails, since it registers shape rules for operators that the library would have defined. Its
models and layers are Python and need no such library: so where that does not load, those two
operators are declared here, without an implementation, before the import.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def _library_loads() -> bool:
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    try:
        for library in Path(spec.origin).parent.glob("_C*.*"):
            torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
            return True
    except OSError:
        pass
    return False


if not _library_loads():
    # The declarations live as long as this object.
    _library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for _operator in _OPERATORS:
        _library.define(_operator)  # type: ignore[no-untyped-call]

import torchvision  # type: ignore[import-untyped] # noqa: E402

__all__ = ["torchvision"]
