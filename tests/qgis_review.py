"""Review a result in QGIS as a user would: through the layer's own edit buffer, forms and defaults.

Run by the system's Python, which has QGIS's bindings:
``python3 qgis_review.py RESULT_FOLDER EDITS.json`` with the positions of vehicles to reject and polygons to add, both
in longitude and latitude. Prints what QGIS knows of the form. The file stays open in QGIS until all is saved.
"""

import json
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsFeatureRequest,
    QgsGeometry,
    QgsPointXY,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorLayerUtils,
    edit,
)


def words(layer, name):
    """What the form offers for a field, in its order."""
    setup = layer.editorWidgetSetup(layer.fields().indexOf(name))
    entries = setup.config().get("map", [])
    # Later versions read an empty text as no value, and so does jamline.
    return setup.type(), [value or "" for entry in entries for value in entry.values()]


def main(folder, edits):
    """Reject and add."""
    layer = QgsVectorLayer(f"{folder / 'jam.gpkg'}|layername=vehicles", "vehicles", "ogr")
    review = layer.fields().indexOf("review")
    told = {"review": words(layer, "review"), "state": words(layer, "state"), "rejected": 0, "added": []}
    with edit(layer):
        for x, y in edits["reject"]:
            near = QgsFeatureRequest(QgsRectangle(x - 1e-6, y - 1e-6, x + 1e-6, y + 1e-6))
            near.setFlags(QgsFeatureRequest.ExactIntersect)
            for feature in layer.getFeatures(near):
                told["rejected"] += layer.changeAttributeValue(feature.id(), review, "rejected")
        for ring in edits["add"]:
            shape = QgsGeometry.fromPolygonXY([[QgsPointXY(x, y) for x, y in ring]])
            # As the tool that draws does it: with the defaults of the layer, and nothing else.
            feature = QgsVectorLayerUtils.createFeature(layer, shape)
            told["added"].append(feature["review"])
            layer.addFeature(feature)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    try:
        main(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))
    finally:
        application.exitQgis()
