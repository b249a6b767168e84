"""The pictures of `qgis.md`, drawn by QGIS itself from the simulated sample: a result as it opens, and as it prints.

    jamline measure sample_tiles/short --road sample_tiles/short/road.geojson --origin border --claim "at least 1 km" \
        -o out/short
    QT_QPA_PLATFORM=offscreen python3 docs/make_qgis_images.py out/short

needs the Python that has QGIS's bindings.
"""

import os
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsLayoutExporter,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage

HERE = Path(__file__).resolve().parent
TILES = HERE.parent / "sample_tiles" / "short"
LAYERS = ("vehicles", "queues", "road", "coverage")
WIDTH, HEIGHT, DPI = 640, 420, 96
INCH_M = 0.0254


def draw(layers, centre, scale, path):
    """Draw the surroundings of a point at a scale."""
    half = [side / DPI * INCH_M * scale / 2 for side in (WIDTH, HEIGHT)]
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(layers[-1].crs())
    settings.setBackgroundColor(QColor(255, 255, 255))
    settings.setOutputSize(QSize(WIDTH, HEIGHT))
    settings.setOutputDpi(DPI)
    settings.setExtent(
        QgsRectangle(centre.x() - half[0], centre.y() - half[1], centre.x() + half[0], centre.y() + half[1])
    )
    context = QgsExpressionContext()
    context.appendScope(QgsExpressionContextUtils.mapSettingsScope(settings))
    settings.setExpressionContext(context)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    # A palette is enough, and a third of the bytes.
    job.renderedImage().convertToFormat(QImage.Format.Format_Indexed8).save(str(path))


def print_sheet(project_file):
    """Print the sheet of a project."""
    project = QgsProject.instance()
    if not project.read(str(project_file)):
        raise RuntimeError(project.error())
    (layout,) = project.layoutManager().layouts()
    QgsLayoutExporter(layout).renderPageToImage(0, dpi=DPI).save(str(HERE / "images" / "qgis_sheet.png"))


def main(folder):
    """Draw the result from afar, from near and on paper."""
    print_sheet(folder / "jam.qgz")
    found = [QgsVectorLayer(f"{folder / 'jam.gpkg'}|layername={name}", name, "ogr") for name in LAYERS]
    tiles = [QgsRasterLayer(str(path), path.stem) for path in sorted(TILES.glob("tile_*.tif"))]
    queue = max(found[1].getFeatures(), key=lambda feature: feature["length_km"]).geometry()
    wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
    to_map = QgsCoordinateTransform(wgs84, tiles[0].crs(), QgsProject.instance())
    for name, share, scale in (("qgis", 0.5, 18_000), ("qgis_near", 0.12, 900)):
        at = to_map.transform(queue.interpolate(share * queue.length()).asPoint())
        draw([*found, *tiles], at, scale, HERE / "images" / f"{name}.png")


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    main(Path(sys.argv[1]))
    # Layers that Python still holds would be destroyed after QGIS has ended, which it does not survive.
    os._exit(0)
