"""Writes graphbuild/ops/signatures.py from the signatures of the installed torch.

    python tests/generate_signatures.py

Names, order and defaults come from torch; so do types where it states a plain one. The tables below
say the rest: which ops, and the types that torch states too loosely ("#" is the op's number of
spatial dimensions). The types themselves are defined in graphbuild/ops/types.py.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from graphbuild.vision import torchvision

TARGET = Path(__file__).parent.parent / "graphbuild" / "ops" / "signatures.py"

LAYERS = """
    Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d Unfold Fold
    MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d
    AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d
    BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d InstanceNorm3d
    GroupNorm LayerNorm RMSNorm LocalResponseNorm
    ReLU ReLU6 LeakyReLU PReLU RReLU ELU SELU CELU GELU SiLU Mish GLU Sigmoid LogSigmoid Hardsigmoid
    Hardswish Hardtanh Hardshrink Softshrink Tanh Tanhshrink Softplus Softsign Threshold
    Softmax Softmax2d Softmin LogSoftmax
    Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout
    Linear Bilinear Identity Embedding Flatten Unflatten CosineSimilarity PairwiseDistance
    EmbeddingBag RNN LSTM GRU RNNCell LSTMCell GRUCell
    MultiheadAttention TransformerEncoderLayer TransformerDecoderLayer Transformer
    MaxUnpool1d MaxUnpool2d MaxUnpool3d
    Upsample UpsamplingNearest2d UpsamplingBilinear2d PixelShuffle PixelUnshuffle ChannelShuffle
    ZeroPad1d ZeroPad2d ZeroPad3d ConstantPad1d ConstantPad2d ConstantPad3d
    ReflectionPad1d ReflectionPad2d ReflectionPad3d CircularPad1d CircularPad2d CircularPad3d
    ReplicationPad1d ReplicationPad2d ReplicationPad3d
    MSELoss L1Loss SmoothL1Loss HuberLoss CrossEntropyLoss NLLLoss BCELoss BCEWithLogitsLoss KLDivLoss
    SoftMarginLoss HingeEmbeddingLoss PoissonNLLLoss GaussianNLLLoss MultiMarginLoss
    MultiLabelSoftMarginLoss TripletMarginLoss CosineEmbeddingLoss MarginRankingLoss CTCLoss
