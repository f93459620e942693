"""Random calls of ops, and the same calls made with torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from fits import fitted
from hypothesis import strategies as st
from torch import nn

from graphbuild import ops
from graphbuild.emit.functions import function, spelled, wired
from graphbuild.emit.items import call
from graphbuild.ops.base import Args, Op, Shape, ShapeError
from graphbuild.ops.types import DTYPES
from graphbuild.vision import torchvision

# All but the tensors that a module itself keeps, which nothing of torch's stands for.
CALLED = [op.name for op in map(ops.get, ops.names()) if op is not None and not op.own]

torch.set_num_threads(1)

# How many dimensions an input mostly has, by op; the number in a name ("2d") says it elsewhere.
RANKS: dict[str, tuple[int, ...]] = {
    "GroupNorm": (2, 3, 4), "LocalResponseNorm": (3, 4), "local_response_norm": (3, 4),
    "Unfold": (3, 4), "unfold": (3, 4), "Fold": (2, 3), "fold": (2, 3),
    "PixelShuffle": (3, 4), "PixelUnshuffle": (3, 4), "ChannelShuffle": (3, 4),
    "pixel_shuffle": (3, 4), "pixel_unshuffle": (3, 4), "channel_shuffle": (3, 4),
    "Upsample": (3, 4, 5), "interpolate": (3, 4, 5), "grid_sample": (4, 5),
    "RNN": (2, 3), "GRU": (2, 3), "LSTM": (2, 3), "MultiheadAttention": (2, 3),
    "TransformerEncoderLayer": (2, 3), "bmm": (3,), "matmul": (1, 2, 3, 4), "Softmax2d": (3, 4),
    "scaled_dot_product_attention": (3, 4), "UpsamplingNearest2d": (4,), "UpsamplingBilinear2d": (4,),
}  # fmt: skip
_SIZES = st.sampled_from((1, 2, 2, 3, 4, 4, 5, 6, 8, 12))
_INTS = st.integers(-3, 3)

# What the range of a type leaves open.
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": _INTS,
    "float": st.sampled_from((0.5, 1.0, 2.0, 3)),
    "bool": st.booleans(),
    "None": st.none(),
    "Positive": st.sampled_from((1, 1, 2, 2, 3, 4)),
    "Natural": st.integers(0, 2),
    "NonNegative": st.sampled_from((0, 0.5, 1.0)),
    "Scale": st.sampled_from((0.4, 0.5, 1.5, 2, 2.0, 3)),
    "Probability": st.sampled_from((0.0, 0.3, 1)),
    "Ints": st.lists(st.integers(-1, 4), max_size=4).map(tuple),
    "Dims": st.lists(_INTS, min_size=1, max_size=2).map(tuple),
    "Positives": st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
    "Naturals": st.lists(st.integers(0, 4), max_size=4).map(tuple),
    "Scales": st.lists(st.sampled_from((0.5, 1.5, 2.0)), min_size=1, max_size=3).map(tuple),
    "Resize": st.sampled_from(
        ("nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area")
    ),
}
_VALUES["Dtype"] = st.sampled_from(DTYPES)
_VALUES["Equation"] = st.sampled_from(("i,i->i", "ij->ji", "bij,bjk->bik", "...i,...j", "ij,k"))
_VALUES["Pattern"] = st.sampled_from(
    ("a b -> b a", "a b c -> (a b) c", "... a -> a ...", "a -> a 1")
)
_VALUES["Sizes"] = st.just({})
_INDEX = st.one_of(st.sampled_from((":", "...", "1:", ":-1", "::2", "-2:", "2:1", None)), _INTS)
_VALUES["Index"] = _INDEX | st.lists(_INDEX, max_size=4).map(tuple)
for _n in (1, 2, 3):
    for _name, _one, _count in (
        ("Size", st.sampled_from((1, 2, 2, 3)), _n),
        ("Pad", st.sampled_from((0, 0, 1, 2)), _n),
        ("Output", st.sampled_from((1, 2, 3, 5)), _n),
        ("Sides", st.integers(0, 3), 2 * _n),
    ):
        _VALUES[f"{_name}{_n}"] = _one | st.tuples(*[_one] * _count)


def value(text: str) -> st.SearchStrategy[Any]:
    """Values of a type of the registry."""
    if text == "Literal[1, 2]":
        return st.sampled_from((1, 2))
    literal = re.search(r"Literal\[(.*?)\]", text)
    parts = [part for part in re.sub(r"Literal\[.*?\]", "", text).split(" | ") if part]
    choices = [_VALUES[part] for part in parts]
    if literal:
        choices.append(st.sampled_from([v.strip("' ") for v in literal[1].split(",")]))
    return st.one_of(choices)


@st.composite
def calls(draw: Any, op: Op, good: bool = False) -> tuple[dict[str, Any], list[Shape]]:
    """Arguments and operands' shapes that mostly, but not always, go together."""
    found = fitted(draw, op)
    shapes = found[1] if found is not None else draw(operands(op))
    args: dict[str, Any] = {}
    for argument in op.arguments:
        # Mostly leave to their defaults what has one, and to the operands what they determine.
        if argument.name in op.infer and (good or draw(st.integers(0, 5))):
            continue
        if (
            not argument.required
            and argument.name not in ("other", "inplace")
            and draw(st.booleans())
        ):
            continue
        args[argument.name] = draw(value(argument.type))
    if found is not None:
        args.update(found[0])
    elif draw(st.integers(0, 2)) and shapes:
        args.update(fitting(draw, op, shapes[0]))
    if {"other", "exponent"} & args.keys() and len(shapes) > 1:
        args = {}  # torch cannot be asked about both
    return args, shapes


