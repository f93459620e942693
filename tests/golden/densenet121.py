"""densenet121: Densely connected convolutional networks (Huang et al., 2016),
arXiv:1608.06993.

Written by graphbuild from densenet121.yaml; needs only torch.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn


def dense_layer(in_channels: int, growth_rate: int, bn_size: int) -> nn.Sequential:
    """[N, in_channels, H, W] -> [N, growth_rate, H, W]."""
    return nn.Sequential(
        OrderedDict(
            norm1=nn.BatchNorm2d(in_channels),
            relu1=nn.ReLU(inplace=True),
            conv1=nn.Conv2d(
                in_channels, bn_size * growth_rate, kernel_size=1, bias=False
            ),
            norm2=nn.BatchNorm2d(bn_size * growth_rate),
            relu2=nn.ReLU(inplace=True),
            conv2=nn.Conv2d(
                bn_size * growth_rate, growth_rate, kernel_size=3, padding=1, bias=False
            ),
        )
    )


class DenseBlock(nn.ModuleDict):
    """[N, in_channels, H, W] -> [N, in_channels + depth * growth_rate, H, W]."""

    def __init__(
        self, in_channels: int, depth: int, growth_rate: int, bn_size: int
    ) -> None:
        super().__init__(
            {
                f"denselayer{i + 1}": dense_layer(
                    in_channels + i * growth_rate, growth_rate, bn_size
                )
                for i in range(depth)
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.values():
            x = torch.cat([x, layer(x)], dim=1)
        return x


def transition(in_channels: int) -> nn.Sequential:
    """[N, in_channels, H, W] -> [N, in_channels // 2, ⌊H/2⌋, ⌊W/2⌋]."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(in_channels),
            relu=nn.ReLU(inplace=True),
            conv=nn.Conv2d(in_channels, in_channels // 2, kernel_size=1, bias=False),
            pool=nn.AvgPool2d(kernel_size=2, stride=2),
        )
    )


class Densenet121(nn.Module):
    """[N, 3, H, W] -> [N, 1000]."""

    def __init__(
        self,
        growth_rate: int = 32,
        layers: tuple[int, ...] = (6, 12, 24, 16),
        stem: int = 64,
        bn_size: int = 4,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        denseblock1_channels = stem + layers[0] * growth_rate
        denseblock2_channels = denseblock1_channels // 2 + layers[1] * growth_rate
        denseblock3_channels = denseblock2_channels // 2 + layers[2] * growth_rate
        denseblock4_channels = denseblock3_channels // 2 + layers[3] * growth_rate
        self.features = nn.Sequential(
            OrderedDict(
                conv0=nn.Conv2d(
                    3, stem, kernel_size=7, stride=2, padding=3, bias=False
                ),
                norm0=nn.BatchNorm2d(stem),
                relu0=nn.ReLU(inplace=True),
                pool0=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
                denseblock1=DenseBlock(stem, layers[0], growth_rate, bn_size),
                transition1=transition(denseblock1_channels),
                denseblock2=DenseBlock(
                    denseblock1_channels // 2, layers[1], growth_rate, bn_size
                ),
                transition2=transition(denseblock2_channels),
                denseblock3=DenseBlock(
                    denseblock2_channels // 2, layers[2], growth_rate, bn_size
                ),
                transition3=transition(denseblock3_channels),
                denseblock4=DenseBlock(
                    denseblock3_channels // 2, layers[3], growth_rate, bn_size
                ),
                norm5=nn.BatchNorm2d(denseblock4_channels),
            )
        )
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(denseblock4_channels, num_classes)
        self.init_weights()

    def forward(self, image: Tensor) -> Tensor:
        x = self.features(image)
        x = self.relu(x)
        x = self.pool(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)

    def init_weights(self) -> None:
        """Draw the parameters anew, by the rules of the spec."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.weight, 1)
                nn.init.constant_(module.bias, 0)
            elif isinstance(module, nn.Linear):
                nn.init.constant_(module.bias, 0)
