"""Sizes of the inputs of a unit: which are fixed, and what they are called."""

from __future__ import annotations

from graphbuild.ir import Several, Tensor, Type


def static(type_: Tensor, dimension: int) -> bool:
    """Whether a size is the same at every probe."""
    first = type_.shape[dimension]
    return all(shape is None or shape[dimension] == first for shape in type_.shapes)


def dimension_name(rank: int, dimension: int) -> str:
    """What a size is called in a constructor: torch's word where it has one."""
    if dimension == 0:
        return "batch"
    if dimension == 1 and rank != 2:
        return "channels"
    if dimension == rank - 1:
        return {2: "features", 3: "features"}.get(rank, "width")
    return "height" if dimension == rank - 2 else f"size{dimension}"


def item(type_: Type, position: int) -> Type:
    """A part of a value of several."""
    if not isinstance(type_, Several):
        raise TypeError("instances of one block differ in what they are given")
    return type_.items[position]
