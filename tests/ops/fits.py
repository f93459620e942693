"""Calls of ops whose operands depend on each other in ways that chance seldom meets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from graphbuild.ops.base import Op, Shape

Call = tuple[dict[str, Any], list[Shape]]
_FEW = (1, 2, 3, 4)
EQUATIONS = (
    "i,i->", "i,j->ij", "ij->ji", "ij", "ba", "ii", "ii->i", "bij,bjk->bik", "bij, bjk -> bik",
    "...ij,...jk->...ik", "...i,...i", "bhid,bhjd->bhij", "ij,jk,kl->il", "...d->...", "b...c->c...b",
    "ij,ij->ij", "ij->", "...ij->...", "bi,oij,bj->bo", "i...,i...->...", "ab,ab,ab->a", "Ab,bA",
)  # fmt: skip
PATTERNS = (
    "b c h w -> b (h w) c", "b (h d) n -> b h n d", "b h n d -> b n (h d)", "a b -> b a",
    "b c (h p) (w q) -> (b h w) c p q", "b c (h p) (w q) -> b (h w) (p q c)", "... d -> d ...",
    "b ... d -> b (...) d", "b c -> b c 1 1", "b c 1 1 -> b c", "b 1 c -> b c ()", "a b c -> a b c",
    "(a b) c -> a (b c)", "a b c -> (c a b)", "b (k c 1) -> b k c", "a 1 b -> (a b) 1",
)  # fmt: skip


def einsum(draw: Any) -> Call:
    equation = draw(st.sampled_from(EQUATIONS))
    sizes = {
        letter: draw(st.sampled_from(_FEW)) for letter in set(re.findall("[A-Za-z]", equation))
    }
    batch = [draw(st.sampled_from(_FEW)) for _ in range(draw(st.integers(0, 2)))]
    shapes = []
    for term in equation.split("->")[0].replace(" ", "").split(","):
        shape: list[int] = []
        for label in re.findall(r"\.\.\.|\w", term):
            shape += batch if label == "..." else [sizes[label]]
        if not draw(st.integers(0, 9)) and shape:
            shape[draw(st.integers(0, len(shape) - 1))] = draw(st.sampled_from(_FEW))
        shapes.append(tuple(shape))
    return {"equation": equation}, shapes


def rearrange(draw: Any) -> Call:
    pattern = draw(st.sampled_from(PATTERNS))
    names = set(re.findall("[a-z]", pattern))
    sizes = {name: draw(st.sampled_from(_FEW)) for name in sorted(names)}
    given: dict[str, int] = {}
    shape: list[int] = []
    for group in re.findall(r"\([^)]*\)|\.\.\.|\w", pattern.split("->")[0]):
        if group == "...":
            shape += [draw(st.sampled_from(_FEW)) for _ in range(draw(st.integers(0, 2)))]
            continue
        own = re.findall("[a-z]", group)
        size = 1
        for name in own:
            size *= sizes[name]
        shape.append(size)
        if len(own) > 1:
            left_out = draw(st.sampled_from([*own, ""]))
            given |= {name: sizes[name] for name in own if name != left_out}
    if not draw(st.integers(0, 9)) and shape:
        shape[draw(st.integers(0, len(shape) - 1))] = draw(st.sampled_from(_FEW))
    return {"pattern": pattern, **({"sizes": given} if given else {})}, [tuple(shape)]


def convolution(dims: int, transposed: bool) -> Callable[[Any], Call]:
    def made(draw: Any) -> Call:
        groups, wide, narrow = (draw(st.sampled_from((1, 1, 2, 3))) for _ in range(3))
        sizes = tuple(draw(st.sampled_from((3, 4, 5, 6))) for _ in range(dims))
        kernel = tuple(draw(st.sampled_from((1, 2, 3))) for _ in range(dims))
        ends = (groups * wide, narrow) if transposed else (groups * narrow, wide)
        x = (*((2,) if draw(st.booleans()) else ()), ends[0], *sizes)
        weight = (*(ends if transposed else (groups * wide, narrow)), *kernel)
        bias = [(groups * (narrow if transposed else wide),)] * draw(st.integers(0, 1))
        args: dict[str, Any] = {"groups": groups}
        if draw(st.booleans()):
            args["stride"] = draw(st.sampled_from((1, 2)))
            args["padding"] = draw(st.sampled_from((0, 1, (1,) * dims)))
        elif not transposed:
            args["padding"] = draw(st.sampled_from(("same", "valid")))
        return args, [x, weight, *bias]

    return made


def linear(draw: Any) -> Call:
    last, out = draw(st.sampled_from(_FEW)), draw(st.sampled_from(_FEW))
    weight, bias = draw(st.sampled_from((((out, last), (out,)), ((last,), ()))))
    x = (*draw(st.sampled_from(((), (2,), (2, 3)))), last)
    return {}, [x, weight, *[bias] * draw(st.integers(0, 1 if len(weight) > 1 else 0))]


def attention(draw: Any) -> Call:
    heads, length, seen = draw(st.sampled_from((1, 2))), 3, draw(st.sampled_from((3, 4)))
    batch = draw(st.sampled_from(((), (2,))))
    first = draw(st.booleans())

    def sequence(n: int) -> Shape:
        return (*batch, n, 4) if first or not batch else (n, *batch, 4)

    masks = draw(st.sampled_from((0, 1, 2)))
    wide = draw(st.sampled_from(((), tuple(b * heads for b in batch) or (heads,))))
    given = [(*wide, length, seen), (*batch, seen)][:masks]
    args = {"num_heads": heads, "batch_first": first, "bias": draw(st.booleans())}
    return args, [sequence(length), sequence(seen), sequence(seen), *given]


def transformer(sequences: int, memories: int) -> Callable[[Any], Call]:
    def made(draw: Any) -> Call:
        length, seen = 3, 4 if sequences > 1 else 3
        batch = draw(st.sampled_from(((), (2,))))
        first = draw(st.booleans())
        args = {"nhead": 2, "dim_feedforward": 5, "batch_first": first, "bias": draw(st.booleans())}
        args |= {"norm_first": draw(st.booleans())}
        if memories == 2:
            args |= {"num_encoder_layers": 1, "num_decoder_layers": draw(st.integers(1, 2))}
            length, seen = seen, length

        def sequence(n: int) -> Shape:
            return (*batch, n, 4) if first or not batch else (n, *batch, 4)

        lengths = [length, seen][:sequences]
        if memories == 0:
            masks = [(length, length), (*batch, length)]
        elif memories == 1:
            masks = [(length, length), (length, seen), (*batch, length), (*batch, seen)]
        else:
            masks = [(length, length), (seen, seen), (seen, length)]
            masks += [(*batch, length), (*batch, seen), (*batch, length)]
        count = draw(st.integers(0, len(masks)))
        return args, [*map(sequence, lengths), *masks[:count]]

    return made


def bag(draw: Any) -> Call:
    args: dict[str, Any] = {"num_embeddings": 5, "embedding_dim": 3}
    args["mode"] = draw(st.sampled_from(("sum", "mean", "max")))
    if draw(st.booleans()):
        return args, [(2, 4)]
    if draw(st.booleans()) and args["mode"] == "sum":
        return args, [(6,), (2,), (6,)]
    args["include_last_offset"] = draw(st.booleans())
    return args, [(6,), (2,)]


def block(draw: Any) -> Call:
    args = {"block_size": draw(st.sampled_from((1, 1, 3))), "inplace": draw(st.booleans())}
    return args, [(2, 3, 4, 4)]


def loss(*shapes: tuple[Shape, ...]) -> Callable[[Any], Call]:
    def made(draw: Any) -> Call:
        args = {"reduction": draw(st.sampled_from(("none", "mean", "sum")))}
        return args, list(draw(st.sampled_from(shapes)))

    return made


_COSINE = loss(((4, 3), (4, 3), (4,)), ((3,), (3,), ()), ((4, 3), (1, 3), (4,)), ((3,), (3,), (1,)))
_TRIPLET = loss(((4, 3),) * 3, ((3,),) * 3, ((4, 3), (1, 3), (4, 3)), ((4, 3), (4, 3), (3,)))
_CLASSES = loss(
    ((4, 3), (4,)), ((4, 3), (4,), (3,)), ((3,), ()), ((3,), (), (3,)), ((2, 3, 4), (2, 4), (3,)),
    ((4, 3), (4,), (4,)),
)  # fmt: skip
_GAUSSIAN = loss(
    ((4, 3),) * 3, ((4, 3), (4, 3), (4, 1)), ((4, 3), (4, 3), (4,)), ((3,), (3,), (1,))
)
FITS: dict[str, Callable[[Any], Call]] = {
    "einsum": einsum,
    "rearrange": rearrange,
    "linear": linear,
    **{
        f"conv{'_transpose' * transposed}{dims}d": convolution(dims, transposed)
        for dims in (1, 2, 3)
        for transposed in (False, True)
    },
    "MultiheadAttention": attention,
    "TransformerEncoderLayer": transformer(1, 0),
    "TransformerDecoderLayer": transformer(2, 1),
    "Transformer": transformer(2, 2),
    "EmbeddingBag": bag,
    "DropBlock2d": block,
    "FrozenBatchNorm2d": loss(((2, 3, 4, 4),), ((1, 2, 1, 3),)),
    "embedding": loss(((2, 3), (5, 4)), ((), (5, 4)), ((2,), (4,))),
    "CosineEmbeddingLoss": _COSINE,
    "cosine_embedding_loss": _COSINE,
    "TripletMarginLoss": _TRIPLET,
    "triplet_margin_loss": _TRIPLET,
    "cross_entropy": _CLASSES,
    "nll_loss": _CLASSES,
    "GaussianNLLLoss": _GAUSSIAN,
    "gaussian_nll_loss": _GAUSSIAN,
    "MultiMarginLoss": loss(((4, 3), (4,)), ((3,), ()), ((4, 3), (3,))),
    "CTCLoss": loss(((5, 2, 4), (2, 3), (2,), (2,)), ((5, 2, 4), (2, 3), (2,), (3,))),
    "LSTMCell": loss(((4, 3), (4, 2), (4, 2)), ((3,), (2,), (2,)), ((4, 3),), ((4, 3), (4, 2))),
    "GRUCell": loss(((4, 3), (4, 2)), ((3,), (2,)), ((4, 3),), ((4, 3), (4, 3))),
    "RNNCell": loss(((4, 3), (4, 2)), ((3,), (2,)), ((4, 3),), ((4, 3), (4, 3))),
    "expand_as": loss(((1, 3), (2, 3)), ((3,), (2, 3)), ((2, 1), (4, 2, 5)), ((2,), (3,))),
    "meshgrid": loss(((2,), (3,)), ((2,), (3,), (4,)), ((2,),), ((), (3,)), ((2, 2), (3,))),
    "index_select": loss(((4, 3), (2,)), ((3,), (5,)), ((4, 3), ()), ((4, 3), (2, 2))),
    "gather": loss(((4, 3), (2, 3)), ((4, 3), (4, 2)), ((3,), (7,)), ((4, 3), (5, 2))),
    "scatter": loss(
        ((4, 3), (2, 3)), ((4, 3), (4, 3), (4, 3)), ((4, 3), (2, 2), (3, 3)), ((3,), (2,), (3,))
    ),
    "dot": loss(((3,), (3,)), ((3,), (4,))),
    "outer": loss(((3,), (4,)), ((3,), (3,))),
    "trace": loss(((3, 4),), ((3, 3),), ((3,),)),
}


def fitted(draw: Any, op: Op) -> Call | None:
    """A call of such an op, mostly; of its arguments only those that the op has."""
    made = FITS.get(op.name)
    if made is None or not draw(st.integers(0, 5)):
        return None
    args, shapes = made(draw)
    if op.name.endswith("Cell"):
        args = {"hidden_size": 2, "bias": draw(st.booleans())}
    known = {argument.name for argument in op.arguments}
    return {name: value for name, value in args.items() if name in known}, shapes
