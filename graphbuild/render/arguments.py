"""The arguments of an op in a few characters: "3×3 /2, 64"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphbuild.ir import Arg, Node
from graphbuild.ops.base import MISSING, Op
from graphbuild.render.kinds import kind

LONGEST = 34  # of a row of arguments

Values = Mapping[str, Any]


def short_arguments(node: Node) -> str:
    """What a reader wants to know first of an op's arguments; "" where there is nothing."""
    op = node.call
    if not isinstance(op, Op):
        return ""
    values = {a.name: a.default for a in op.arguments if a.default is not MISSING}
    values.update((name, arg.value) for name, arg in node.args.items())
    text: str = _WRITERS.get(kind(op), _plain)(op, values, node.args)
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip(" ,") + "…"


def every_argument(node: Node) -> list[str]:
    """All arguments that the spec gives or the operands determine, one per line."""
    return [f"{name} = {show(arg.value)}" for name, arg in node.args.items()]


def show(value: object) -> str:
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(show, value)) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _window(op: Op, values: Values, _: Values) -> str:
    rank = int(op.name[-2]) if op.name[-2:-1].isdigit() else 1
    if "output_size" in values and "kernel_size" not in values:
        return f"→ {_sizes(values['output_size'], rank)}"
    text = _sizes(values.get("kernel_size"), rank)
    stride = values.get("stride")
    if stride not in (None, 1, (1,) * rank) and (kind(op) == "conv" or stride is not None):
        text += f" /{stride if isinstance(stride, int) else _sizes(stride, rank)}"
    if values.get("dilation", 1) not in (1, (1,) * rank):
        text += f" dilated {_sizes(values['dilation'], rank, once=True)}"
    if "out_channels" in values:
        text += f", {values['out_channels']}"
    groups = values.get("groups", 1)
    if groups != 1:
        own = groups == values.get("in_channels")
        text += ", depthwise" if own else f", {groups} groups"
    return text


def _sizes(value: object, rank: int, *, once: bool = False) -> str:
    if isinstance(value, int):
        return str(value) if once else "×".join([str(value)] * rank)
    if isinstance(value, tuple | list):
        return "×".join("·" if v is None else str(v) for v in value)
    return show(value)


def _linear(op: Op, values: Values, _: Values) -> str:
    pairs = (("in_features", "out_features"), ("num_embeddings", "embedding_dim"))
    for one, other in pairs:
        if one in values and other in values:
            return f"{values[one]} → {values[other]}"
    return _plain(op, values, _)


def _dropout(op: Op, values: Values, _: Values) -> str:
    return f"p {show(values['p'])}" if "p" in values else ""


def _norm(op: Op, values: Values, _: Values) -> str:
    return f"{values['num_groups']} groups" if "num_groups" in values else ""


def _attention(op: Op, values: Values, _: Values) -> str:
    heads = values.get("num_heads", values.get("nhead"))
    width = values.get("embed_dim", values.get("d_model"))
    parts = [f"{heads} heads"] * (heads is not None) + [f"{width} wide"] * (width is not None)
    return ", ".join(parts)


def _recurrent(op: Op, values: Values, _: Values) -> str:
    text = f"{values.get('input_size')} → {values.get('hidden_size')}"
    layers = values.get("num_layers", 1)
    text += f", {layers} layers" if layers != 1 else ""
    return text + (", both ways" if values.get("bidirectional") else "")


def _nothing(op: Op, values: Values, _: Values) -> str:
    return ""


def _weight(op: Op, values: Values, _: Values) -> str:
    return show(values.get("shape", "")).strip("[]").replace(", ", "×")


def _plain(op: Op, values: Values, given: Mapping[str, Arg]) -> str:
    """Arguments by name, those that the spec gives."""
    written = {name: arg.value for name, arg in given.items() if arg.expr is not None}
    written.pop("inplace", None)
    if len(written) == 1:
        (name, value), *_ = written.items()
        return f"{name} {show(value)}"
    return ", ".join(f"{name}={show(value)}" for name, value in written.items())


_WRITERS: dict[str, Callable[[Op, Values, Mapping[str, Arg]], str]] = {
    "conv": _window,
    "pool": _window,
    "linear": _linear,
    "dropout": _dropout,
    "norm": _norm,
    "attention": _attention,
    "recurrent": _recurrent,
    "weight": _weight,
}
