"""What rows say of memory, against what autograd and the tensors' storage show."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from calls import CALLED, build, calls, complete, flat, run, tensors
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graphbuild import ops
from graphbuild.ops.base import DtypeError, Op, ShapeError


def flag(rule: str | bool, args: Any) -> bool:
    return bool(getattr(args, rule)) if isinstance(rule, str) else rule


def saves_output(op: Op, args: Any, shapes: Any) -> bool | None:
    """Whether backward fails once the output has been overwritten; None where there is none."""
    try:
        out = differentiable(op, args, shapes, len(shapes))
    except RuntimeError as error:
        if "not differentiable" not in str(error):
            raise
        out = differentiable(op, args, shapes, 1)  # the others are a target, a weight
    first = flat(out)[0]
    if not first.requires_grad:
        return None
    try:
        first.mul_(1.5)
        sum(t.sum() for t in flat(out) if t.requires_grad).backward()  # type: ignore[union-attr]
    except RuntimeError as error:
        if "sparse" in str(error):
            return None
        if "inplace" in str(error) or "single memory location" in str(error):
            return True
        raise
    return False


def differentiable(op: Op, args: Any, shapes: Any, count: int) -> Any:
    """What the op gives, with gradients for so many of its operands."""
    given = tensors(op, shapes)
    wanted = [t.is_floating_point() and i < count for i, t in enumerate(given)]
    leaves = [t.requires_grad_() if w else t for t, w in zip(given, wanted, strict=True)]
    with torch.random.fork_rng():
        # An op that overwrites its input cannot be given a leaf.
        tensors_ = [t + 0 if w else t for t, w in zip(leaves, wanted, strict=True)]
        return run(op, args, tensors_, build(op, args))


def shares(op: Op, args: Any, shapes: Any) -> tuple[bool, bool]:
    """Whether the output shares memory with the first operand, and whether that was overwritten."""
    found = []
    for training in (True, False):
        given = tensors(op, shapes)
        if not given:
            return False, False
        before = given[0]._version
        module = build(op, args)
        if module is not None and not re.search("BatchNorm|InstanceNorm", op.name):
            module.train(training)
        with torch.no_grad():
            out = run(op, args, given, module)
        storage = given[0].untyped_storage().data_ptr()
        found.append((any(t.untyped_storage().data_ptr() == storage for t in flat(out)),
                      given[0]._version > before))  # fmt: skip
    return any(s for s, _ in found), any(o for _, o in found)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLED)
def test_memory(name: str) -> None:
    op = ops.get(name)
    assert op is not None
    seen: dict[str, set[bool]] = {"saves": set(), "shares": set(), "overwrites": set()}

    @settings(
        max_examples=20, deadline=None, derandomize=True, database=None,
        phases=(Phase.generate,), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def check(data: Any) -> None:
        given, shapes = data.draw(calls(op, good=True))
        try:
            args = complete(op, given, shapes)
            op.shape(args, *shapes)
            ops.result_dtype(op, args, [str(t.dtype)[6:] for t in tensors(op, shapes)])
        except (ShapeError, DtypeError):
            return
        call = f"{name}({given}) on {shapes}"
        sharing, overwritten = shares(op, args, shapes)
        saves = saves_output(op, args, shapes)
        overwrites = flag(op.overwrites, args)
        assert overwrites or not overwritten, f"{call} overwrites its input"
        assert op.aliases or overwrites or not sharing, f"{call} shares memory with its input"
        if saves is not None:
            assert flag(op.saves_output, args) or not saves, f"{call} reads its output in backward"
            if flag(op.saves_output, args):
                seen["saves"].add(saves)
        if not overwrites:
            seen["shares"].add(sharing)
        else:
            seen["overwrites"].add(overwritten)

    check()
    # What a row claims must also be seen to happen.
    if op.aliases:
        assert True in seen["shares"], "never shares memory"
    if op.saves_output:
        assert True in seen["saves"], "never reads its output in backward"
    if op.overwrites:
        assert True in seen["overwrites"], "never overwrites its input"
