"""resnet50: Deep residual learning for image recognition (He et al., 2015),
arXiv:1512.03385.

Written by graphbuild from resnet50.yaml; needs only torch.
"""

import torch
from torch import Tensor, nn


class Bottleneck(nn.Module):
    """[N, in_channels, H, W] -> [N, planes * 4, H', W']."""

    def __init__(
        self,
        in_channels: int,
        planes: int,
        groups: int,
        width_per_group: int,
        stride: int = 1,
        dilation: int = 1,
        dilate: bool = False,
    ) -> None:
        super().__init__()
        width = planes * width_per_group // 64 * groups
        step = 1 if dilate else stride
        self.conv1 = nn.Conv2d(in_channels, width, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(
            width,
            width,
            kernel_size=3,
            stride=step,
            padding=dilation,
            dilation=dilation,
            groups=groups,
            bias=False,
        )
        self.bn2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv3 = nn.Conv2d(width, planes * 4, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * 4)
        if step != 1 or in_channels != planes * 4:
            self.downsample = nn.Sequential(
                nn.Conv2d(
                    in_channels, planes * 4, kernel_size=1, stride=step, bias=False
                ),
                nn.BatchNorm2d(planes * 4),
            )
        else:
            self.downsample = None
        self.relu3 = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv1(x)
        out = self.bn1(out)
        out = self.relu1(out)
        out = self.conv2(out)
        out = self.bn2(out)
        out = self.relu2(out)
        out = self.conv3(out)
        out = self.bn3(out)
        if self.downsample is not None:
            x = self.downsample(x)
        out += x
        return self.relu3(out)


def stage(
    in_channels: int,
    planes: int,
    depth: int,
    groups: int,
    width_per_group: int,
    stride: int = 2,
    dilation: int = 1,
    dilate: bool = False,
) -> nn.Sequential:
    """[N, in_channels, H, W] -> [N, planes * 4, H', W']."""
    return nn.Sequential(
        *[
            Bottleneck(
                in_channels if i == 0 else planes * 4,
                planes=planes,
                groups=groups,
                width_per_group=width_per_group,
                stride=stride if i == 0 else 1,
                dilation=dilation * 2 if i > 0 and dilate else dilation,
                dilate=dilate,
            )
            for i in range(depth)
        ]
    )


class Resnet50(nn.Module):
    """[N, 3, H, W] -> [N, 1000]."""

    def __init__(
        self,
        layers: tuple[int, ...] = (3, 4, 6, 3),
        groups: int = 1,
        width_per_group: int = 64,
        dilate: tuple[bool, ...] = (False, False, False),
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = stage(64, 64, layers[0], groups, width_per_group, stride=1)
        self.layer2 = stage(
            64 * 4, 128, layers[1], groups, width_per_group, dilate=dilate[0]
        )
        self.layer3 = stage(
            128 * 4,
            256,
            layers[2],
            groups,
            width_per_group,
            dilation=2 ** sum(dilate[:1]),
            dilate=dilate[1],
        )
        self.layer4 = stage(
            256 * 4,
            512,
            layers[3],
            groups,
            width_per_group,
            dilation=2 ** sum(dilate[:2]),
            dilate=dilate[2],
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * 4, num_classes)
        self.init_weights()

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv1(image)
        x = self.bn1(x)
        x = self.relu(x)
        x = self.maxpool(x)
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        x = self.avgpool(x)
        x = torch.flatten(x, 1)
        return self.fc(x)

    def init_weights(self) -> None:
        """Draw the parameters anew, by the rules of the spec."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.weight, 1)
                nn.init.constant_(module.bias, 0)
