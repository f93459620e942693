"""The kind of an op: what colours its header, and what the legend says."""

from __future__ import annotations

from graphbuild.ir import Node
from graphbuild.ops import (
    activation,
    attention,
    conv,
    embedding,
    linear,
    loss,
    names,
    norm,
    parts,
    pool,
    rearrange,
    recurrent,
    resize,
    shapes,
    transformer,
)
from graphbuild.ops.base import Op

# In the order of the legend, each with the word that it has there.
WORDS = {
    "conv": "convolution",
    "norm": "normalisation",
    "activation": "activation",
    "dropout": "dropout",
    "pool": "pooling",
    "linear": "linear",
    "attention": "attention",
    "recurrent": "recurrent",
    "merge": "merge",
    "shape": "shape",
    "loss": "loss",
    "routing": "routing",
    "weight": "parameter",
    "block": "block",
    "function": "function",
}

_TABLES = (
    ("conv", conv),
    ("norm", norm),
    ("activation", activation),
    ("pool", pool),
    ("linear", linear),
    ("linear", embedding),
    ("attention", attention),
    ("attention", transformer),
    ("recurrent", recurrent),
    ("shape", parts),
    ("shape", resize),
    ("shape", shapes),
    ("shape", rearrange),
    ("loss", loss),
)
_KINDS = {op.name: kind for kind, table in _TABLES for op in table.OPS}
_KINDS.update({"concat": "merge", "stack": "merge", "parameter": "weight", "buffer": "weight"})
_KINDS.update({"FrozenBatchNorm2d": "norm", "Permute": "shape", "einsum": "linear"})
_KINDS.update((name, "dropout") for name in names() if "drop" in name.lower())
_KINDS["StochasticDepth"] = "dropout"
_SIGNS = {"add": "+", "mul": "×", "sub": "−", "div": "÷"}


def kind(op: Op) -> str:
    """One of `WORDS`."""
    return _KINDS.get(op.name, "function")


def sign(node: Node) -> str:
    """The sign of an operator between two values, which is drawn small; "" for anything else."""
    if isinstance(node.call, Op) and len(node.operands) > 1:
        return _SIGNS.get(node.call.name, "")
    return ""


def is_concat(node: Node) -> bool:
    """Whether a node is drawn as a slim bar."""
    return isinstance(node.call, Op) and node.call.name == "concat"
