"""multimodal: An image and its metadata, fused, for two questions at once.

Written by graphbuild from multimodal.yaml; needs only torch.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn


def conv_block(in_channels: int, channels: int) -> nn.Sequential:
    """[N, in_channels, H, W] -> [N, channels, ⌊H/2⌋, ⌊W/2⌋]."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(in_channels, channels, kernel_size=3, padding=1, bias=False),
            norm=nn.BatchNorm2d(channels),
            relu=nn.ReLU(inplace=True),
            pool=nn.MaxPool2d(kernel_size=2),
        )
    )


class Multimodal(nn.Module):
    """[N, 3, H, W], [N, 4] -> (scene: [N, 4], lighting: [N, 3])."""

    def __init__(self, scenes: int = 4, lightings: int = 3, width: int = 16) -> None:
        super().__init__()
        self.image_encoder = nn.Sequential(
            OrderedDict(
                block1=conv_block(3, width),
                block2=conv_block(width, width * 2),
                block3=conv_block(width * 2, width * 4),
                pool=nn.AdaptiveAvgPool2d(1),
                flatten=nn.Flatten(),
            )
        )
        self.metadata_encoder = nn.Sequential(
            OrderedDict(
                linear1=nn.Linear(4, width),
                relu1=nn.ReLU(inplace=True),
                linear2=nn.Linear(width, width),
                relu2=nn.ReLU(inplace=True),
            )
        )
        self.fusion = nn.Sequential(
            OrderedDict(
                linear=nn.Linear(width * 5, width * 4), relu=nn.ReLU(inplace=True)
            )
        )
        self.scene = nn.Linear(width * 4, scenes)
        self.lighting = nn.Linear(width * 4, lightings)

    def forward(self, image: Tensor, metadata: Tensor) -> dict[str, Tensor]:
        x = self.image_encoder(image)
        metadata_encoder = self.metadata_encoder(metadata)
        x = torch.cat([x, metadata_encoder], dim=1)
        del metadata_encoder
        x = self.fusion(x)
        scene = self.scene(x)
        lighting = self.lighting(x)
        return {"scene": scene, "lighting": lighting}
