"""Emitted source as a module: executed as it stands, readable in tracebacks, able to travel.

The text becomes a module of Python of its own, known to `sys.modules` and `linecache`; so
`inspect.getsource`, TorchScript, tracebacks and debuggers see it as they see a file. Instances
pickle together with the text, and unpickle wherever graphbuild is installed.
"""

from __future__ import annotations

import importlib.util
import linecache
import os
import re
import sys
from hashlib import sha256
from importlib import import_module
from importlib.abc import ExecutionLoader
from threading import RLock
from types import ModuleType
from typing import Any

from torch import nn

from graphbuild import memory, trace
from graphbuild.emit.generated import Generated
from graphbuild.init import construct, is_plain
from graphbuild.pause import collection_paused
from graphbuild.weights import load_weights

_lock = RLock()
_modules: dict[str, ModuleType] = {}  # by their text
_texts: dict[str, _Text] = {}  # by the module's name


@collection_paused()
def load(
    generated: Generated, *, init: bool = True, weights: str | os.PathLike[str] | None = None
) -> nn.Module:
    """An instance of the generated root class.

    Each parameter is drawn once: by the spec's `init` rules where one applies, else as its layer
    does by default. Without `init` nothing is drawn; parameters are uninitialised memory, to be
    overwritten by `load_state_dict`, while buffers have their values. With `weights`, the parameters
    are those of a file.

    Raises MemoryError, before any is taken, where there is not enough memory for the parameters.
    """
    module = load_source(generated.source, generated.name)
    cls = getattr(module, generated.class_name)
    trace.know(_texts[module.__name__].filename, generated)
    if generated.graph is not None:
        memory.need(generated.graph)
    try:
        model = construct(cls, init=init and weights is None, plain=is_plain(generated.source))
    except Exception as error:
        trace.explain(error)
        raise
    if weights is not None:
        load_weights(model, weights)
    return model


def load_source(source: str, name: str) -> ModuleType:
    """The text as an executed module; equal texts share one. `name` is for people to read."""
    with _lock:
        if source not in _modules:
            digest = sha256(source.encode()).hexdigest()
            stem = re.sub(r"\W", "_", name)
            # Not wholly in angle brackets: linecache asks no loader for such a file.
            text = _Text(name, f"<graphbuild {name}>.{digest[:6]}", source)
            _modules[source] = _execute(f"graphbuild_{stem}_{digest[:16]}", text)
        return _modules[source]


class _Text(ExecutionLoader):
    """Loads a module from a text that stands in no file."""

    def __init__(self, name: str, filename: str, source: str) -> None:
        self.name = name
        self.filename = filename
        self.source = source

    def get_filename(self, fullname: str) -> str:
        return self.filename

    def get_source(self, fullname: str) -> str:
        return self.source


def _execute(fullname: str, text: _Text) -> ModuleType:
    spec = importlib.util.spec_from_loader(fullname, text)
    if spec is None:
        raise ImportError(f"no module spec for {fullname}")
    module = importlib.util.module_from_spec(spec)
    linecache.lazycache(text.filename, vars(module))
    sys.modules[fullname] = module
    if re.search(r"^(import|from) torchvision\b", text.source, re.MULTILINE):
        import_module("graphbuild.vision")  # makes sure that it can be imported
    try:
        text.exec_module(module)
    except BaseException:
        del sys.modules[fullname]
        raise
    _texts[fullname] = text
    trace.watch(module, text.filename)
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == fullname:
            # Not a def in a common base: the text stays free of graphbuild.
            setattr(value, "__reduce_ex__", _reduce)  # noqa: B010
    return module


def _reduce(self: object, protocol: int) -> Any:
    """How an instance pickles: its class by the text that defines it, its state as ever."""
    reduced: Any = object.__reduce_ex__(self, max(protocol, 2))
    _, args, *state = reduced
    cls = type(self)
    text = _texts.get(cls.__module__)
    if text is None:  # a subclass written elsewhere, which pickles by its name
        return reduced
    # The pickle holds the text once: to the pickler it is the same object every time.
    return (_rebuild, (text.source, text.name, cls.__qualname__, *args[1:]), *state)


def _rebuild(source: str, name: str, class_name: str, *args: object) -> object:
    """An instance without its state; what `pickle` calls.

    Executing the text here also registers its module, so anything else of it that the state
    names (a function, a class) is found by name.
    """
    cls = getattr(load_source(source, name), class_name)
    return cls.__new__(cls, *args)
