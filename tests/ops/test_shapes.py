"""Shape rules, parameters, buffers and MACs against the real ops, on random calls."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from calls import CALLED, build, calls, complete, run, shape_of, tensors
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from graphbuild import ops
from graphbuild.ops.base import Args, DtypeError, Op, Shape, ShapeError

# What torch takes and we refuse, by op and our message.
STRICTER = "|".join((
    "needs the dimension",  # torch guesses one, and says that it will not for ever
    "needs num_classes",  # torch reads the data
    "the number of channels of the input is",  # a norm without weights does not need to know
    "input and target differ in shape",  # torch stretches one, and warns
    "takes a target of",
    "must be less than max_val",
    "adaptive_?avg_?pool[23]d: takes an input",  # to a size of 1 torch takes a mean, whatever it is
    "dropout[23]?d?: takes an input",  # nothing is looked at where nothing is dropped
    "max_?pool[123]d: the padding",  # where torch counts a dilation in depends on the path it takes
    "a mask or is_causal",  # likewise
    "the input is too small",  # to resize to nothing
    "does not make bool",  # torch makes an empty one
    "dropblock2d: block_size",  # nothing is looked at where nothing is dropped
    "frozenbatchnorm2d: takes an input",  # it stretches what it has
    "margin_?loss: takes an input",  # where a scalar has no classes or features
    "takes a source of the index's",  # torch takes a larger one, but then has no gradient
))  # fmt: skip
# Torch's counter misses an LSTM on a CPU, which runs as one kernel.
UNCOUNTED = {"LSTM"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLED)
def test_like_torch(name: str) -> None:
    """Our rule gives the shape that the op gives, and refuses what the op refuses."""
    op = ops.get(name)
    assert op is not None
    went = []

    @settings(
        max_examples=30,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def check(data: Any) -> None:
        given, shapes = data.draw(calls(op))
        try:
            args = complete(op, given, shapes)
        except ShapeError:
            return  # an argument that the operands do not determine, so torch cannot be asked
        call = f"{name}({given}) on {shapes}"
        ours, theirs = by_rule(op, args, shapes), by_torch(op, args, shapes)
        if isinstance(ours, Exception):
            stricter = re.search(STRICTER, f"{name}: {ours}", re.IGNORECASE)
            assert stricter or isinstance(theirs, Exception), f"{call}: we refuse: {ours}"
            return
        assert not isinstance(theirs, Exception), f"{call}: torch refuses: {theirs}"
        shape, parameters, buffers, macs = theirs
        assert ours == shape, call
        assert list((op.parameters or nothing)(args).items()) == parameters, call
        assert list((op.buffers or nothing)(args).items()) == buffers, call
        # Torch counts nothing in a product with a vector, or with a matrix of a single number.
        if name not in UNCOUNTED and min([min(s) if len(s) > 1 else 0 for s in shapes] or [0]) > 1:
            assert (op.macs(args, shapes, ours) if op.macs else 0) == macs, call
        went.append(call)

    check()
    assert len(went) >= 4, f"only {len(went)} of the random calls of {name} went through"


def nothing(args: Args) -> dict[str, Shape]:
    return {}


def by_rule(op: Op, args: Args, shapes: list[Shape]) -> Any:
    """The output's shape, or why the op is refused."""
    try:
        shape = op.shape(args, *shapes)
        ops.result_dtype(op, args, [str(t.dtype)[6:] for t in tensors(op, shapes)])
    except (ShapeError, DtypeError) as error:
        return error
    return shape


def by_torch(op: Op, args: Args, shapes: list[Shape]) -> Any:
    """The output's shape, parameters, buffers and MACs, or why the op is refused."""
    torch.manual_seed(0)
    try:
        module = build(op, args)
        given = tensors(op, shapes)
        # The counter does not know the one kernel that attention mostly runs as.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            out = run(op, args, given, module)
    except Exception as error:
        return error
    tables = [[], []] if module is None else [module.named_parameters(), module.named_buffers()]
    parameters, buffers = ([(k, tuple(v.shape)) for k, v in table] for table in tables)
    return shape_of(out), parameters, buffers, counter.get_total_flops() // 2
