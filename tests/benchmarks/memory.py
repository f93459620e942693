"""Counts the bytes of live tensors exactly, by following every storage from birth to death."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveBytes(TorchDispatchMode):
    """Counts tensors that come to be inside; `peak` is the most that lived at one time.

    Below autograd every operator is seen, and every tensor is an operator's result, those that
    autograd keeps for the backward pass too. Views share a storage and count once. What an
    operator allocates and frees within itself is not seen; it is the same on both sides.
    """

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.live = 0
        self.peak = 0
        self._followed = weakref.WeakSet[Any](t.untyped_storage() for t in known)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._follow(leaf.untyped_storage())
        self.peak = max(self.peak, self.live)
        return result

    def _follow(self, storage: torch.UntypedStorage) -> None:
        if storage in self._followed:
            return
        self._followed.add(storage)
        size = storage.nbytes()
        self.live += size
        weakref.finalize(storage, self._free, size)

    def _free(self, size: int) -> None:
        self.live -= size


def peak(model: nn.Module, image: Tensor) -> int:
    """The most bytes that a forward holds at once beside parameters, buffers and its input."""
    with LiveBytes([image, *model.parameters(), *model.buffers()]) as bytes_:
        model(image)
    return bytes_.peak
