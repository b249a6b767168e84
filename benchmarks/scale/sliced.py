"""Slices of an image through SAHI and YOLO11n-obb. Runs in an environment of its own, which has them: they are AGPL.

`python sliced.py` takes a JSON object on standard input (``image``, ``slices``, ``side_px``, ``threads``) and prints
what they took. The weights are random, made from the architecture's file: time does not depend on them, and nothing is
downloaded.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from types import ModuleType

os.environ |= {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}


def main() -> None:
    asked = json.load(sys.stdin)

    import rasterio
    import torch
    from rasterio.windows import Window

    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        # Its compiled operators want the very build of torch that they were made for. Ultralytics imports it for the
        # suppression of upright boxes; turned ones go through code of its own, so nothing of it is missed.
        sys.modules["torchvision"] = ModuleType("torchvision")

    from sahi import AutoDetectionModel
    from sahi.predict import get_prediction
    from ultralytics import YOLO

    torch.set_num_threads(asked["threads"])
    torch.manual_seed(0)
    model = AutoDetectionModel.from_pretrained(
        "ultralytics",
        model=YOLO("yolo11n-obb.yaml", task="obb"),
        device="cpu",
        image_size=asked["side_px"],
        confidence_threshold=0.25,
    )
    found = 0
    with rasterio.open(asked["image"]) as file:

        def look(left: int, top: int, right: int, bottom: int) -> int:
            pixels = file.read(window=Window(left, top, right - left, bottom - top)).transpose(1, 2, 0)
            shift, full = [left, top], [file.height, file.width]
            told = get_prediction(pixels.copy(), model, shift_amount=shift, full_shape=full, verbose=0)
            return len(told.object_prediction_list)

        look(*asked["slices"][0])  # the first sets up the model
        began, cpu = time.perf_counter(), time.process_time()
        for each in asked["slices"]:
            found += look(*each)
        took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(took | {"slices": len(asked["slices"]), "found": found, "peak_mib": peak / 1024}))


if __name__ == "__main__":
    main()
