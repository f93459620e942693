"""Recurrent layers, and their cells, which make a single step.

All may be given their first state, which is else zeros. An LSTM's state is a pair: two operands
here, which torch takes as a tuple.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuild.ops.base import Args, Op, Shape, ShapeError, Shapes
from graphbuild.ops.build import layer
from graphbuild.ops.dtypes import same as same_dtype
from graphbuild.ops.rules import agree, infer_last, need_rank, product, show


def _width(args: Args) -> Any:
    """The size of what a layer hands on: an LSTM may project it."""
    return getattr(args, "proj_size", 0) or args.hidden_size


_MAX_LAYERS = 1_000
_BOTH = "takes both parts of its state, h_0 and c_0, or none"


def _shape(args: Args, x: Shape, *states: Shape | None) -> Any:
    need_rank(x, 2, 3, like="N×L×features" if args.batch_first else "L×N×features")
    agree(args, "input_size", x[-1], "the last dimension of the input")
    if getattr(args, "proj_size", 0) >= args.hidden_size:
        raise ShapeError(
            f"proj_size ({args.proj_size}) must be smaller than hidden_size ({args.hidden_size})"
        )
    if args.num_layers > _MAX_LAYERS:
        raise ShapeError(f"num_layers is {args.num_layers:,}; there may be {_MAX_LAYERS:,}")
    ways = 2 if args.bidirectional else 1
    batch = () if len(x) == 2 else (x[0] if args.batch_first else x[1],)
    width = _width(args)
    last = (args.num_layers * ways, *batch, width)
    memory = (args.num_layers * ways, *batch, args.hidden_size)
    for state, wanted in zip(states, (last, memory), strict=False):
        if state is not None and tuple(state) != wanted:
            raise ShapeError(f"the first state must be {show(wanted)}, found {show(state)}")
    output = (*x[:-1], width * 2 if args.bidirectional else width)
    if hasattr(args, "proj_size"):
        if len([state for state in states if state is not None]) == 1:
            raise ShapeError(_BOTH)
        return [output, [last, memory]]
    return [output, last]


def _parameters(gates: int) -> Any:
    def parameters(args: Args) -> dict[str, Shape]:
        out: dict[str, Shape] = {}
        projected = getattr(args, "proj_size", 0)
        rows, width = gates * args.hidden_size, _width(args)
        for number in range(args.num_layers):
            wide = args.input_size if number == 0 else width * (2 if args.bidirectional else 1)
            for way in ("", "_reverse") if args.bidirectional else ("",):
                end = f"l{number}{way}"
                out[f"weight_ih_{end}"] = (rows, wide)
                out[f"weight_hh_{end}"] = (rows, width)
                if args.bias:
                    out[f"bias_ih_{end}"] = out[f"bias_hh_{end}"] = (rows,)
                if projected:
                    out[f"weight_hr_{end}"] = (projected, args.hidden_size)
        return out

    return parameters


def _macs(gates: int) -> Any:
    parameters = _parameters(gates)

    def macs(args: Args, shapes: Shapes, output: Any) -> int:
        steps = product(shapes[0][:-1])  # every matrix is used once per step and sample
        return steps * sum(product(s) for s in parameters(args).values() if len(s) == 2)

    return macs


def _row(name: str, gates: int, doc: str, **row: Any) -> Op:
    return layer(
        name,
        _shape,
        doc,
        infer={"input_size": infer_last},
        several=True,
        parameters=_parameters(gates),
        macs=_macs(gates),
        dtype=same_dtype(),
        positional=2,
        **row,
    )


def _cell(args: Args, x: Shape, *states: Shape | None) -> Any:
    need_rank(x, 1, 2, like="features or N×features")
    agree(args, "input_size", x[-1], "the last dimension of the input")
    out = (*x[:-1], args.hidden_size)
    for state in states:
        if state is not None and tuple(state) != out:
            raise ShapeError(f"the first state must be {show(out)}, found {show(state)}")
    return out


def _lstm_cell(args: Args, x: Shape, *states: Shape | None) -> list[Shape]:
    if len([state for state in states if state is not None]) == 1:
        raise ShapeError(_BOTH)
    return [_cell(args, x, *states)] * 2


def _cell_parameters(gates: int) -> Any:
    def parameters(args: Args) -> dict[str, Shape]:
        rows = gates * args.hidden_size
        out: dict[str, Shape] = {
            "weight_ih": (rows, args.input_size),
            "weight_hh": (rows, args.hidden_size),
        }
        if args.bias:
            out["bias_ih"] = out["bias_hh"] = (rows,)
        return out

    return parameters


def _cell_row(name: str, gates: int, rule: Any, doc: str, **row: Any) -> Op:
    parameters = _cell_parameters(gates)

    def macs(args: Args, shapes: Shapes, output: Any) -> int:
        matrices = sum(product(s) for s in parameters(args).values() if len(s) == 2)
        return product(shapes[0][:-1]) * matrices

    return layer(
        name,
        rule,
        doc,
        infer={"input_size": infer_last},
        parameters=parameters,
        macs=macs,
        dtype=same_dtype(),
        positional=2,
        **row,
    )


def _tuple(given: Mapping[str, str]) -> list[str]:
    """An LSTM's state as torch takes it."""
    first, *states = given.values()
    if not states:
        return [first]
    pair = states[0].removesuffix("[0]")
    whole = states == [f"{pair}[0]", f"{pair}[1]"]  # what another LSTM gives is a pair already
    return [first, pair if whole else f"({', '.join(states)})"]


_ONE: dict[str, Any] = {"operands": ("input", "hx"), "optional": 1}
_TWO: dict[str, Any] = {"operands": ("input", "h_0", "c_0"), "optional": 2, "wired": _tuple}
_OUTPUTS = ("output", "h_n")

OPS: list[Op] = [
    _row("RNN", 1, "A plain recurrent network over a sequence.", outputs=_OUTPUTS, **_ONE),
    _row("GRU", 3, "Gated recurrent units over a sequence.", outputs=_OUTPUTS, **_ONE),
    _row(
        "LSTM",
        4,
        "Long short-term memory over a sequence.",
        outputs=("output", "state"),
        saves_output=True,
        **_TWO,
    ),
    _cell_row(
        "RNNCell", 1, _cell, "One step of a plain recurrent network.", saves_output=True, **_ONE
    ),
    _cell_row("GRUCell", 3, _cell, "One step of gated recurrent units.", **_ONE),
    _cell_row(
        "LSTMCell",
        4,
        _lstm_cell,
        "One step of long short-term memory; gives its output and its memory.",
        several=True,
        outputs=("h", "c"),
        **_TWO,
    ),
]
