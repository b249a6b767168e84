"""What both networks are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Step(nn.Module):
    """A convolution whose input goes on beside it, and which may look further along than across."""

    def __init__(self, channels: int, along: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=(1, along), dilation=(1, along))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the convolution finds."""
        y: Tensor = x + torch.relu(self.norm(self.conv(x)))
        return y


class Down(nn.Sequential):
    """Fewer rows or columns, other channels."""

    def __init__(self, source: int, target: int, kernel: tuple[int, int] = (3, 3), stride: tuple[int, int] = (2, 2)):
        super().__init__(
            nn.Conv2d(source, target, kernel, stride=stride, padding=(kernel[0] // 2, kernel[1] // 2)),
            nn.BatchNorm2d(target),
            nn.ReLU(),
        )


def larger(x: Tensor, rows: float = 2.0, columns: float = 2.0) -> Tensor:
    """Repeat rows and columns, so that a coarse scale fits a finer one."""
    return functional.interpolate(x, scale_factor=(rows, columns), mode="nearest")
