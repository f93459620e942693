"""Recurrent layers.

An LSTM's state is a pair, which no single operand can carry, so it starts from zeros; the others
take their first state as a second operand.
"""

from __future__ import annotations

from typing import Any

from graphbuild.ops.base import Args, Op, Shape, ShapeError, Shapes
from graphbuild.ops.build import layer
from graphbuild.ops.dtypes import same as same_dtype
from graphbuild.ops.rules import agree, infer_last, need_rank, product, show


def _width(args: Args) -> Any:
    """The size of what a layer hands on: an LSTM may project it."""
    return getattr(args, "proj_size", 0) or args.hidden_size


def _shape(args: Args, x: Shape, state: Shape | None = None) -> Any:
    need_rank(x, 2, 3, like="N×L×features" if args.batch_first else "L×N×features")
    agree(args, "input_size", x[-1], "the last dimension of the input")
    if getattr(args, "proj_size", 0) >= args.hidden_size:
        raise ShapeError(
            f"proj_size ({args.proj_size}) must be smaller than hidden_size ({args.hidden_size})"
        )
    ways = 2 if args.bidirectional else 1
    batch = () if len(x) == 2 else (x[0] if args.batch_first else x[1],)
    width = _width(args)
    last = (args.num_layers * ways, *batch, width)
    if state is not None and tuple(state) != last:
        raise ShapeError(f"the first state must be {show(last)}, found {show(state)}")
    output = (*x[:-1], width * 2 if args.bidirectional else width)
    if hasattr(args, "proj_size"):
        return [output, [last, (args.num_layers * ways, *batch, args.hidden_size)]]
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


_STATE: dict[str, Any] = {"operands": ("input", "hx"), "optional": 1, "outputs": ("output", "h_n")}

OPS: list[Op] = [
    _row("RNN", 1, "A plain recurrent network over a sequence.", **_STATE),
    _row("GRU", 3, "Gated recurrent units over a sequence.", **_STATE),
    _row(
        "LSTM",
        4,
        "Long short-term memory over a sequence.",
        outputs=("output", "state"),
        saves_output=True,
    ),
]