def fitting(draw: Any, op: Op, x: Shape) -> dict[str, Any]:
    """Arguments that chance alone seldom makes fit the input."""
    if op.name == "permute":
        return {"dims": tuple(draw(st.permutations(range(len(x)))))}
    if op.name in ("layer_norm", "LayerNorm", "RMSNorm") and x:
        return {"normalized_shape": x[-draw(st.integers(1, len(x))) :]}
    if op.name in ("unflatten", "Unflatten") and x:
        last = draw(st.sampled_from([n for n in range(1, x[-1] + 1) if x[-1] % n == 0]))
        sizes = op.arguments[1].name
        return {"dim": -1, sizes: draw(st.sampled_from([(-1, last), (x[-1] // last, last)]))}
    if op.name == "reshape":
        return {"shape": draw(st.sampled_from([(-1,), (*x, 1), (*x[:1], -1), (*x[::-1],)]))}
    if op.name in ("interpolate", "Upsample"):
        by = draw(
            st.sampled_from(({"size": None, "scale_factor": 2}, {"size": 3, "scale_factor": None}))
        )
        mode = {3: "linear", 4: "bilinear", 5: "trilinear"}.get(len(x), "nearest")
        return {**by, "mode": draw(st.sampled_from((mode, "nearest"))), "align_corners": None}
    if op.name.startswith("Upsampling"):
        return {"size": None, "scale_factor": draw(st.sampled_from((2, 1.5)))}
    if op.name == "one_hot":
        return {"num_classes": 3}
    if op.name == "broadcast_to":
        return {"size": (*((2,) if draw(st.booleans()) else ()), *(-1 if n > 1 else 3 for n in x))}
    if op.name in ("Fold", "fold"):
        return {"kernel_size": 1, "stride": 1, "padding": 0, "output_size": (1, x[-1] if x else 1)}
    return {}


@st.composite
def operands(draw: Any, op: Op) -> list[Shape]:
    digit = re.search(r"([123])d$", op.name)
    usual = RANKS.get(op.name) or (
        (int(digit[1]) + 1, int(digit[1]) + 2) if digit else (1, 2, 3, 4)
    )
    rank = draw(st.sampled_from(usual) if draw(st.integers(0, 7)) else st.integers(0, 5))
    first = tuple(draw(_SIZES) for _ in range(rank))
    if op.variadic:
        count = draw(st.integers(1, 3))
    else:
        count = len(op.operands) - draw(st.integers(0, op.optional))
    shapes = [first][:count]
    for _ in range(count - 1):
        # Other operands are mostly like the first, with a size or the rank changed now and then.
        other = list(first)
        change = draw(st.integers(0, 8))
        if change == 0 and other:
            other[draw(st.integers(0, len(other) - 1))] = draw(_SIZES)
        elif change == 1 and other:
            other[draw(st.integers(0, len(other) - 1))] = 1
        elif change == 2:
            other = other[draw(st.integers(0, 1)) :]
        elif change == 3 and op.name in ("matmul", "bmm"):
            other[-2:] = other[-2:][::-1]
        shapes.append(tuple(other))
    if op.name in ("matmul", "bmm") and rank > 1 and draw(st.booleans()):
        shapes[1] = (*shapes[0][:-2], shapes[0][-1], draw(_SIZES))
    if op.name == "scaled_dot_product_attention" and len(shapes) == 4 and rank > 1:
        shapes[3] = (shapes[0][-2], shapes[1][-2]) if len(shapes[1]) > 1 else shapes[3]
    if op.name in ("NLLLoss", "CrossEntropyLoss") and draw(st.integers(0, 3)) and rank:
        shapes[1] = (*first[:1], *first[2:]) if rank > 1 else ()
    if op.name == "grid_sample" and rank > 2 and draw(st.integers(0, 3)):
        shapes[1] = (first[0], *(draw(_SIZES) for _ in first[2:]), rank - 2)
    if op.name in ("RNN", "GRU") and count == 2 and rank == 3:
        shapes[1] = (1, first[1], 2)
    return shapes


def complete(op: Op, args: dict[str, Any], shapes: Sequence[Shape]) -> Args:
    """All arguments, inferred ones too, as the rules take them. Raises ShapeError."""
    full, problems = ops.check_args(op, args)
    if problems:
        raise ShapeError("; ".join(p.message for p in problems))
    space = SimpleNamespace(**full)
    for name, rule in op.infer.items():
        if not hasattr(space, name):
            setattr(space, name, rule(space, shapes))
    return space


def tensors(
    op: Op, shapes: Sequence[Shape], dtypes: Sequence[str] | None = None
) -> list[torch.Tensor]:
    """Operands of these shapes, of dtypes that the op takes."""
    out = []
    for i, shape in enumerate(shapes):
        accepted = op.accepts[min(i, len(op.accepts) - 1)].split()[0]
        dtype = getattr(torch, dtypes[i]) if dtypes else None
        if dtype is None:
            dtype = {"int": torch.int64, "bool": torch.bool}.get(accepted, torch.float32)
        if dtype.is_floating_point:
            out.append((torch.rand(shape) * 0.8 + 0.1).to(dtype))
        else:
            out.append(torch.zeros(shape, dtype=dtype))
    return out


def build(op: Op, args: Args) -> nn.Module | None:
    """The layer, or None for a function."""
    if not op.layer:
        return None
    home: Any = torchvision.ops if op.source.startswith("torchvision.") else nn
    module: nn.Module = getattr(home, op.name)(**vars(args))
    # In training they refuse a single number per channel, which no shape rule can know.
    return module.eval() if re.search("BatchNorm|InstanceNorm", op.name) else module


def run(op: Op, args: Args, given: Sequence[torch.Tensor], module: nn.Module | None = None) -> Any:
    """The call as torch makes it: of a layer, or of what we write for a function."""
    names = [f"x{position}" for position in range(len(given))]
    space = {"F": F, "torch": torch, "self": SimpleNamespace(training=True, module=module)}
    space |= dict(zip(names, given, strict=True))
    if module is not None:
        return eval(call("self.module", wired(op, names)), space)
    # Defaults are left to torch, as the source that we write does; so they are tested too.
    values = {
        a.name: spelled(op, a.name, repr(getattr(args, a.name)))
        for a in op.arguments
        if a.explicit
        or a.required
        or getattr(args, a.name) != a.default
        or type(getattr(args, a.name)) is not type(a.default)
    }
    if op.style == "operator" and len(given) + len(values) < 2:
        raise TypeError("an operator between nothing")
    return eval(function(op, names, values, [tuple(t.shape) for t in given]), space)


def shape_of(out: Any) -> Any:
    """The shape of an output, as shape rules give it."""
    if isinstance(out, torch.Tensor):
        return tuple(out.shape)
    return [shape_of(item) for item in out]


def flat(out: Any) -> list[torch.Tensor]:
    """All tensors of an output."""
    if isinstance(out, torch.Tensor):
        return [out]
    return [t for item in out for t in flat(item)]
