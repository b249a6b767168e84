"""Imagery: one or many rasters seen as one scene, with bands by role, masks, resolution and time.

`open_scene` is the door. Everything wrong with a file is found there, so that whoever reads pixels later
need not ask again.
"""

from jamline.imagery._image import Image
from jamline.imagery._packed import packed_picture, unpacked_picture
from jamline.imagery._scene import Scene, open_scene
from jamline.imagery._sources import find as image_paths
from jamline.imagery._sources import is_address

__all__ = ["Image", "Scene", "image_paths", "is_address", "open_scene", "packed_picture", "unpacked_picture"]
