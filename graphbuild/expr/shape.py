"""What the name of a node or an input means in an expression: its sizes."""

from __future__ import annotations

from typing import Any

from graphbuild.errors import did_you_mean


class Sizes(tuple[int, ...]):
    """The sizes of a shape view; it tells the view which of them are read."""

    view: ShapeView

    def read(self) -> tuple[int, ...]:
        if self.view.free:
            self.view.touched = True
        return tuple(self)

    def part(self, index: Any) -> Any:
        chosen = range(len(self))[index]
        wanted = {chosen} if isinstance(chosen, int) else set(chosen)
        if wanted & self.view.free:
            self.view.touched = True
        return self[index]


class ShapeView:
    """What a node's or an input's name means in an expression.

    `.shape`, `.channels` (dimension 1), `.height` (-2) and `.width` (-1) read its sizes; reading one
    of the dimensions in `free` (counted from 0) sets `touched`.
    """

    __slots__ = ("free", "sizes", "touched")

    def __init__(self, sizes: tuple[int, ...], free: frozenset[int] = frozenset()) -> None:
        self.sizes = tuple(sizes)
        self.free = free
        self.touched = False

    def __repr__(self) -> str:
        return f"ShapeView({self.sizes})"

    @property
    def shape(self) -> Sizes:
        sizes = Sizes(self.sizes)
        sizes.view = self
        return sizes

    def read(self, name: str) -> object:
        """An attribute of the language."""
        if name == "shape":
            return self.shape
        if name not in DIMENSIONS:
            hint = did_you_mean(name, ATTRIBUTES) or f"a tensor has {' '.join(ATTRIBUTES)}"
            raise MissingError(f"a tensor has no {name!r}", hint)
        try:
            return self.shape.part(DIMENSIONS[name])
        except IndexError:
            count = len(self.sizes)
            raise ValueError(f"a tensor of {count} dimensions has no {name}") from None


DIMENSIONS = {"channels": 1, "height": -2, "width": -1}
ATTRIBUTES = ("shape", *DIMENSIONS)


class MissingError(LookupError):
    """A name or key that is not there."""

    def __init__(self, message: str, suggestion: str | None) -> None:
        super().__init__(message)
        self.suggestion = suggestion
