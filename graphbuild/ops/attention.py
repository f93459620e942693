"""Attention, with projections and without."""

from __future__ import annotations

from typing import Any

from graphbuild.ops.base import Args, DtypeError, Op, Shape, ShapeError, Shapes
from graphbuild.ops.build import function, layer
from graphbuild.ops.dtypes import same as same_dtype
from graphbuild.ops.rules import (
    agree,
    broadcast,
    infer_last,
    need_at_least,
    need_rank,
    product,
    show,
)
from graphbuild.ops.writing import keywords


def axes(args: Args, x: Shape) -> tuple[Any, Any]:
    """How long the sequence is, and the batch (None without one)."""
    if len(x) == 2:
        return x[0], None
    return (x[1], x[0]) if args.batch_first else (x[0], x[1])


def check_heads(name: str, width: Any, heads: Any) -> None:
    if width % heads:
        raise ShapeError(f"{name} ({width}) is not divisible by the number of heads ({heads})")


def check_masks(heads: int, batch: Any, attention: Shape, padding: Any, mask: Any) -> None:
    """That masks fit: one of the attention (length × seen), one of the padding (N × seen)."""
    wanted = [attention] if batch is None else [attention, (batch * heads, *attention)]
    if batch is None:
        wanted.append((heads, *attention))
    if mask is not None and mask not in wanted:
        raise ShapeError(f"takes a mask of {' or '.join(map(show, wanted))}, found {show(mask)}")
    rows = (*(() if batch is None else (batch,)), attention[-1])
    if padding is not None and padding != rows:
        raise ShapeError(f"takes a mask of the padding of {show(rows)}, found {show(padding)}")


def _multihead(
    args: Args,
    query: Shape,
    key: Shape,
    value: Shape,
    mask: Shape | None = None,
    padding: Shape | None = None,
) -> list[Shape]:
    need_rank(query, 2, 3, like="N×L×features" if args.batch_first else "L×N×features")
    agree(args, "embed_dim", query[-1], "the last dimension of the query")
    check_heads("embed_dim", args.embed_dim, args.num_heads)
    for x, name, size in ((key, "key", args.kdim), (value, "value", args.vdim)):
        need_rank(x, len(query))
        if x[-1] != (args.embed_dim if size is None else size):
            raise ShapeError(
                f"the last dimension of the {name} is {x[-1]}, not {args.embed_dim if size is None else size}",
                argument=f"{name[0]}dim",
                value=x[-1],
            )
    if key[:-1] != value[:-1] or axes(args, key)[1] != axes(args, query)[1]:
        raise ShapeError(
            f"query, key and value do not belong together: {show(query)}, {show(key)}, {show(value)}"
        )
    length, batch = axes(args, query)
    seen = axes(args, key)[0]
    check_masks(args.num_heads, batch, (length, seen), padding, mask)
    for extra in (args.add_bias_kv, args.add_zero_attn):
        seen = seen + 1 if extra else seen
    weights = (length, seen) if batch is None else (batch, length, seen)
    return [query, weights]


def _multihead_parameters(args: Args) -> dict[str, Shape]:
    wide = args.embed_dim
    out: dict[str, Shape] = {}
    if args.kdim in (None, wide) and args.vdim in (None, wide):
        out["in_proj_weight"] = (3 * wide, wide)
    else:
        out["q_proj_weight"] = (wide, wide)
        out["k_proj_weight"] = (wide, wide if args.kdim is None else args.kdim)
        out["v_proj_weight"] = (wide, wide if args.vdim is None else args.vdim)
    if args.bias:
        out["in_proj_bias"] = (3 * wide,)
    if args.add_bias_kv:
        out["bias_k"] = out["bias_v"] = (1, 1, wide)
    out["out_proj.weight"] = (wide, wide)
    if args.bias:
        out["out_proj.bias"] = (wide,)
    return out


def _multihead_macs(args: Args, shapes: Shapes, output: Any) -> Any:
    query, key, value = shapes[:3]
    wide = args.embed_dim
    projected = product(key) * wide + product(value) * wide + 2 * product(query) * wide
    seen = output[1][-1]
    return projected + 2 * product(query[:-1]) * seen * wide


def _dot_product(
    args: Args, query: Shape, key: Shape, value: Shape, mask: Shape | None = None
) -> Shape:
    for x in (query, key, value):
        need_at_least(x, 2)
    if query[-1] != key[-1]:
        raise ShapeError(
            f"query and key differ in their last dimension ({query[-1]} and {key[-1]})"
        )
    if key[-2] != value[-2]:
        raise ShapeError(f"key and value differ in length ({key[-2]} and {value[-2]})")
    if args.is_causal and mask is not None:
        raise ShapeError("takes a mask or is_causal, not both")
    heads, others = query[:-2], [key[:-2], value[:-2]]
    if args.enable_gqa:
        need_at_least(query, 3)
        for x in (key, value):
            if len(x) < 3 or query[-3] % x[-3]:
                raise ShapeError(
                    f"the heads of the query ({show(query)}) are no multiple of those of {show(x)}"
                )
        others = [(*other[:-1], query[-3]) for other in others]
    batch = broadcast(heads, *others)
    if mask is not None:
        broadcast((*batch, query[-2], key[-2]), mask)
    return (*batch, query[-2], value[-1])


def _dot_product_macs(args: Args, shapes: Shapes, output: Shape) -> int:
    query, key, value = shapes[:3]
    return product(output[:-1]) * key[-2] * (query[-1] + value[-1])


def masked(inputs: int) -> Any:
    """A dtype rule: so many inputs of one dtype, then masks of that dtype, or of bool."""
    alike = same_dtype()

    def rule(args: Args, *dtypes: str | None) -> str:
        first = str(alike(args, *dtypes[:inputs]))
        for mask in dtypes[inputs:]:
            if mask not in (first, "bool", None):
                raise DtypeError(f"takes a mask of {first} or bool, found {mask}")
        return first

    return rule


OPS: list[Op] = [
    layer(
        "MultiheadAttention",
        _multihead,
        "Attention in several heads, with projections; gives its output and its weights.",
        operands=("query", "key", "value", "attn_mask", "key_padding_mask"),
        optional=2,
        wired=keywords("attn_mask", "key_padding_mask"),
        alone="need_weights=False",
        accepts=("float", "float", "float", "float bool"),
        infer={"embed_dim": infer_last},
        several=True,
        outputs=("output", "weights"),
        parameters=_multihead_parameters,
        macs=_multihead_macs,
        dtype=masked(3),
        positional=2,
    ),
    function(
        "scaled_dot_product_attention",
        "F.scaled_dot_product_attention",
        _dot_product,
        "Attention without projections: softmax(query @ key^T / sqrt(width)) @ value.",
        operands=("query", "key", "value", "attn_mask"),
        optional=1,
        macs=_dot_product_macs,
        accepts=("float", "float", "float", "float bool"),
        dtype=masked(3),
        saves_output=True,
    ),
]
