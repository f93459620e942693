"""conditional_depth_route: A deep path for rough images and a simple one for the
others, each image by itself.

Written by graphbuild from conditional_depth_route.yaml; needs only torch.
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv_block(in_channels: int, channels: int, stride: int = 1) -> nn.Sequential:
    """[N, in_channels, H, W] -> [N, channels, H', W']."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(
                in_channels,
                channels,
                kernel_size=3,
                stride=stride,
                padding=1,
                bias=False,
            ),
            norm=nn.GroupNorm(4, channels),
            relu=nn.ReLU(),
        )
    )


class Residual(nn.Module):
    """[N, in_channels, H, W] -> [N, in_channels, H, W]."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = conv_block(in_channels, in_channels)
        self.conv2 = conv_block(in_channels, in_channels)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv1(x)
        out = self.conv2(out)
        return out + x


def deep_path(in_channels: int, width: int, depth: int) -> nn.Sequential:
    """[N, in_channels, H, W] -> [N, width * 2, ⌈H/2⌉, ⌈W/2⌉]."""
    return nn.Sequential(
        OrderedDict(
            down=conv_block(in_channels, width * 2, stride=2),
            layers=nn.Sequential(*[Residual(width * 2) for _ in range(depth)]),
        )
    )


def simple_path(in_channels: int, width: int) -> nn.Sequential:
    """[N, in_channels, H, W] -> [N, width * 2, ⌈H/2⌉, ⌈W/2⌉]."""
    return nn.Sequential(OrderedDict(down=conv_block(in_channels, width * 2, stride=2)))


class Path(nn.ModuleDict):
    """Each row through the case that `choice` names for it.

    [N], [N, in_channels, H, W] -> [N, width * 2, ⌈H/2⌉, ⌈W/2⌉].
    """

    def __init__(self, in_channels: int, width: int, depth: int) -> None:
        super().__init__(
            {
                "true": deep_path(in_channels, width, depth),
                "false": simple_path(in_channels, width),
            }
        )

    def forward(self, choice: Tensor, x: Tensor) -> Tensor:
        rows = [torch.where(choice == number)[0] for number in (True, False)]
        skip = not torch.compiler.is_compiling() and choice.shape[0] > 0
        out = None
        for case, own in zip(self.values(), rows):
            if skip and own.shape[0] == 0:
                continue
            part = case(x[own])
            if out is None:
                out = part.new_zeros(choice.shape[0], *part.shape[1:])
            out.index_copy_(0, own, part)
        return out


class ConditionalDepthRoute(nn.Module):
    """[N, 1, H, W] -> (logits: [N, 10], is_difficult: [N])."""

    def __init__(
        self,
        width: int = 16,
        depth: int = 3,
        threshold: float = 0.12,
        num_classes: int = 10,
    ) -> None:
        super().__init__()
        self.stem = conv_block(1, width)
        self.pool = nn.MaxPool2d(kernel_size=2)
        self.path = Path(width, width, depth)
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(width * 2, num_classes)
        self.threshold = threshold

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        x = F.avg_pool2d(image, 3, stride=1, padding=1)
        x = image - x
        x = torch.abs(x)
        x = torch.mean(x, dim=(1, 2, 3))
        x = x > self.threshold
        out = self.stem(image)
        out = self.pool(out)
        out = self.path(x, out)
        out = self.average(out)
        out = self.flatten(out)
        out = self.head(out)
        return {"logits": out, "is_difficult": x}
