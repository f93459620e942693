"""What a layer of torch keeps of its arguments, as attributes under the same names."""

from __future__ import annotations

from graphbuild.ops.base import Args, Op
from graphbuild.ops.rules import each

_CONV = "in_channels out_channels kernel_size stride padding dilation groups padding_mode"
_NORM = "num_features eps momentum affine track_running_stats"
_RECURRENT = "input_size hidden_size num_layers batch_first dropout bidirectional"
# By the name of the layer without its number of dimensions.
_KEPT = {
    "Linear": "in_features out_features",
    "Bilinear": "in1_features in2_features out_features",
    "Conv": _CONV,
    "ConvTranspose": f"{_CONV} output_padding",
    "BatchNorm": _NORM,
    "InstanceNorm": _NORM,
    "LayerNorm": "normalized_shape eps elementwise_affine",
    "RMSNorm": "normalized_shape eps elementwise_affine",
    "GroupNorm": "num_groups num_channels eps affine",
    "Embedding": "num_embeddings embedding_dim padding_idx max_norm norm_type",
    "RNN": _RECURRENT,
    "GRU": _RECURRENT,
    "LSTM": _RECURRENT,
    "MultiheadAttention": "embed_dim num_heads dropout batch_first",
    "PReLU": "num_parameters",
}
_PER_DIMENSION = ("kernel_size", "stride", "padding", "dilation", "output_padding")


def attributes(op: Op, args: Args) -> dict[str, object]:
    """The attributes by name, as torch keeps them: a kernel size with one number per dimension."""
    found: dict[str, object] = {}
    if op.source != f"nn.{op.name}":  # a layer of one's own
        return found
    dims = int(op.name[-2]) if op.name[-2:] in ("1d", "2d", "3d") else 0
    for name in _KEPT.get(op.name[:-2] if dims else op.name, "").split():
        value = getattr(args, name)
        if name in _PER_DIMENSION and not isinstance(value, str):
            value = each(value, dims)
        found[name] = each(value, 1) if name == "normalized_shape" else value
    return found
