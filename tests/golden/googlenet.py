"""googlenet: Going deeper with convolutions (Szegedy et al., 2014), arXiv:1409.4842.

Written by graphbuild from googlenet.yaml; needs only torch.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn


def conv_bn(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
) -> nn.Sequential:
    """[N, in_channels, H, W] -> [N, out_channels, H', W']."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(
                in_channels,
                out_channels,
                kernel_size=kernel_size,
                stride=stride,
                padding=padding,
                bias=False,
            ),
            bn=nn.BatchNorm2d(out_channels, eps=0.001),
            relu=nn.ReLU(inplace=True),
        )
    )


class Inception(nn.Module):
    """[N, in_channels, H, W] -> [N, ch1x1 + ch3x3 + ch5x5 + pool_proj, H, W]."""

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
    ) -> None:
        super().__init__()
        self.branch1 = conv_bn(in_channels, ch1x1, kernel_size=1)
        self.branch2 = nn.Sequential(
            conv_bn(in_channels, ch3x3red, kernel_size=1),
            conv_bn(ch3x3red, ch3x3, kernel_size=3, padding=1),
        )
        self.branch3 = nn.Sequential(
            conv_bn(in_channels, ch5x5red, kernel_size=1),
            conv_bn(ch5x5red, ch5x5, kernel_size=3, padding=1),
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=True),
            conv_bn(in_channels, pool_proj, kernel_size=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        branch1 = self.branch1(x)
        branch2 = self.branch2(x)
        branch3 = self.branch3(x)
        branch4 = self.branch4(x)
        return torch.cat([branch1, branch2, branch3, branch4], dim=1)


def aux(in_channels: int, num_classes: int, dropout_aux: float) -> nn.Sequential:
    """[N, in_channels, H, W] -> [N, num_classes]."""
    return nn.Sequential(
        OrderedDict(
            pool=nn.AdaptiveAvgPool2d(4),
            conv=conv_bn(in_channels, 128, kernel_size=1),
            flatten=nn.Flatten(start_dim=1),
            fc1=nn.Linear(128 * 4 * 4, 1024),
            relu=nn.ReLU(inplace=True),
            dropout=nn.Dropout(p=dropout_aux),
            fc2=nn.Linear(1024, num_classes),
        )
    )


class Googlenet(nn.Module):
    """[N, 3, H, W] -> (logits: [N, 1000], aux2: [N, 1000], aux1: [N, 1000])."""

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        dropout: float = 0.2,
        dropout_aux: float = 0.7,
    ) -> None:
        super().__init__()
        self.conv1 = conv_bn(3, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)
        self.conv2 = conv_bn(64, 64, kernel_size=1)
        self.conv3 = conv_bn(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)
        self.inception3a = Inception(
            192, ch1x1=64, ch3x3red=96, ch3x3=128, ch5x5red=16, ch5x5=32, pool_proj=32
        )
        self.inception3b = Inception(
            256, ch1x1=128, ch3x3red=128, ch3x3=192, ch5x5red=32, ch5x5=96, pool_proj=64
        )
        self.maxpool3 = nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)
        self.inception4a = Inception(
            480, ch1x1=192, ch3x3red=96, ch3x3=208, ch5x5red=16, ch5x5=48, pool_proj=64
        )
        self.inception4b = Inception(
            512, ch1x1=160, ch3x3red=112, ch3x3=224, ch5x5red=24, ch5x5=64, pool_proj=64
        )
        self.inception4c = Inception(
            512, ch1x1=128, ch3x3red=128, ch3x3=256, ch5x5red=24, ch5x5=64, pool_proj=64
        )
        self.inception4d = Inception(
            512, ch1x1=112, ch3x3red=144, ch3x3=288, ch5x5red=32, ch5x5=64, pool_proj=64
        )
        self.inception4e = Inception(
            528,
            ch1x1=256,
            ch3x3red=160,
            ch3x3=320,
            ch5x5red=32,
            ch5x5=128,
            pool_proj=128,
        )
        self.maxpool4 = nn.MaxPool2d(kernel_size=2, stride=2, ceil_mode=True)
        self.inception5a = Inception(
            832,
            ch1x1=256,
            ch3x3red=160,
            ch3x3=320,
            ch5x5red=32,
            ch5x5=128,
            pool_proj=128,
        )
        self.inception5b = Inception(
            832,
            ch1x1=384,
            ch3x3red=192,
            ch3x3=384,
            ch5x5red=48,
            ch5x5=128,
            pool_proj=128,
        )
        if aux_logits:
            self.aux1 = aux(512, num_classes, dropout_aux)
            self.aux2 = aux(528, num_classes, dropout_aux)
        else:
            self.aux1 = None
            self.aux2 = None
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(p=dropout)
        self.fc = nn.Linear(1024, num_classes)
        self.init_weights()

    def forward(self, image: Tensor) -> dict[str, Tensor | None]:
        x = self.conv1(image)
        x = self.maxpool1(x)
        x = self.conv2(x)
        x = self.conv3(x)
        x = self.maxpool2(x)
        x = self.inception3a(x)
        x = self.inception3b(x)
        x = self.maxpool3(x)
        x = self.inception4a(x)
        aux1 = self.aux1(x) if self.aux1 is not None and self.training else None
        x = self.inception4b(x)
        x = self.inception4c(x)
        x = self.inception4d(x)
        aux2 = self.aux2(x) if self.aux2 is not None and self.training else None
        x = self.inception4e(x)
        x = self.maxpool4(x)
        x = self.inception5a(x)
        x = self.inception5b(x)
        x = self.avgpool(x)
        x = torch.flatten(x, 1)
        x = self.dropout(x)
        x = self.fc(x)
        return {"logits": x, "aux2": aux2, "aux1": aux1}

    def init_weights(self) -> None:
        """Draw the parameters anew, by the rules of the spec."""
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(module.weight, mean=0.0, std=0.01, a=-2, b=2)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.weight, 1)
                nn.init.constant_(module.bias, 0)
