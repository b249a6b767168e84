"""Public imagery: found in STAC catalogues by road, day and cloud, and only what lies along the road downloaded."""

from jamline.fetch._catalogue import is_catalogue, items_in
from jamline.fetch._cover import footprint_of
from jamline.fetch._download import Fetched, Progress, download
from jamline.fetch._search import Found, Search, search
from jamline.fetch._wanted import Wanted

__all__ = [
    "Fetched",
    "Found",
    "Progress",
    "Search",
    "Wanted",
    "download",
    "footprint_of",
    "is_catalogue",
    "items_in",
    "search",
]
