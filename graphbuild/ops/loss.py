"""Losses: layers and functions that compare an input with a target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphbuild.ops.base import Args, DtypeError, Op, Shape, ShapeError
from graphbuild.ops.build import function, layer
from graphbuild.ops.dtypes import promote
from graphbuild.ops.dtypes import same as same_dtype
from graphbuild.ops.rules import broadcast, need_at_least, need_rank, show


def _alike(args: Args, x: Shape, target: Shape) -> Shape:
    """An input and a target of one shape. (Torch stretches some of them, and warns.)"""
    if x != target:
        raise ShapeError(f"input and target differ in shape: {show(x)} and {show(target)}")
    return x if args.reduction == "none" else ()


def _classes(args: Args, x: Shape, target: Shape) -> Shape:
    """An input of N×C×..., and a target of N×... with the numbers of the classes."""
    need_at_least(x, 1)
    wanted = (*x[:1], *x[2:]) if len(x) > 1 else ()
    if target != wanted:
        raise ShapeError(
            f"an input of {show(x)} takes a target of {show(wanted)}, found {show(target)}"
        )
    return wanted if args.reduction == "none" else ()


def _indices(args: Args, x: str, target: str) -> str:
    if target != "int64":
        raise DtypeError(f"takes a target of int64, found {target}")
    return x


def _reduced(args: Args, shape: Shape) -> Shape:
    return shape if args.reduction == "none" else ()


def _weighted(args: Args, x: Shape, target: Shape, weight: Shape | None = None) -> Shape:
    """Numbers, and a weight that is stretched to them."""
    out = _alike(args, x, target)
    if weight is not None and broadcast(x, weight) != x:
        raise ShapeError(f"takes a weight that fits {show(x)}, found {show(weight)}")
    return out


def _by_class(args: Args, x: Shape, target: Shape, weight: Shape | None = None) -> Shape:
    """Classes, and a weight for each of them."""
    out = _classes(args, x, target)
    count = x[1:2] if len(x) > 1 else x[:1]
    if weight is not None and weight != count:
        raise ShapeError(f"takes a weight of {show(count)}, found {show(weight)}")
    return out


def _margins(args: Args, x: Shape, target: Shape) -> Shape:
    need_rank(x, 1, 2, like="C or N×C")
    if target != x[:-1]:
        raise ShapeError(
            f"an input of {show(x)} takes a target of {show(x[:-1])}, found {show(target)}"
        )
    return _reduced(args, x[:-1])


def _labels(args: Args, x: Shape, target: Shape) -> Shape:
    need_at_least(x, 1)
    _alike(args, x, target)
    return _reduced(args, x[:-1])


def _gaussian(args: Args, x: Shape, target: Shape, var: Shape) -> Shape:
    if var not in (x, (*x[:-1], 1), x[:-1]):
        raise ShapeError(f"takes a variance of {show(x)}, found {show(var)}")
    return _alike(args, x, target)


def _triplet(args: Args, anchor: Shape, positive: Shape, negative: Shape) -> Shape:
    if not len(anchor) == len(positive) == len(negative):
        raise ShapeError(
            "takes three inputs of as many dimensions, found "
            f"{show(anchor)}, {show(positive)} and {show(negative)}"
        )
    need_at_least(anchor, 1)
    near, far = broadcast(anchor, positive), broadcast(anchor, negative)
    others = [near[:-1], far[:-1]]
    if args.swap:
        others.append(broadcast(positive, negative)[:-1])
    return _reduced(args, broadcast(*others))


def _cosine(args: Args, a: Shape, b: Shape, target: Shape) -> Shape:
    need_rank(a, 1, 2, like="features or N×features")
    need_rank(b, len(a))
    out = broadcast(a, b)[:-1]
    if target != out:
        raise ShapeError(f"takes a target of {show(out)}, found {show(target)}")
    return _reduced(args, out)


def _ranking(args: Args, a: Shape, b: Shape, target: Shape) -> Shape:
    if not len(a) == len(b) == len(target):
        raise ShapeError(
            "takes inputs and a target of as many dimensions, found "
            f"{show(a)}, {show(b)} and {show(target)}"
        )
    return _reduced(args, broadcast(a, b, target))


def _ctc(args: Args, x: Shape, targets: Shape, lengths: Shape, sizes: Shape) -> Shape:
    need_rank(x, 3, like="T×N×C")
    need_rank(targets, 2, like="N×S")
    if args.blank < 0 or args.blank >= x[2]:
        raise ShapeError(f"blank ({args.blank}) is not one of the {x[2]} classes")
    for what, given in (("targets", targets[:1]), ("lengths", lengths), ("lengths", sizes)):
        if given != x[1:2]:
            raise ShapeError(f"takes {what} for {x[1]} samples, found {show(given)}")
    return _reduced(args, x[1:2])


def _promoted(args: Args, *dtypes: str) -> str:
    return promote(*dtypes)


def _targets(args: Args, x: str, target: str, weight: str | None = None) -> str:
    if weight not in (x, None):
        raise DtypeError(f"its input and weight differ in dtype: {x}, {weight}")
    return _indices(args, x, target)


_NUMBERS: dict[str, Any] = {"accepts": ("float",), "dtype": same_dtype()}
_CLASSES: dict[str, Any] = {"accepts": ("float", "int", "float"), "dtype": _targets}
_PAIR: dict[str, Any] = {"operands": ("input", "target")}
_WEIGHT: dict[str, Any] = {"operands": ("input", "target", "weight"), "optional": 1}
_LABELLED: dict[str, Any] = {
    "operands": ("input1", "input2", "target"),
    "accepts": ("float",),
    "dtype": _promoted,
}
_TRIPLET: dict[str, Any] = {"operands": ("anchor", "positive", "negative"), **_NUMBERS}

# The layer, the function (none has the layer alone), the rule, what it is, the rest of the row.
_LOSSES: tuple[tuple[str, str, Any, str, dict[str, Any]], ...] = (
    ("MSELoss", "mse_loss", _alike, "The squared difference.", _NUMBERS),
    ("L1Loss", "l1_loss", _alike, "The absolute difference.", _NUMBERS),
    (
        "SmoothL1Loss",
        "smooth_l1_loss",
        _alike,
        "The squared difference where it is small, else the absolute one.",
        _NUMBERS,
    ),
    ("HuberLoss", "huber_loss", _alike, "SmoothL1Loss times delta.", _NUMBERS),
    (
        "BCELoss",
        "binary_cross_entropy",
        _weighted,
        "The cross entropy of probabilities.",
        {**_WEIGHT, **_NUMBERS},
    ),
    (
        "BCEWithLogitsLoss",
        "binary_cross_entropy_with_logits",
        _weighted,
        "The cross entropy of sigmoid(input).",
        {**_WEIGHT, **_NUMBERS},
    ),
    (
        "KLDivLoss",
        "kl_div",
        _alike,
        "The divergence of log-probabilities from the target's.",
        _NUMBERS,
    ),
    (
        "NLLLoss",
        "nll_loss",
        _by_class,
        "The cross entropy of log-probabilities of classes.",
        {**_WEIGHT, **_CLASSES},
    ),
    (
        "CrossEntropyLoss",
        "cross_entropy",
        _by_class,
        "The cross entropy of softmax(input).",
        {**_WEIGHT, **_CLASSES},
    ),
    ("SoftMarginLoss", "soft_margin_loss", _alike, "log(1 + exp(-target * input)).", _NUMBERS),
    (
        "HingeEmbeddingLoss",
        "hinge_embedding_loss",
        _alike,
        "A distance where the target is 1, what it lacks to the margin where it is -1.",
        _NUMBERS,
    ),
    (
        "PoissonNLLLoss",
        "poisson_nll_loss",
        _alike,
        "The surprise at a count, by its rate.",
        _NUMBERS,
    ),
    (
        "GaussianNLLLoss",
        "gaussian_nll_loss",
        _gaussian,
        "The surprise at a number, by its mean and variance.",
        {"operands": ("input", "target", "var"), **_NUMBERS},
    ),
    (
        "TripletMarginLoss",
        "triplet_margin_loss",
        _triplet,
        "How much nearer the positive should be to the anchor than the negative is.",
        _TRIPLET,
    ),
    (
        "CosineEmbeddingLoss",
        "cosine_embedding_loss",
        _cosine,
        "1 - cosine where the target is 1, what exceeds the margin where it is -1.",
        _LABELLED,
    ),
    (
        "MarginRankingLoss",
        "margin_ranking_loss",
        _ranking,
        "How much larger the one should be that the target (1 or -1) says.",
        _LABELLED,
    ),
    (
        "MultiMarginLoss",
        "",
        _margins,
        "How much larger than all others the target's class should be.",
        {"accepts": ("float", "int"), "dtype": _indices},
    ),
    (
        "MultiLabelSoftMarginLoss",
        "",
        _labels,
        "The mean cross entropy of sigmoid(input), by class.",
        _NUMBERS,
    ),
    (
        "CTCLoss",
        "",
        _ctc,
        "The surprise at a sequence of labels, however it lies in a longer one of scores.",
        {
            "operands": ("log_probs", "targets", "input_lengths", "target_lengths"),
            "accepts": ("float", "int"),
            "saves_output": True,
        },
    ),
)


def _rows() -> Iterator[Op]:
    for name, called, rule, doc, row in _LOSSES:
        full = {**_PAIR, **row}
        of_layer = (
            full if full["operands"] != _WEIGHT["operands"] else {**full, **_PAIR, "optional": 0}
        )
        yield layer(name, rule, doc, **of_layer)
        if called:
            yield function(called, f"F.{called}", rule, doc, **full)


OPS: list[Op] = list(_rows())
