"""The network: three scales of convolutions, the coarsest of which looks along 150 m of road."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from jamline.corridor._centreline import PLANES

ANSWERS = ("middle", "left edge", "right edge")


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


class CentrelineNet(nn.Module):
    """Strip in; for each row and each cell of 8 m two halves of three answers out.

    Parameters
    ----------
    widths : tuple of int
        Channels at the three scales.
    """

    def __init__(self, widths: tuple[int, int, int] = (16, 32, 48)) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.stem = Down(PLANES, fine, (5, 5), (1, 2))
        self.fine = Step(fine)
        self.to_middle = Down(fine, middle)
        self.middle = Step(middle)
        self.to_coarse = Down(middle, coarse)
        self.coarse = nn.Sequential(*(Step(coarse, along) for along in (1, 2, 4, 8, 1)))
        self.from_coarse = nn.Conv2d(coarse, middle, 1)
        self.middle_shorter = Down(middle, middle, (3, 3), (1, 2))
        self.middle_again = Step(middle)
        self.from_middle = nn.Conv2d(middle, fine, 1)
        self.fine_shorter = Down(fine, fine, (3, 5), (1, 4))
        self.fine_again = Step(fine)
        self.head = nn.Conv2d(fine, 2 * len(ANSWERS), 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (batch, 6, rows, columns / 8)."""
        fine = self.fine(self.stem(x))
        middle = self.middle(self.to_middle(fine))
        coarse = self.coarse(self.to_coarse(middle))
        middle = self.middle_again(torch.relu(self.middle_shorter(middle) + _twice(self.from_coarse(coarse))))
        fine = self.fine_again(torch.relu(self.fine_shorter(fine) + _twice(self.from_middle(middle))))
        maps: Tensor = self.head(fine)
        return maps


def _twice(x: Tensor) -> Tensor:
    """Twice as many rows."""
    return functional.interpolate(x, scale_factor=(2.0, 1.0), mode="nearest")


def loss_of(maps: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """Return the cross entropy of the places wanted, shape (3,): one for each answer.

    Parameters
    ----------
    maps : Tensor, shape (n, 6, rows, cells)
    wanted : Tensor, shape (n, 3, 2 * rows, cells)
    weight : Tensor, shape (n, cells)
    """
    n, _, rows, cells = maps.shape
    logit = maps.reshape(n, len(ANSWERS), 2, rows, cells).transpose(2, 3).reshape(n, len(ANSWERS), 2 * rows, cells)
    entropy = -(wanted * functional.log_softmax(logit, 2)).sum(2)
    total: Tensor = (entropy * weight[:, None]).sum((0, 2)) / weight.sum().clamp(min=1.0)
    return total
