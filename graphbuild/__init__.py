"""graphbuild: declarative neural network architectures for PyTorch.

`graphbuild.compile("densenet121")` gives a module; `graphbuild.api` tells of the stages.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from graphbuild.api import (
        check,
        compile,
        diff,
        elaborate,
        emit,
        load,
        read,
        render,
        specs,
        summary,
    )
    from graphbuild.errors import SpecError
    from graphbuild.ops import register

__all__ = [
    "SpecError",
    "check",
    "compile",
    "diff",
    "elaborate",
    "emit",
    "load",
    "read",
    "register",
    "render",
    "specs",
    "summary",
]

_HOMES = {"SpecError": "errors", "register": "ops"}  # all others: api


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that `import graphbuild` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'api')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Importing the submodule `graphbuild.emit` must not hide the function `graphbuild.emit`."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
