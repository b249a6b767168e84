"""Open projects in QGIS as a user would, print their sheets, and tell what is in them.

Run by the system's Python, which has QGIS's bindings:
``python3 qgis_project.py OUT_FOLDER PROJECT...`` writes a PNG and a PDF of each sheet, numbered, and prints a JSON
report. With ``--save`` before the folder each project is saved as QGIS does it, with the first group renamed.
"""

import json
import os
import re
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsLayoutExporter,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsProject,
    QgsRasterLayer,
    QgsReadWriteContext,
    QgsVectorLayer,
)
from qgis.PyQt.QtXml import QDomDocument

DPI = 100

NOT_HOW_IT_LOOKS = re.compile(r"\{[0-9a-f-]{36}\}|<elevation\b.*?</elevation>|\s*<referenc(ed|ing)Layers/>", re.DOTALL)
"""Later versions draw an id for each part of a symbol and colours for a profile, and list what forms refer to."""


def tree(group):
    """The layer tree: names, with what is in the groups."""
    return [[node.name(), tree(node)] if hasattr(node, "findLayer") else node.name() for node in group.children()]


def look(layer):
    """How a layer is drawn and labelled, as QGIS writes it down."""
    document = QDomDocument("qgis")
    root = document.createElement("qgis")
    layer.writeSymbology(root, document, "", QgsReadWriteContext())
    document.appendChild(root)
    return NOT_HOW_IT_LOOKS.sub("", document.toString())


def sheet(layout, place):
    """Print a layout, and tell what is on it."""
    exporter = QgsLayoutExporter(layout)
    image = QgsLayoutExporter.ImageExportSettings()
    image.dpi = DPI
    codes = [
        exporter.exportToImage(str(place.with_suffix(".png")), image),
        exporter.exportToPdf(str(place.with_suffix(".pdf")), QgsLayoutExporter.PdfExportSettings()),
    ]
    page = layout.pageCollection().page(0).pageSize()
    told = {"name": layout.name(), "codes": [int(code) for code in codes], "page": [page.width(), page.height()]}
    told["labels"] = {item.id(): item.currentText() for item in layout.items() if isinstance(item, QgsLayoutItemLabel)}
    (on_map,) = [item for item in layout.items() if isinstance(item, QgsLayoutItemMap)]
    told["scale"] = on_map.scale()
    told["map"] = [layer.name() for layer in on_map.layersToRender()]
    (legend,) = [item for item in layout.items() if isinstance(item, QgsLayoutItemLegend)]
    told["legend"] = [
        [
            node.layer().name(),
            node.customProperty("legend/title-label"),
            [entry.data(0) for entry in legend.model().layerLegendNodes(node)],
        ]
        for node in legend.model().rootGroup().findLayers()
    ]
    return told


def report_on(path, place, *, save):
    """What QGIS made of one project."""
    project = QgsProject.instance()
    told = {"read": project.read(str(path)), "crs": project.crs().authid(), "title": project.title()}
    layers = project.mapLayers().values()
    told["bad"] = sorted(layer.name() for layer in layers if not layer.isValid())
    told["tree"] = tree(project.layerTreeRoot())
    told["sources"] = {layer.name(): layer.source() for layer in layers}
    told["image crs"] = [layer.crs().authid() for layer in layers if isinstance(layer, QgsRasterLayer)]
    box = project.viewSettings().defaultViewExtent()
    told["extent"] = [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]
    told["styled"] = {}
    for layer in layers:
        if isinstance(layer, QgsVectorLayer):
            # As it opens where nothing but the GeoPackage's own default style says how.
            alone = QgsVectorLayer(layer.source(), layer.name(), "ogr")
            told["styled"][layer.name()] = look(layer) == look(alone)
    told["sheets"] = [sheet(layout, place) for layout in project.layoutManager().layouts()]
    if save:
        project.layerTreeRoot().children()[0].setName("mine")
        told["saved"] = project.write()
    project.clear()
    return told


def main(arguments):
    """Report on all of them."""
    save = arguments[0] == "--save"
    out, *paths = map(Path, arguments[save:])
    told = [report_on(path, out / str(number), save=save) for number, path in enumerate(paths)]
    sys.stdout.write("\n" + json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    main(sys.argv[1:])
    # Layers that Python still holds would be destroyed after QGIS has ended, which it does not survive.
    os._exit(0)
