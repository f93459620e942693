"""lenet5: Gradient-based learning applied to document recognition (LeCun et al.,
1998), doi:10.1109/5.726791.

Written by graphbuild from lenet5.yaml; needs only torch.
"""

from torch import Tensor, nn


class Lenet5(nn.Module):
    """[N, 1, 32, 32] -> [N, 10]."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, kernel_size=5)
        self.tanh1 = nn.Tanh()
        self.s2 = nn.AvgPool2d(kernel_size=2)
        self.c3 = nn.Conv2d(6, 16, kernel_size=5)
        self.tanh3 = nn.Tanh()
        self.s4 = nn.AvgPool2d(kernel_size=2)
        self.c5 = nn.Conv2d(16, 120, kernel_size=5)
        self.tanh5 = nn.Tanh()
        self.flatten = nn.Flatten()
        self.f6 = nn.Linear(120, 84)
        self.tanh6 = nn.Tanh()
        self.output = nn.Linear(84, num_classes)

    def forward(self, image: Tensor) -> Tensor:
        x = self.c1(image)
        x = self.tanh1(x)
        x = self.s2(x)
        x = self.c3(x)
        x = self.tanh3(x)
        x = self.s4(x)
        x = self.c5(x)
        x = self.tanh5(x)
        x = self.flatten(x)
        x = self.f6(x)
        x = self.tanh6(x)
        return self.output(x)
