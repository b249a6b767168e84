"""A road laid out in stations: from the line someone drew to a curve one can measure along."""

from jamline.road._curve import Road, road_through
from jamline.road._ellipsoid import metres_per_degree, utm_of
from jamline.road._reading import read_road, read_roads

__all__ = ["Road", "metres_per_degree", "read_road", "read_roads", "road_through", "utm_of"]
