"""Open a result in QGIS as a user would, draw each layer, and tell what was drawn.

Run by the system's Python, which has QGIS's bindings:
``python3 qgis_render.py RESULT_FOLDER OUT_FOLDER`` writes a PNG for each layer and prints a JSON report.
No style is applied here: whatever QGIS shows, it found by itself.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage

LAYERS = ("queues", "vehicles", "coverage", "road")
PIXELS = 900


def view(layers, extent):
    """Map settings for a square picture of an extent."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    settings.setBackgroundColor(QColor(255, 255, 255))
    settings.setOutputSize(QSize(PIXELS, PIXELS))
    settings.setOutputDpi(96)
    settings.setFlag(QgsMapSettings.Antialiasing, False)
    settings.setExtent(extent)
    # As the map window does it: styles may ask for the scale.
    context = QgsExpressionContext()
    context.appendScope(QgsExpressionContextUtils.globalScope())
    context.appendScope(QgsExpressionContextUtils.mapSettingsScope(settings))
    settings.setExpressionContext(context)
    return settings


def draw(layers, extent, path):
    """Draw an extent and return the picture with the transform from map to pixel."""
    settings = view(layers, extent)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    if job.errors():
        raise RuntimeError(job.errors()[0].message)
    image = job.renderedImage()
    image.save(str(path))
    return image, settings.mapToPixel()


def colours_at(image, to_pixel, points):
    """Colour names at map positions; ``None`` outside of the picture."""
    found = []
    for point in points:
        pixel = to_pixel.transform(point)
        x, y = round(pixel.x()), round(pixel.y())
        inside = 0 <= x < image.width() and 0 <= y < image.height()
        found.append(image.pixelColor(x, y).name() if inside else None)
    return found


def histogram(image):
    """How many pixels have each colour."""
    image = image.convertToFormat(QImage.Format_RGB32)
    words = memoryview(image.constBits().asstring(image.sizeInBytes())).cast("I")
    return {f"#{word & 0xFFFFFF:06x}": count for word, count in Counter(words).items()}


def posts(layer, feature):
    """Where the style puts the road's posts: longitude and latitude."""
    symbol = layer.renderer().symbol()
    made = [part for part in symbol.symbolLayers() if part.layerType() == "GeometryGenerator"]
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.setFeature(feature)
    points = QgsExpression(made[0].geometryExpression()).evaluate(context)
    return [[point.x(), point.y()] for point in points.asMultiPoint()]


def report_on(source, name, out):
    """What QGIS made of one layer."""
    layer = QgsVectorLayer(source, name, "ogr")
    told = {"valid": layer.isValid(), "features": layer.featureCount(), "renderer": None}
    if layer.renderer() is None:
        return told
    told["renderer"] = layer.renderer().type()
    told["legend"] = [item.label() for item in layer.renderer().legendSymbolItems()]
    told["labels"] = layer.labelsEnabled()
    told["fields"] = layer.fields().names()
    first = next(layer.getFeatures(), None)
    if first is None:
        return told
    extent = QgsRectangle(layer.extent())
    extent.scale(1.1)
    image, _ = draw([layer], extent, out.with_suffix(".png"))
    told["colours"] = histogram(image)
    told["hidden_beyond"] = layer.minimumScale() if layer.hasScaleBasedVisibility() else None
    if name == "road":
        told["posts"] = posts(layer, first)
    if name == "vehicles":
        # Close enough to see single vehicles: 60 m around the fifth of them.
        fifth = list(layer.getFeatures())[5].geometry().centroid().asPoint()
        near = QgsRectangle(fifth.x() - 0.0004, fifth.y() - 0.0004, fifth.x() + 0.0004, fifth.y() + 0.0004)
        image, to_pixel = draw([layer], near, out.with_name(f"{out.name}_near.png"))
        told["at"] = [
            [str(feature["state"]), colours_at(image, to_pixel, [feature.geometry().centroid().asPoint()])[0]]
            for feature in layer.getFeatures()
        ]
        told["near"] = histogram(image)
    if name == "coverage":
        told["stripes"] = {}
        for feature in layer.getFeatures():
            box = feature.geometry().boundingBox()
            centre = feature.geometry().pointOnSurface().asPoint()
            half = min(box.width(), box.height()) / 8
            near = QgsRectangle(centre.x() - half, centre.y() - half, centre.x() + half, centre.y() + half)
            image, _ = draw([layer], near, out.with_name(f"{out.name}_{feature.id()}.png"))
            told["stripes"][f"{feature['side']} {feature['reason']}"] = histogram(image)
    return told


def main(folder, out):
    """Report on every layer of the GeoPackage and every GeoJSON file."""
    told = {"gpkg": {}, "geojson": {}}
    for name in LAYERS:
        told["gpkg"][name] = report_on(f"{folder / 'jam.gpkg'}|layername={name}", name, out / f"gpkg_{name}")
        told["geojson"][name] = report_on(str(folder / f"{name}.geojson"), name, out / f"geojson_{name}")
    upwards = ("vehicles", "queues", "road", "coverage")
    layers = [QgsVectorLayer(f"{folder / 'jam.gpkg'}|layername={name}", name, "ogr") for name in upwards]
    extent = QgsRectangle(layers[3].extent())
    extent.scale(1.05)
    draw(layers, extent, out / "all.png")
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    finally:
        application.exitQgis()
