"""efficientnet_b0: Rethinking model scaling for convolutional neural networks (Tan and
Le, 2019), arXiv:1905.11946.

Written by graphbuild from efficientnet_b0.yaml; needs torch and torchvision.
"""

import math

import torch
import torchvision.ops
from torch import Tensor, nn


def make_divisible(value: float, divisor: int = 8, min_value: int | None = None) -> int:
    """Round to a multiple of `divisor`, by no more than a tenth down (MobileNet)."""
    least = divisor if min_value is None else min_value
    rounded = max(least, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def conv_bn_silu(
    in_channels: int,
    out_channels: int,
    kernel_size: int = 1,
    stride: int = 1,
    groups: int = 1,
) -> nn.Sequential:
    """[N, in_channels, H, W] -> [N, out_channels, H', W']."""
    return nn.Sequential(
        nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            groups=groups,
            bias=False,
        ),
        nn.BatchNorm2d(out_channels),
        nn.SiLU(inplace=True),
    )


class SqueezeExcitation(nn.Module):
    """[N, in_channels, H, W] -> [N, in_channels, H, W]."""

    def __init__(self, in_channels: int, squeezed: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(in_channels, squeezed, kernel_size=1)
        self.activation = nn.SiLU(inplace=True)
        self.fc2 = nn.Conv2d(squeezed, in_channels, kernel_size=1)
        self.scale_activation = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        out = self.avgpool(x)
        out = self.fc1(out)
        out = self.activation(out)
        out = self.fc2(out)
        out = self.scale_activation(out)
        return out * x


class MbConv(nn.Module):
    """[N, in_channels, H, W] -> [N, channels, H', W']."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        kernel: int,
        stride: int,
        expand: int,
        drop: float,
    ) -> None:
        super().__init__()
        expanded = make_divisible(in_channels * expand, 8)
        residual = stride == 1 and in_channels == channels
        self.block = nn.Sequential(
            *([conv_bn_silu(in_channels, expanded)] if expanded != in_channels else []),
            conv_bn_silu(
                expanded, expanded, kernel_size=kernel, stride=stride, groups=expanded
            ),
            SqueezeExcitation(expanded, max(1, in_channels // 4)),
            nn.Sequential(
                nn.Conv2d(expanded, channels, kernel_size=1, bias=False),
                nn.BatchNorm2d(channels),
            ),
        )
        if residual:
            self.stochastic_depth = torchvision.ops.StochasticDepth(drop, "row")
        else:
            self.stochastic_depth = None
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        if self.stochastic_depth is not None:
            out = self.stochastic_depth(out)
        if self.residual:
            out = out + x
        return out


def stage(
    in_channels: int,
    channels: int,
    kernel: int,
    stride: int,
    expand: int,
    depth: int,
    first: int,
    drop_path: float,
    blocks: int,
) -> nn.Sequential:
    """[N, in_channels, H, W] -> [N, channels, H', W']."""
    return nn.Sequential(
        *[
            MbConv(
                in_channels if i == 0 else channels,
                channels=channels,
                kernel=kernel,
                stride=stride if i == 0 else 1,
                expand=expand,
                drop=drop_path * (first + i) / blocks,
            )
            for i in range(depth)
        ]
    )


class EfficientnetB0(nn.Module):
    """[N, 3, H, W] -> [N, 1000]."""

    def __init__(
        self,
        width_mult: float = 1.0,
        depth_mult: float = 1.0,
        dropout: float = 0.2,
        drop_path: float = 0.2,
        num_classes: int = 1000,
        stages: tuple[dict[str, int], ...] = (
            {"expand": 1, "kernel": 3, "stride": 1, "channels": 16, "depth": 1},
            {"expand": 6, "kernel": 3, "stride": 2, "channels": 24, "depth": 2},
            {"expand": 6, "kernel": 5, "stride": 2, "channels": 40, "depth": 2},
            {"expand": 6, "kernel": 3, "stride": 2, "channels": 80, "depth": 3},
            {"expand": 6, "kernel": 5, "stride": 1, "channels": 112, "depth": 3},
            {"expand": 6, "kernel": 5, "stride": 2, "channels": 192, "depth": 4},
            {"expand": 6, "kernel": 3, "stride": 1, "channels": 320, "depth": 1},
        ),
    ) -> None:
        super().__init__()
        stem = make_divisible(32 * width_mult, 8)
        widths = [make_divisible(s["channels"] * width_mult, 8) for s in stages]
        depths = [math.ceil(s["depth"] * depth_mult) for s in stages]
        blocks = sum(depths)
        self.features = nn.Sequential(
            conv_bn_silu(3, stem, kernel_size=3, stride=2),
            *[
                stage(
                    stem if i == 0 else widths[i - 1],
                    channels=width,
                    kernel=s["kernel"],
                    stride=s["stride"],
                    expand=s["expand"],
                    depth=depth,
                    first=sum(depths[:i]),
                    drop_path=drop_path,
                    blocks=blocks,
                )
                for i, (s, width, depth) in enumerate(zip(stages, widths, depths))
            ],
            conv_bn_silu(widths[-1], 4 * widths[-1]),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout, inplace=True), nn.Linear(4 * widths[-1], num_classes)
        )
        self.init_weights()

    def forward(self, image: Tensor) -> Tensor:
        x = self.features(image)
        x = self.avgpool(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)

    def init_weights(self) -> None:
        """Draw the parameters anew, by the rules of the spec."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.uniform_(
                    module.weight,
                    a=-1 / math.sqrt(module.out_features),
                    b=1 / math.sqrt(module.out_features),
                )
                nn.init.zeros_(module.bias)
