"""The network: three scales of convolutions, the coarsest of which looks along 150 m of road."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from jamline.corridor._centreline import PLANES
from training.blocks import Down, Step, larger

ANSWERS = ("middle", "left edge", "right edge")


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
        middle = self.middle_again(
            torch.relu(self.middle_shorter(middle) + larger(self.from_coarse(coarse), columns=1.0))
        )
        fine = self.fine_again(torch.relu(self.fine_shorter(fine) + larger(self.from_middle(middle), columns=1.0)))
        maps: Tensor = self.head(fine)
        return maps


def _higher(x: Tensor) -> Tensor:
    """Twice as many rows; answers keep to the coarsest scale's cells along the road."""
    return larger(x, columns=1.0)


_WORTH = torch.tensor([1.0, 0.4, 0.4])
"""The middle is what is asked for; the edges help to see it."""


def loss_of(maps: Tensor, wanted: Tensor, weight: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Return the cross entropy of the places wanted, and that of each answer.

    Parameters
    ----------
    maps : Tensor, shape (n, 6, rows, cells)
    wanted : Tensor, shape (n, 3, 2 * rows, cells)
    weight : Tensor, shape (n, cells)
    """
    n, _, rows, cells = maps.shape
    logit = maps.reshape(n, len(ANSWERS), 2, rows, cells).transpose(2, 3).reshape(n, len(ANSWERS), 2 * rows, cells)
    entropy = -(wanted * functional.log_softmax(logit, 2)).sum(2)
    each = (entropy * weight[:, None]).sum((0, 2)) / weight.sum().clamp(min=1.0)
    return (each * _WORTH).sum(), dict(zip(ANSWERS, each.tolist(), strict=True))
