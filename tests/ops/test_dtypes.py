"""Accepted dtypes and result dtypes against the real ops."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any

import pytest
import torch
from calls import CALLED, build, calls, complete, flat, run, tensors
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graphbuild import ops
from graphbuild.ops.base import DtypeError, Op
from graphbuild.ops.dtypes import KIND, promote

DTYPES = ("float32", "float64", "float16", "int64", "int32", "uint8", "bool")


# Ops that torch lets work on whole numbers, or on two dtypes, where we see a mistake.
STRICTER = "drop|stochastic|conv|einsum|entropy|kl_div|bag|lstmcell|loss|pool|norm|fold|ups|interp|simil|distance|softsign|tanhshrink|clamp|hardtanh|sign|square"


class Found(Exception):
    """A call that can be made."""


def some_call(op: Op) -> Any:
    """A call that our rules and torch take, with two operands or more where there may be."""

    @settings(
        max_examples=100, deadline=None, derandomize=True, database=None, print_blob=False,
        phases=(Phase.generate,), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def look(data: Any) -> None:
        given, shapes = data.draw(calls(op, good=True))
        if (len(shapes) == 1 and op.optional) or not all(shapes):
            return
        try:
            args = complete(op, given, shapes)
            op.shape(args, *shapes)
            run(op, args, tensors(op, shapes), build(op, args))
        except Exception:
            return
        raise Found(args, shapes)

    with pytest.raises(Found) as found:
        look()
    return found.value.args


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLED)
def test_like_torch(name: str) -> None:
    op = ops.get(name)
    assert op is not None
    args, shapes = some_call(op)
    # A layer with parameters has them in float32 until it is converted as a whole.
    some = ("float32", "int64", "bool") if op.parameters or op.buffers else DTYPES
    if len(shapes) > 2:
        some = ("float32", "int64", "bool")
    wrong = []
    for dtypes in itertools.product(some, repeat=len(shapes)):
        try:
            ours: Any = ops.result_dtype(op, args, dtypes)
        except DtypeError as error:
            ours = error
        try:
            out = flat(run(op, args, tensors(op, shapes, dtypes), build(op, args)))[0]
            theirs: Any = str(out.dtype)[6:]
        except Exception as error:
            theirs = error
        if isinstance(ours, list):
            ours = ours[0]
        if isinstance(theirs, Exception) and (
            isinstance(ours, Exception) or "not implemented for" in str(theirs)
        ):
            continue  # what the CPU lacks another device may have
        if isinstance(ours, Exception) and re.search(STRICTER, name, re.IGNORECASE):
            continue
        if str(ours) != theirs:
            wrong.append(f"{', '.join(dtypes)}: torch {theirs!s:.90}, ours {ours}")
    assert not wrong, f"{name}: {vars(args)}\n" + "\n".join(wrong)


def test_promote() -> None:
    rng = random.Random(0)
    for _ in range(200):
        dtypes = [rng.choice(list(KIND)) for _ in range(2)]
        theirs = torch.promote_types(*(getattr(torch, d) for d in dtypes))
        assert promote(*dtypes) == str(theirs)[6:], dtypes
