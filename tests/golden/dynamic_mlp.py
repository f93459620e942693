"""dynamic_mlp: A multilayer perceptron of any depth.

Written by graphbuild from dynamic_mlp.yaml; needs only torch.
"""

from collections import OrderedDict

from torch import Tensor, nn


def layer(in_features: int, width: int) -> nn.Sequential:
    """[N, in_features] -> [N, width]."""
    return nn.Sequential(
        OrderedDict(linear=nn.Linear(in_features, width), relu=nn.ReLU())
    )


class DynamicMlp(nn.Module):
    """[N, 64] -> [N, 10]."""

    def __init__(
        self,
        num_layers: int = 3,
        width: int = 64,
        features: int = 64,
        num_classes: int = 10,
    ) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            *[layer(features if i == 0 else width, width) for i in range(num_layers)]
        )
        self.output = nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.hidden(x)
        return self.output(hidden)
