"""The type of one call of an op: arguments checked and completed, shapes at every probe.

Plain facts only: nothing here knows places, so that the verifier can run it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphbuild.dims import PROBES, REQUIRED
from graphbuild.expr.functions import LARGEST
from graphbuild.ir import Several, Tensor, Type
from graphbuild.ops import ArgProblem, check_args, meta, result_dtype
from graphbuild.ops.base import Args, Op, Shape, ShapeError
from graphbuild.spec.kinds import MAX_RANK

Values = dict[str, object]


class ArgsError(Exception):
    """Arguments that the op does not take."""

    def __init__(self, problems: Sequence[ArgProblem]) -> None:
        super().__init__("; ".join(p.message for p in problems))
        self.problems = problems


class Mismatch(Exception):
    """An argument that was given and is not what the operands say."""

    def __init__(self, argument: str, given: object, inferred: object) -> None:
        super().__init__(f"{argument} is {given}, but the operands say {inferred}")
        self.argument = argument
        self.given = given
        self.inferred = inferred


class FreeArgument(Exception):
    """An argument of a layer that differs between input sizes."""

    def __init__(self, argument: str, values: Sequence[object]) -> None:
        super().__init__(argument)
        self.argument = argument
        self.values = values


@dataclass(frozen=True, slots=True)
class Typed:
    """What a call of an op came to: all its arguments, which of them the operands gave, its type."""

    args: Values
    inferred: frozenset[str]
    type: Type


def checked(op: Op, given: Mapping[str, object]) -> Values:
    """All arguments with defaults filled in, but those that the operands are to give."""
    values, problems = check_args(op, given)
    if problems:
        raise ArgsError(problems)
    return values


def typed(op: Op, probes: Sequence[Values], operands: Sequence[Tensor]) -> Typed:
    """The call with `probes` as its checked arguments: one set for all probes, or one for each.

    Raises ShapeError, DtypeError, Mismatch or FreeArgument.
    """
    args = dict(probes[0])
    columns = _columns(operands)
    inferred = _infer(op, args, columns)
    missing = [a.name for a in op.arguments if a.required and a.name not in args]
    if missing:
        raise ArgsError(
            [ArgProblem(n, "E113", f"{op.name} needs the argument {n!r}") for n in missing]
        )
    space = Args(**args)
    dtype = result_dtype(op, space, [t.dtype for t in operands])
    several = len(probes) > 1
    rule = op.shape or partial(_run, op, [t.dtype for t in operands])
    example = columns[0]
    if example is None:
        raise ValueError("an operand without a shape at the example")
    results: list[Any] = []
    if not several:
        results.append(rule(space, *example))
        if op.shape is None and op.dtype is None:
            dtype = meta.outcome(op, space, example, [t.dtype for t in operands])[1]
        if example and results[0] is example[0] and _fixed(op, args, space, inferred, columns):
            keeps = dtype == operands[0].dtype
            kept = operands[0] if keeps else Tensor(dtype, operands[0].shapes)
            return Typed(args, frozenset(inferred), kept)
    for probe in range(len(results), len(columns)):
        shapes = columns[probe]
        if shapes is None:
            results.append(None)
            continue
        if several:
            space = Args(**{**args, **probes[probe]})
        try:
            results.append(rule(space, *shapes))
        except ShapeError:
            for name in inferred:  # a size that this probe would have otherwise
                values = [op.infer[name](Args(**args), s) for s in (shapes, example)]
                if values[0] != values[-1]:
                    raise FreeArgument(name, values[::-1]) from None
            if probe < REQUIRED:
                raise
            results.append(None)
    for result in results:
        if isinstance(result, tuple) and len(result) > MAX_RANK:
            raise ShapeError(f"would give more than {MAX_RANK} dimensions")
        if isinstance(result, tuple) and max(result, default=0) > LARGEST:
            raise ShapeError("would give a size that no tensor can have")
    ranks = {len(r) for r in results if isinstance(r, tuple)}
    if len(ranks) > 1:
        counts = " or ".join(map(str, sorted(ranks)))
        raise ShapeError(f"would give {counts} dimensions, by the size of a free one")
    return Typed(args, frozenset(inferred), _type(results, dtype, op.outputs))


def _run(op: Op, dtypes: Sequence[str], args: Args, *shapes: Shape) -> Any:
    """The shape that an op without a rule gives."""
    return meta.outcome(op, args, shapes, dtypes)[0]


def _fixed(
    op: Op,
    args: Values,
    space: Args,
    inferred: list[str],
    columns: Sequence[tuple[Shape, ...] | None],
) -> bool:
    """Whether a call that gives its only operand's shape back at the example does so at all probes.

    A rule that gives the very tuple it was given looks at nothing but the rank and the sizes that
    an argument is inferred from; so it is enough that those are the same at every probe.
    """
    return len(columns[0] or ()) == 1 and all(
        shapes is None or op.infer[name](space, shapes) == args[name]
        for name in inferred
        for shapes in columns
    )


def _infer(op: Op, args: Values, columns: Sequence[tuple[Shape, ...] | None]) -> list[str]:
    """Add what the operands say about arguments, as the example has it; give their names.

    A shape rule refuses operands that say something else, so other probes need no look here, nor
    does a list (`normalized_shape: [8, 8]`), which may say more than what is inferred.
    """
    inferred = []
    shapes = columns[0]
    if op.infer and shapes is not None:
        space = Args(**args)
        for name, rule in op.infer.items():
            value = rule(space, shapes)
            if name not in args:
                args[name] = value
                inferred.append(name)
            elif args[name] != value and not isinstance(args[name], tuple):
                raise Mismatch(name, args[name], value)
    return inferred


def _columns(operands: Sequence[Tensor]) -> list[tuple[Shape, ...] | None]:
    """The operands' shapes per probe; None where one of them has none."""
    if not operands:
        return [()] * PROBES
    if len(operands) == 1:
        return [None if s is None else (s,) for s in operands[0].shapes]
    columns = zip(*(t.shapes for t in operands), strict=True)
    return [None if None in shapes else shapes for shapes in columns]


def _type(results: Sequence[Any], dtype: Any, names: Sequence[str]) -> Type:
    """The results of all probes as one type; a list among them is several values."""
    first = results[0]
    if not isinstance(first, list):
        return Tensor(dtype if isinstance(dtype, str) else dtype[0], tuple(results))
    items = tuple(
        _type(
            [None if r is None or k >= len(r) else r[k] for r in results],
            dtype if isinstance(dtype, str) else dtype[k],
            (),
        )
        for k in range(len(first))
    )
    return Several(items, tuple(names) if len(names) == len(items) else ())