""".split()

# Layers of torchvision.ops.
VISION = "StochasticDepth DropBlock2d FrozenBatchNorm2d Permute".split()

# Functions: written in Python (F.relu: its signature), else the overload of the aten operator.
FUNCTIONS = {
    **{
        name: getattr(F, name)
        for name in """
            relu relu6 leaky_relu elu selu celu silu mish glu hardsigmoid hardswish hardtanh threshold
            softmax log_softmax softmin dropout dropout1d dropout2d dropout3d alpha_dropout
            interpolate pad normalize layer_norm local_response_norm lp_pool1d lp_pool2d lp_pool3d
            adaptive_avg_pool2d adaptive_avg_pool3d
            unfold fold grid_sample softsign tanhshrink embedding
            mse_loss l1_loss smooth_l1_loss huber_loss cross_entropy nll_loss binary_cross_entropy
            binary_cross_entropy_with_logits kl_div soft_margin_loss hinge_embedding_loss
            poisson_nll_loss gaussian_nll_loss triplet_margin_loss cosine_embedding_loss
            margin_ranking_loss
        """.split()
    },
    "split": torch.split,
    "concat": "cat",
    "flatten": "flatten.using_ints",
    "transpose": "transpose.int",
    "mean": "mean.dim",
    "sum": "sum.dim_IntList",
    "prod": "prod.dim_int",
    "squeeze": "squeeze.dim",
    "unflatten": "unflatten.int",
    "movedim": "movedim.int",
    "select": "select.int",
    "unbind": "unbind.int",
    "std": "std.correction",
    "var": "var.correction",
    "norm": "linalg_vector_norm",
    "logsigmoid": "log_sigmoid",
    "where": "where.ScalarOther",
    "arange": "arange.start_step",
    "eye": "eye.m",
    "to": "to.dtype",
    "repeat_interleave": "repeat_interleave.self_int",
    "scatter": "scatter.value",
    "tensor_unfold": "unfold",
    **{f"conv_transpose{n}d": f"conv_transpose{n}d{'.input' * (n > 1)}" for n in (1, 2, 3)},
    "masked_fill": "masked_fill.Scalar",
    "any": "any.dims",
    "all": "all.dims",
    **{
        name: name
        for name in """
            stack reshape permute unsqueeze chunk roll flip tile broadcast_to narrow
            amax amin argmax argmin logsumexp cumsum
            gelu softplus hardshrink softshrink sigmoid tanh
            exp expm1 log log1p log2 sqrt rsqrt square reciprocal abs neg sign sin cos tan atan erf floor ceil
            round clamp maximum minimum bmm
            max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d
            pixel_shuffle pixel_unshuffle channel_shuffle scaled_dot_product_attention one_hot
            cosine_similarity pairwise_distance triu tril
            linspace zeros ones full zeros_like ones_like full_like rand_like randn_like
            gather index_select take_along_dim topk sort argsort cumprod diagonal trace
            outer dot cdist linear conv1d conv2d conv3d
            logical_not logical_and logical_or logical_xor isnan isinf isfinite
            expand expand_as detach contiguous clone
        """.split()
    },
}

# What torch takes but a spec does not say.
DROPPED = set(
    """device dtype out training _stacklevel memory_format process_group _weight _freeze weight
    pos_weight size_average reduce return_indices min_value max_value args kwargs
    layout pin_memory non_blocking copy implicit sparse_grad compute_mode var
    custom_encoder custom_decoder repeat_interleave.output_size embedding.max_norm
    embedding.norm_type""".split()
)
# Of these, what one does say.
KEPT = {
    "*MaxPool?d.return_indices",
    *(f"{op}.dtype" for op in "arange linspace zeros ones full eye to".split()),
    *(f"{op}_like.dtype" for op in "zeros ones full".split()),
}


def dropped(op: str, name: str) -> bool:
    full = f"{op}.{name}"
    kept = any(fnmatchcase(full, pattern) for pattern in KEPT)
    return (name in DROPPED or full in DROPPED) and not kept


# Types, by "op.argument"; the first pattern that fits wins.
TYPES = {
    "[Cc]onv?d.padding": "Literal['same', 'valid'] | Pad#",
    "ConvTranspose?d.padding_mode": "Literal['zeros']",
    "Conv?d.padding_mode": "Literal['zeros', 'reflect', 'replicate', 'circular']",
    "[Aa]daptive*.output_size": "Output#",
    "[Ff]old.output_size": "Size2",
    "[FfUu]n*fold.kernel_size": "Size2",
    "[FfUu]n*fold.stride": "Size2",
    "[FfUu]n*fold.padding": "Pad2",
    "[FfUu]n*fold.dilation": "Size2",
    "[Ff]old.kernel_size": "Size2",
    "[Ff]old.stride": "Size2",
    "[Ff]old.padding": "Pad2",
    "[Ff]old.dilation": "Size2",
    "*Pad?d.padding": "Sides#",
    "pad.pad": "Ints",
    "pad.mode": "Literal['constant', 'reflect', 'replicate', 'circular']",
    "grid_sample.padding_mode": "Literal['zeros', 'border', 'reflection']",
    "grid_sample.mode": "Literal['bilinear', 'nearest', 'bicubic']",
    "[Ll][Pp]*ool1d.kernel_size": "Positive",
    **{f"arange.{name}": "int | float" for name in ("start", "end", "step")},
    **{f"linspace.{name}": "int | float" for name in ("start", "end")},
    "linspace.steps": "Natural",
    "zeros.size": "Naturals",
    "ones.size": "Naturals",
    "full.size": "Naturals",
    "*.fill_value": "bool | int | float",
    "eye.n": "Natural",
    "eye.m": "Natural | None",
    "*.dtype": "Dtype",
    "where.other": "int | float | None",
    "scatter.value": "int | float | None",
    "expand.size": "Ints",
    "repeat_interleave.repeats": "Natural",
    "tensor_unfold.size": "Natural",
    "tensor_unfold.step": "Positive",
    "topk.k": "Natural",
    "cdist.p": "NonNegative",
    "EmbeddingBag.mode": "Literal['sum', 'mean', 'max']",
    "StochasticDepth.p": "Probability",
    "StochasticDepth.mode": "Literal['batch', 'row']",
    "DropBlock2d.p": "Probability",
    "DropBlock2d.block_size": "Positive",
    "*.kernel_size": "Size#",
    "*.stride": "Size#",
    "*.dilation": "Size#",
    "*.padding": "Pad#",
    "*.output_padding": "Pad#",
    "*.divisor_override": "int",
    "[Ll][Pp]*ool?d.norm_type": "Scale",
    "*Dropout*.p": "Probability",
    "*dropout*.p": "Probability",
    "*.dropout*": "Probability",
    "*.label_smoothing": "Probability",
    "Upsampl*.mode": "Resize",
    "interpolate.mode": "Resize",
    "*.scale_factor": "Scale | Scales",
    "Upsampling*.size": "Size2",
    "Upsample.size": "Positive | Positives",
    "interpolate.size": "Positive | Positives",
    "[GL]*Norm.normalized_shape": "Positive | Positives",
    "RMSNorm.normalized_shape": "Positive | Positives",
    "layer_norm.normalized_shape": "Positives",
    "*.unflattened_size": "Ints",
    "*.approximate": "Literal['none', 'tanh']",
    "*.nonlinearity": "Literal['tanh', 'relu']",
    "Transformer*.activation": "Literal['relu', 'gelu']",
    "*.reduction": "Literal['none', 'mean', 'sum']",
    "split.split_size_or_sections": "Positive | Naturals",
    "chunk.chunks": "Positive",
    "reshape.shape": "Ints",
    "roll.shifts": "int | Ints",
    "roll.dims": "int | Ints",
    "flip.dims": "Ints",
    "tile.dims": "Naturals",
    "*.dims": "Ints",
    **{
        f"{op}.dim": "int | Dims"
        for op in "sum mean std var norm any all amax amin logsumexp".split()
    },
    "squeeze.dim": "int | Dims",
    "local_response_norm.size": "Positive",
    "LocalResponseNorm.size": "Positive",
    "RReLU.*er": "float",
    "MultiheadAttention.[kv]dim": "Positive",
    "MultiheadAttention.embed_dim": "Positive",
    "MultiheadAttention.num_heads": "Positive",
    "MultiheadAttention.dropout": "Probability",
    "MultiheadAttention.*": "bool",
    "Softshrink.lambd": "NonNegative",
    "softshrink.lambd": "NonNegative",
    "Embedding*.padding_idx": "int",
    "MultiMarginLoss.p": "Literal[1, 2]",
    "TripletMarginLoss.margin": "Scale",
    "triplet_margin_loss.margin": "Scale",
    "*.proj_size": "Natural",
    "cosine_similarity.eps": "float",
    "scaled_dot_product_attention.scale": "float",
    **{
        f"*.{name}": "Positive"
        for name in """in_channels out_channels groups num_features in_features in1_features in2_features
        out_features num_groups num_channels num_embeddings embedding_dim input_size hidden_size
        num_layers num_encoder_layers num_decoder_layers embed_dim num_heads d_model nhead dim_feedforward num_parameters upscale_factor
        downscale_factor""".split()
    },
}

# The types of aten's schemas.
SCHEMA_TYPES = {
    "int": "int", "SymInt": "int", "float": "float", "number": "float", "bool": "bool", "str": "str",
    "int[]": "Ints", "SymInt[]": "Ints",
}  # fmt: skip


def matched(op: str, name: str) -> str | None:
    digit = re.search(r"(\d)d$", op)
    for pattern, text in TYPES.items():
        if fnmatchcase(f"{op}.{name}", pattern):
            return text.replace("#", digit[1] if digit else "")
    return None


def from_python(op: str, call: Any) -> Iterator[tuple[Any, ...]]:
    """The arguments of a layer or of a function written in Python."""
    for parameter in inspect.signature(call).parameters.values():
        stated = str(parameter.annotation)
        if dropped(op, parameter.name) or parameter.name == "self":
            continue
        if stated.endswith(("torch.Tensor'>", "torch.Tensor | None")) or parameter.name in (
            "input",
            "tensor",
        ):
            continue
        plain = re.fullmatch(r"(?:<class ')?(int|float|bool|str)(?:'>)?( \| None)?", stated)
        text = matched(op, parameter.name) or (plain and plain[1] + (plain[2] or ""))
        if not text:
            raise SystemExit(f"{op}.{parameter.name}: a type for {stated!r} is missing in TYPES")
        if parameter.default is parameter.empty:
            yield parameter.name, text
        else:
            yield parameter.name, *with_default(text, parameter.default)


def from_schema(op: str, overload: str) -> Iterator[tuple[Any, ...]]:
    """The arguments of a function that torch defines by an operator schema."""
    name, _, variant = overload.partition(".")
    schema = getattr(getattr(torch.ops.aten, name), variant or "default")._schema
    for argument in schema.arguments:
        stated = str(argument.real_type)
        if dropped(op, argument.name) or "Tensor" in stated:
            continue
        bare = (
            stated.removeprefix("Optional[").removesuffix("]") if "Optional" in stated else stated
        )
        bare = {"List[int]": "int[]", "List[SymInt]": "int[]", "Scalar": "number"}.get(bare, bare)
        text = matched(op, argument.name) or SCHEMA_TYPES.get(bare)
        if not text:
            raise SystemExit(f"{op}.{argument.name}: a type for {stated!r} is missing in TYPES")
        default = argument.default_value
        if isinstance(default, list):  # int[2] stride=[] means None, padding=0 is stored as [0, 0]
            default = default[0] if default and len(set(default)) == 1 else tuple(default) or None
        if argument.has_default_value() or "Optional" in stated:
            yield argument.name, *with_default(text, default)
        else:
            yield argument.name, text


def with_default(text: str, default: Any) -> tuple[str, Any]:
    if callable(default):  # TransformerEncoderLayer's activation, which it also takes by name
        default = default.__name__
    if default is None and "None" not in text:
        text += " | None"
    return text, float(default) if text == "float" and type(default) is int else default


def recurrent(op: str) -> Iterator[tuple[Any, ...]]:
    """RNN, GRU and LSTM hide their arguments; the base class shows them."""
    for row in from_python(op, nn.RNNBase.__init__):
        if row[0] == "mode" or (row[0] == "proj_size" and op != "LSTM"):
            continue
        yield row
        if op == "RNN" and row[0] == "num_layers":
            yield "nonlinearity", str(matched(op, "nonlinearity")), "tanh"


def signatures() -> dict[str, tuple[tuple[Any, ...], ...]]:
    """Per op its arguments: (name, type) or (name, type, default)."""
    found: dict[str, tuple[tuple[Any, ...], ...]] = {}
    for name in LAYERS:
        rows = recurrent(name) if name in ("RNN", "GRU", "LSTM") else None
        found[name] = tuple(rows or from_python(name, getattr(nn, name).__init__))
    for name in VISION:
        found[name] = tuple(from_python(name, getattr(torchvision.ops, name).__init__))
    for name, made in FUNCTIONS.items():
        found[name] = tuple(
            from_schema(name, made) if isinstance(made, str) else from_python(name, made)
        )
    return found


def render(table: dict[str, tuple[tuple[Any, ...], ...]]) -> str:
    lines = [
        '"""The arguments of every op, from the signatures of torch.',
        "",
        "Written by tests/generate_signatures.py; do not edit.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Any",
        "",
        "# fmt: off",
        "SIGNATURES: dict[str, tuple[tuple[Any, ...], ...]] = {",
    ]
    for name, rows in table.items():
        line = f'    "{name}": ('
        for row in rows:
            piece = f"{row!r}, "
            if len(line) + len(piece) > 100:
                lines.append(line.rstrip())
                line = " " * 8
            line += piece
        lines.append(line + "),")
    return "\n".join([line.replace(", ),", ",),") for line in lines] + ["}", ""])


if __name__ == "__main__":
    TARGET.write_text(render(signatures()), encoding="utf-8")
    sys.stdout.write(f"wrote {TARGET.name}\n")
