"""Imagery: one or many rasters seen as one scene, with bands by role, masks, resolution and time.

`open_scene` is the door. Everything wrong with a file is found there, so that whoever reads pixels later
need not ask again.
"""

from jamline.imagery._assets import picture_of
from jamline.imagery._catalogues import items_under, read_items, walk
from jamline.imagery._delivery import files_of
from jamline.imagery._documents import read_json, resolved, told
from jamline.imagery._image import Image
from jamline.imagery._items import Item, is_item, items_of
from jamline.imagery._masks import MaskFile, Why, masks_of_item
from jamline.imagery._metadata import as_utc, cloud_percent
from jamline.imagery._packed import packed_picture, unpacked_picture
from jamline.imagery._remote import gdal_name
from jamline.imagery._scene import Scene, open_items, open_scene
from jamline.imagery._sources import find as image_paths
from jamline.imagery._sources import is_address, shown
from jamline.imagery._stored import Stored, mask_forms, stored_form
from jamline.imagery._veil import mask_polygons

__all__ = [
    "Image",
    "Item",
    "MaskFile",
    "Scene",
    "Stored",
    "Why",
    "as_utc",
    "cloud_percent",
    "files_of",
    "gdal_name",
    "image_paths",
    "is_address",
    "is_item",
    "items_of",
    "items_under",
    "mask_forms",
    "mask_polygons",
    "masks_of_item",
    "open_items",
    "open_scene",
    "packed_picture",
    "picture_of",
    "read_items",
    "read_json",
    "resolved",
    "shown",
    "stored_form",
    "told",
    "unpacked_picture",
    "walk",
]
