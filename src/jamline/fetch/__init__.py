"""Public imagery: found in STAC catalogues by road, day and cloud, and only what lies along the road downloaded."""

from jamline.fetch._download import Fetched, Progress, download
from jamline.fetch._search import Found, Search, search

__all__ = ["Fetched", "Found", "Progress", "Search", "download", "search"]
