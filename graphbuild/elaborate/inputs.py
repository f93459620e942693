"""The spec's inputs: their free dimensions, and their types at every probe."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace

from graphbuild import expr
from graphbuild.dims import PROBES, Dim, Dims
from graphbuild.elaborate.params import show
from graphbuild.elaborate.state import State
from graphbuild.elaborate.template import Templates
from graphbuild.errors import Note, did_you_mean
from graphbuild.ir import Input, Tensor
from graphbuild.ops.base import MISSING
from graphbuild.source import Text, text
from graphbuild.spec import DIMENSION, DimRange

LARGEST = 2**31  # of a size: more than any tensor has

Size = tuple[str | None, int | None, ast.expr | None]  # free dimension, size or example, expression


def bind_inputs(
    templates: Templates, state: State, sizes: Mapping[str, int]
) -> tuple[Input, ...] | None:
    """The inputs with their types; sets the state's `dims`. None where something is wrong."""
    before = len(state.findings)
    env = {name: v.value for name, v in state.visible.items()}
    shapes: list[list[Size]] = []
    first: dict[str, Text] = {}  # where each free dimension is named first
    examples: dict[str, tuple[int, Text]] = {}
    for given in templates.spec.inputs.values():
        shape = [size_of(item, env, templates) for item in given.shape]
        for item, (name, example, _) in zip(given.shape, shape, strict=True):
            if name is None:
                continue
            first.setdefault(name, item)
            if example is None:
                continue
            known = examples.setdefault(name, (example, item))
            if known[0] != example:
                state.report(
                    "E103",
                    f"the free dimension {name!r} has two example sizes",
                    item.span,
                    found=f"{known[0]} and {example}",
                    notes=[Note(f"{name}={known[0]}", known[1].span)],
                )
        shapes.append(shape)
    ranges = {str(key): value for key, value in templates.spec.dims.items()}
    for key in templates.spec.dims:
        if key not in first:
            state.report(
                "E201",
                f"no input has a free dimension {str(key)!r}",
                key.span,
                suggestion=did_you_mean(key, first),
            )
    for name, size in sizes.items():
        if name not in first:
            known_names = f"free are {', '.join(first)}" if first else "no dimension is free"
            state.report(
                "E103",
                f"no input has a free dimension {name!r}",
                None,
                about=name,
                suggestion=did_you_mean(name, first) or known_names,
            )
        elif type(size) is not int or not 1 <= size <= LARGEST:
            state.report(
                "E103",
                f"not a size of {name!r}",
                None,
                about=name,
                expected="an int >= 1",
                found=show(size),
            )
    if len(state.findings) > before:
        return None
    free = []
    for name, place in first.items():
        example = examples[name][0] if name in examples else None
        dim = Dim(name, sizes.get(name, example))
        if name in ranges:
            bounds = ranges[name]
            dim = replace(dim, multiple=bounds.multiple, min=bounds.min, max=bounds.max)
            _check_range(dim, bounds, place, state)
        free.append(dim)
    if len(state.findings) > before:
        return None
    state.dims = Dims(tuple(free))
    at = state.dims.sizes
    return tuple(
        Input(
            str(name),
            state.intern(
                Tensor(
                    str(given.dtype),
                    tuple(
                        tuple(at[n][probe] if n else size or 0 for n, size, _ in shape)
                        for probe in range(PROBES)
                    ),
                )
            ),
            tuple(written for _, _, written in shape),
            name.span,
        )
        for (name, given), shape in zip(templates.spec.inputs.items(), shapes, strict=True)
    )


def _check_range(dim: Dim, bounds: DimRange, place: Text, state: State) -> None:
    """That the range holds a size, and the example."""
    size = dim.example if dim.example is not None else dim.at(0, 0)
    if not bounds.holds(size):
        what = "the example size of" if dim.example is not None else "no size of"
        state.report(
            "E103",
            f"{what} {dim.name!r} is {'outside of' if dim.example else 'in'} its range",
            place.span,
            about=dim.name,
            expected=str(bounds),
            found=str(size) if dim.example is not None else None,
        )


def size_of(item: Text, env: Mapping[str, object], templates: Templates) -> Size:
    """One size: a number, a free dimension with or without an example, or an expression."""
    if item.plain and type(item.value) is int:
        return (None, _checked(item.value, item, templates), ast.Constant(item.value))
    if not item.startswith("$"):
        match = DIMENSION.fullmatch(item)
        if match is not None:
            if match[2] is None:
                return (match[1], None, None)
            right = text(match[2], item)
            return (match[1], _evaluated(right, item, env, templates)[0], None)
    size, tree = _evaluated(item, item, env, templates)
    return (None, size, tree)


def _evaluated(
    written: Text, item: Text, env: Mapping[str, object], templates: Templates
) -> tuple[int | None, ast.expr | None]:
    value = templates.value(written)
    if value is None:
        return None, None
    try:
        known = value.constant is not MISSING
        found = value.constant if known else templates.state.evaluate(value.expr, env)
    except expr.ExprError as error:
        templates.failed(item, error)
        return None, None
    return _checked(found, item, templates), value.expr


def _checked(size: object, item: Text, templates: Templates) -> int | None:
    if type(size) is int and 1 <= size <= LARGEST:
        return size
    templates.state.report(
        "E103", "not a size", item.span, expected="an int >= 1", found=show(size)
    )
    return None
