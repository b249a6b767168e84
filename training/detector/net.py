"""The network: three scales of plain convolutions.

In road space a vehicle is two and a half times as long as wide, and always lies along x; so a cell of the network is
twice as long as wide, and there is nothing to turn. The pixels of a cell come in as planes side by side: a convolution
over few planes and many pixels takes several times as long for the same sums.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from jamline.detect._cells import PLANES
from training.blocks import Down, Step, larger

OUTPUTS = ("heat", "along", "across", "length", "width", "density", "parked")
"""Logit of a vehicle's middle; its place in the cell, in cells; logarithms of its size in metres; logarithm of
vehicles per cell; logit of its being parked beside the running lanes."""


class RoadNet(nn.Module):
    """Cells in, maps of `OUTPUTS` out, one value per cell.

    Parameters
    ----------
    widths : tuple of int
        Channels at the three scales.
    steps : tuple of int
        Convolutions at the three scales on the way down.
    """

    def __init__(self, widths: tuple[int, int, int] = (16, 32, 64), steps: tuple[int, int, int] = (1, 1, 3)) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.stem = Down(PLANES, fine, (3, 3), (1, 1))
        self.fine = nn.Sequential(*(Step(fine) for _ in range(steps[0])))
        self.to_middle = Down(fine, middle)
        self.middle = nn.Sequential(*(Step(middle) for _ in range(steps[1])))
        self.to_coarse = Down(middle, coarse)
        self.coarse = nn.Sequential(*(Step(coarse) for _ in range(steps[2])))
        self.from_coarse = nn.Conv2d(coarse, middle, 1)
        self.middle_again = Step(middle)
        self.from_middle = nn.Conv2d(middle, fine, 1)
        self.fine_again = Step(fine)
        self.head = nn.Conv2d(fine, len(OUTPUTS), 1)
        with torch.no_grad():
            # Vehicles are rare: start from saying so, or the first steps are spent on it.
            self.head.bias.zero_()
            self.head.bias[0] = -4.0
            self.head.bias[3], self.head.bias[4], self.head.bias[5] = 1.5, 0.6, -6.0

    def forward(self, x: Tensor) -> Tensor:
        """Return maps, shape (batch, outputs, rows, columns) of cells."""
        fine = self.fine(self.stem(x))
        middle = self.middle(self.to_middle(fine))
        coarse = self.coarse(self.to_coarse(middle))
        middle = self.middle_again(torch.relu(middle + larger(self.from_coarse(coarse))))
        fine = self.fine_again(torch.relu(fine + larger(self.from_middle(middle))))
        maps: Tensor = self.head(fine)
        return maps


def loss_of(
    maps: Tensor, heat: Tensor, targets: Tensor, weight: Tensor, seen: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of a batch and its parts.

    Parameters
    ----------
    maps : Tensor, shape (n, 7, h, w)
        What the network says.
    heat : Tensor, shape (n, 2, h, w)
        Wanted heat, 1 at middles and falling off around, and density, which sums to the number of vehicles.
    targets : Tensor, shape (n, 5, h, w)
        Place and size wanted, where ``weight`` is over 0, and whether a vehicle is parked; under 0 where nobody knows.
    weight, seen : Tensor, shape (n, h, w)
        How much place and size count; 1 where the heat counts.

    Notes
    -----
    The heat's loss is the focal loss of Law and Deng (CornerNet, 2018): cells near a middle are punished less.
    """
    logit = maps[:, 0]
    share = torch.sigmoid(logit)
    middle = (heat[:, 0] > 0.999).float() * seen
    hit = -functional.logsigmoid(logit) * (1 - share) ** 2 * middle
    miss = -functional.logsigmoid(-logit) * share**2 * (1 - heat[:, 0]) ** 4 * seen * (1 - middle)
    count = middle.sum().clamp(min=1.0)
    found = (hit.sum() + miss.sum()) / count
    off = (maps[:, 1:5] - targets[:, :4]).abs() * weight[:, None]
    placed = (off * torch.tensor([1.0, 1.0, 1.0, 0.6]).view(1, 4, 1, 1)).sum() / weight.sum().clamp(min=1.0)
    log_density = maps[:, 5].clamp(-14.0, 3.0)
    # Poisson: the sum over any stretch is the number of vehicles to be expected there.
    dense = ((log_density.exp() - heat[:, 1] * log_density) * seen).sum() / count
    told = weight * (targets[:, 4] >= 0)
    wrong = functional.binary_cross_entropy_with_logits(maps[:, 6], targets[:, 4].clamp(min=0.0), reduction="none")
    parked = (wrong * told).sum() / told.sum().clamp(min=1.0)
    total = found + 0.7 * placed + 0.15 * dense + 0.3 * parked
    terms = {"found": found, "placed": placed, "dense": dense, "parked": parked}
    return total, {name: term.item() for name, term in terms.items()}
