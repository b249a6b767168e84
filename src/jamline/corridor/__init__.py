"""The road laid flat: image pixels resampled once into stations and offsets."""

from jamline.corridor._corridor import Corridor, lay_flat, look_along, pieces_of
from jamline.corridor._edges import OUT_M, Edges
from jamline.corridor._grid import RoadGrid
from jamline.corridor._overview import PIECE_M, Look
from jamline.corridor._places import place_posterior
from jamline.corridor._quantile import quantile
from jamline.corridor._section import Hidden, Section

__all__ = [
    "OUT_M",
    "PIECE_M",
    "Corridor",
    "Edges",
    "Hidden",
    "Look",
    "RoadGrid",
    "Section",
    "lay_flat",
    "look_along",
    "pieces_of",
    "place_posterior",
    "quantile",
]
