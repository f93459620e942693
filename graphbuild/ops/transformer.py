"""Transformers and their layers."""

from __future__ import annotations

from typing import Any

from graphbuild.ops.attention import axes, check_heads, check_masks, masked
from graphbuild.ops.base import MISSING, Args, Op, Shape, ShapeError, Shapes
from graphbuild.ops.build import layer
from graphbuild.ops.rules import agree, infer_last, need_rank, product, show
from graphbuild.ops.writing import keywords


def _sequence(args: Args, x: Shape) -> tuple[Any, Any]:
    """How long a sequence is, and the batch; its width must be the model's."""
    need_rank(x, 2, 3, like="N×L×features" if args.batch_first else "L×N×features")
    agree(args, "d_model", x[-1], "the last dimension of the input")
    check_heads("d_model", args.d_model, args.nhead)
    return axes(args, x)


def _encoder(
    args: Args, x: Shape, mask: Shape | None = None, padding: Shape | None = None
) -> Shape:
    length, batch = _sequence(args, x)
    check_masks(args.nhead, batch, (length, length), padding, mask)
    return x


def _decoder(args: Args, x: Shape, memory: Shape, *masks: Shape | None) -> Shape:
    length, batch = _sequence(args, x)
    if len(memory) != len(x) or memory[-1] != x[-1] or axes(args, memory)[1] != batch:
        raise ShapeError(f"input and memory do not belong together: {show(x)}, {show(memory)}")
    seen = axes(args, memory)[0]
    mask, memory_mask, padding, memory_padding = (*masks, *(None,) * 4)[:4]
    check_masks(args.nhead, batch, (length, length), padding, mask)
    check_masks(args.nhead, batch, (length, seen), memory_padding, memory_mask)
    return x


def _whole(args: Args, source: Shape, target: Shape, *masks: Shape | None) -> Shape:
    given = (*masks, *(None,) * 6)[:6]
    _encoder(args, source, given[0], given[3])
    return _decoder(args, target, source, given[1], given[2], given[4], given[5])


def _layer(args: Args, attentions: tuple[str, ...]) -> dict[str, Shape]:
    """What a layer owns: attentions, a network of two linear layers, a norm after each."""
    wide, inner = args.d_model, args.dim_feedforward
    parts: list[tuple[str, Shape]] = []
    for name in attentions:
        parts += [(f"{name}.in_proj_", (3 * wide, wide)), (f"{name}.out_proj.", (wide, wide))]
    parts += [("linear1.", (inner, wide)), ("linear2.", (wide, inner))]
    parts += [(f"norm{number}.", (wide,)) for number in range(1, len(attentions) + 2)]
    out: dict[str, Shape] = {}
    for name, size in parts:
        out[f"{name}weight"] = size
        if args.bias:
            out[f"{name}bias"] = size[:1]
    return out


_OF_ENCODER, _OF_DECODER = ("self_attn",), ("self_attn", "multihead_attn")


def _whole_parameters(args: Args) -> dict[str, Shape]:
    out: dict[str, Shape] = {}
    for name, count, attentions in (
        ("encoder", args.num_encoder_layers, _OF_ENCODER),
        ("decoder", args.num_decoder_layers, _OF_DECODER),
    ):
        for number in range(count):
            for key, size in _layer(args, attentions).items():
                out[f"{name}.layers.{number}.{key}"] = size
        out[f"{name}.norm.weight"] = (args.d_model,)
        if args.bias:
            out[f"{name}.norm.bias"] = (args.d_model,)
    return out


def _attention_macs(args: Args, x: Shape, memory: Shape) -> Any:
    wide, seen = args.d_model, axes(args, memory)[0]
    return (2 * product(x) + 2 * product(memory)) * wide + 2 * product(x) * seen


def _encoder_macs(args: Args, shapes: Shapes, output: Any) -> Any:
    x = shapes[0]
    return _attention_macs(args, x, x) + 2 * product(x) * args.dim_feedforward


def _decoder_macs(args: Args, shapes: Shapes, output: Any) -> Any:
    return _encoder_macs(args, shapes, output) + _attention_macs(args, shapes[0], shapes[1])


def _whole_macs(args: Args, shapes: Shapes, output: Any) -> Any:
    source, target = shapes[:2]
    return args.num_encoder_layers * _encoder_macs(
        args, [source], output
    ) + args.num_decoder_layers * _decoder_macs(args, [target, source], output)


def _row(name: str, rule: Any, doc: str, inputs: tuple[str, ...], *masks: str, **row: Any) -> Op:
    return layer(
        name,
        rule,
        doc,
        operands=(*inputs, *masks),
        optional=len(masks),
        wired=keywords(*masks),
        accepts=(*("float",) * len(inputs), "float bool"),
        infer={"d_model": infer_last},
        dtype=masked(len(inputs)),
        positional=2,
        **row,
    )


OPS: list[Op] = [
    _row(
        "TransformerEncoderLayer",
        _encoder,
        "Self-attention and a feedforward network, each with a residual and a norm.",
        ("src",),
        "src_mask",
        "src_key_padding_mask",
        parameters=lambda args: _layer(args, _OF_ENCODER),
        macs=_encoder_macs,
    ),
    _row(
        "TransformerDecoderLayer",
        _decoder,
        "Self-attention, attention to a memory and a feedforward network.",
        ("tgt", "memory"),
        "tgt_mask",
        "memory_mask",
        "tgt_key_padding_mask",
        "memory_key_padding_mask",
        parameters=lambda args: _layer(args, _OF_DECODER),
        macs=_decoder_macs,
    ),
    _row(
        "Transformer",
        _whole,
        "Layers that encode a source, and layers that decode a target from it.",
        ("src", "tgt"),
        "src_mask",
        "tgt_mask",
        "memory_mask",
        "src_key_padding_mask",
        "tgt_key_padding_mask",
        "memory_key_padding_mask",
        defaults={"d_model": MISSING},  # torch has one, but the input determines it
        parameters=_whole_parameters,
        macs=_whole_macs,
    ),
]
