"""Initialisation: each parameter is drawn once, by the spec's rules or else by its own layer.

Layers draw their parameters in their constructors. Here a constructor runs while its writes to
parameters are withheld; then the spec's rules run, and of the withheld writes those are made up
for whose parameter no rule has written. So nothing has to be known about single layers: one
that draws in `reset_parameters` and one that draws in `__init__` are the same.

Watching every call of torch takes time, though. Most models consist only of layers that draw
nowhere but in `reset_parameters`; their constructor runs unwatched, and that method later.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from copy import copy
from functools import partial
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode

# In-place by their name, but they change no value.
_METADATA = {
    "requires_grad_", "detach_", "share_memory_", "resize_", "resize_as_", "set_", "rename_",
    "t_", "transpose_", "swapaxes_", "swapdims_", "squeeze_", "unsqueeze_", "as_strided_",
}  # fmt: skip
_OPERATORS = {"__setitem__"} | {
    f"__i{name}__" for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
}

# Initialisers of torch.nn.init that look at what they have written; they cannot be withheld.
_LOOKING = {"_no_grad_trunc_normal_", "trunc_normal_", "orthogonal_", "sparse_"}
# Where the layers are defined that have no parameters, or draw them all in `reset_parameters` and
# do there nothing else that their constructor has not done.
_HOMES = {
    "activation", "batchnorm", "channelshuffle", "container", "conv", "distance", "dropout",
    "flatten", "fold", "instancenorm", "linear", "loss", "module", "normalization", "padding",
    "pixelshuffle", "pooling", "sparse", "upsampling",
}  # fmt: skip
_OTHERS = {"MultiheadAttention", "ParameterList", "ParameterDict"}


def is_plain(source: str) -> bool:
    """Whether all layers that an emitted text makes are of those homes."""
    names = set(re.findall(r"\bnn\.(\w+)", source)) - {"Parameter", "init"}
    roots = set(re.findall(r"^(?:from|import) (\w+)", source, re.MULTILINE))
    return roots <= {"collections", "fnmatch", "functools", "math", "torch", "typing"} and all(
        map(_is_plain, names)
    )


def _is_plain(name: str) -> bool:
    layer = getattr(nn, name, None)
    if not isinstance(layer, type) or name in _OTHERS or name.startswith("Lazy"):
        return False
    return layer.__module__.rpartition(".")[2] in _HOMES


def construct(cls: type[nn.Module], *, init: bool, plain: bool = False) -> nn.Module:
    """An instance of an emitted root class, its parameters drawn once or, without `init`, never.

    `plain` is what `is_plain` says of the text of the class.
    """
    model = cls.__new__(cls)
    # The constructor ends with the rules; an attribute of the instance hides them until it is done.
    vars(model)["init_weights"] = _nothing
    # An inference tensor would keep no count of the writes into it.
    with torch.inference_mode(False), Postpone() if plain else Withhold() as undrawn:
        cls.__init__(model)
    del vars(model)["init_weights"]
    if init:
        before = {id(parameter): parameter._version for parameter in model.parameters()}
        getattr(model, "init_weights", _nothing)()
        undrawn.make_up(lambda tensor: before.get(id(tensor), tensor._version) == tensor._version)
    return model


class Postpone:
    """Keeps calls of `reset_parameters` back in the layers that this thread constructs."""

    def __init__(self) -> None:
        self.called: list[Any] = []
        self._layers: list[nn.Module] = []
        self._replaced: set[tuple[int, str]] = set()  # parameters that became another layer's

    def __enter__(self) -> Postpone:
        self._thread = get_ident()
        # A layer registers its parameters before it draws them.
        self._hook = register_module_parameter_registration_hook(self._registered)
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()
        for layer in self._layers:
            del vars(layer)["reset_parameters"]

    def _registered(self, layer: nn.Module, name: str, parameter: nn.Parameter) -> None:
        attributes = vars(layer)
        if get_ident() != self._thread:
            return
        if layer._parameters.get(name) is not None:
            self._replaced.add((id(layer), name))
        if "reset_parameters" not in attributes:
            attributes["reset_parameters"] = partial(self.called.append, layer)
            self._layers.append(layer)

    def make_up(self, blank: Callable[[Tensor], bool]) -> None:
        """Draw the parameters that are still blank.

        A layer draws all of its own at once, so a twin of it does, in which parameters that the
        rules have drawn, or that are another layer's, are replaced by ones without memory.
        """
        for layer in self.called:
            own = {
                name: p is not None and blank(p) and (id(layer), name) not in self._replaced
                for name, p in layer._parameters.items()
            }
            if any(own.values()):
                twin = copy(layer)
                twin._parameters = {
                    name: p if p is None or own[name] else torch.empty_like(p, device="meta")
                    for name, p in layer._parameters.items()
                }
                twin.reset_parameters()


class Withhold(TorchFunctionMode):
    """Keeps writes to parameters back; everything else, such as filling buffers, is done at once.

    What is computed from a parameter meanwhile (a deep copy of a layer) is computed again after
    its parameter got a value.
    """

    def __init__(self) -> None:
        super().__init__()
        self.withheld: list[tuple[Tensor, Callable[[], object]]] = []
        # The owner of each storage: a parameter, or what was computed from one. Views and `.data`
        # share the storage. Owners are kept alive here, so no address is used twice.
        self._owners: dict[int, Tensor] = {}

    def make_up(self, wanted: Callable[[Tensor], bool]) -> None:
        """Do the withheld writes into the tensors that are wanted."""
        writes = [write for owner, write in self.withheld if wanted(owner)]
        self.withheld = [entry for entry in self.withheld if not wanted(entry[0])]
        with torch.no_grad():
            for write in writes:
                write()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if not self._reads(args) and not (kwargs and self._reads(kwargs.values())):
            return func(*args, **kwargs)
        caller = sys._getframe(1)
        target = _target(func, args, kwargs)
        if caller.f_code.co_name in _LOOKING and caller.f_globals is vars(nn.init):
            self._settle(target)
            return func(*args, **kwargs)
        if target is not None:
            self._own(target, partial(func, *args, **kwargs))
            return target
        result = func(*args, **kwargs)
        if isinstance(result, Tensor) and _storage(result) not in self._owners:
            name = getattr(func, "__name__", "")
            if not (name.endswith("_like") or name.startswith("new_")):
                self._own(result, lambda: result.copy_(func(*args, **kwargs)))
        return result

    def _settle(self, tensor: Tensor | None) -> None:
        """Catch up before a write that is not withheld, so that writes keep their order."""
        if tensor is not None:
            owner = self._owner(tensor)
            self.make_up(lambda other: other is owner)

    def _owner(self, tensor: Tensor) -> Tensor:
        if isinstance(tensor, nn.Parameter):
            return tensor
        return self._owners.setdefault(_storage(tensor), tensor)

    def _own(self, tensor: Tensor, write: Callable[[], object]) -> None:
        self.withheld.append((self._owner(tensor), write))

    def _reads(self, values: Iterable[Any]) -> bool:
        """Whether a parameter, or what comes from one, is among the values."""
        found = False
        for value in values:
            if not isinstance(value, Tensor):
                continue
            if type(value) is nn.Parameter or isinstance(value, nn.Parameter):
                self._owners.setdefault(_storage(value), value)
                found = True
            else:
                found = found or _storage(value) in self._owners
        return found


def _target(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """The tensor that a call writes into: in place, by `out=`, or as an initialiser."""
    out = kwargs.get("out")
    name = getattr(func, "__name__", "")
    if name in _OPERATORS or (name[-1:] == "_" and name[-2:] != "__" and name not in _METADATA):
        # torch.nn.init hands its arguments over by name, the tensor first
        out = args[0] if args else next(iter(kwargs.values()), None)
    return out if isinstance(out, Tensor) else None


def _storage(tensor: Tensor) -> int:
    # The address of the storage itself, not of its data: on the meta device that is always 0.
    return tensor.untyped_storage()._cdata if tensor.layout is torch.strided else id(tensor)


def _nothing() -> None:
    pass
