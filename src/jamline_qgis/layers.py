"""Results in the project: the styled layers of a run, in a group of its own."""

from pathlib import Path

from qgis.core import (
    QgsMapLayerStyle,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingUtils,
    QgsProject,
)

LAYERS = ("vehicles", "queues", "road", "coverage")
"""Of a result, as they lie over one another: near to, vehicles would be hidden by the line of their queue."""

GEOPACKAGE, PROJECT = "jam.gpkg", "jam.qgz"

RASTER = QgsProcessing.SourceType.TypeRaster
LINE = QgsProcessing.SourceType.TypeVectorLine
FILE = QgsProcessing.SourceType.TypeFile
VECTOR = QgsProcessing.SourceType.TypeVectorAnyGeometry
"""Kinds of layer, in the spelling that Qt 5 and Qt 6 share."""

_KEPT_ALIVE = []
"""QGIS holds what it calls back by address only; Python would have thrown it away by then."""


def layer_sources(folder):
    """Return the sources of a result's layers by name; none where it holds no GeoPackage of its own."""
    path = Path(folder) / GEOPACKAGE
    return {name: f"{path}|layername={name}" for name in LAYERS} if path.exists() else {}


def load_when_done(sources, group, context, *, hints=None):
    """Have layers loaded into the project when the algorithm ends, within a group.

    Parameters
    ----------
    sources : dict of str to str
        By the name of the layer, the topmost first.
    group : str
        Name of the group.
    context : QgsProcessingContext
        Of the run; without a project, as in `qgis_process`, nothing is loaded.
    hints : dict of str to QgsProcessingUtils.LayerHint, optional
        What kind of layer a source is, by name; vectors where nothing is said.
    """
    project = context.project()
    if project is None:
        return
    order = list(sources)
    for name, source in sources.items():
        hint = (hints or {}).get(name, QgsProcessingUtils.LayerHint.Vector)
        details = QgsProcessingContext.LayerDetails(name, project, name, hint)
        placed = _Placed(group, order, name)
        _KEPT_ALIVE.append(placed)
        details.setPostProcessor(placed)
        context.addLayerToLoadOnCompletion(source, details)


class _Placed(QgsProcessingLayerPostProcessorInterface):
    """Puts a layer that was loaded into its group; QGIS calls it where the project may be changed."""

    def __init__(self, group, order, name):
        super().__init__()
        self.group, self.order, self.name = group, order, name

    def postProcessLayer(self, layer, context, feedback):  # noqa: N802
        """Style the layer, put it into the group, and let it take the place of the one it was measured from."""
        project = QgsProject.instance() if context.project() is None else context.project()
        layer.setName(self.name)
        if hasattr(layer, "loadDefaultStyle"):
            layer.loadDefaultStyle()
        root = project.layerTreeRoot()
        twins = [other for other in project.mapLayers().values() if _same(other, layer)]
        for twin in twins[:1]:
            # What the user made of the old one's look is kept.
            style = QgsMapLayerStyle()
            style.readFromLayer(twin)
            style.writeToLayer(layer)
        home = _home_of(twins, root) or root.findGroup(self.group) or root.insertGroup(0, self.group)
        node = root.findLayer(layer.id())
        if node is None:
            home.insertLayer(self._place_in(home), layer)
        elif node.parent() != home:
            home.insertChildNode(self._place_in(home), node.clone())
            node.parent().removeChildNode(node)
        project.removeMapLayers([twin.id() for twin in twins])

    def _place_in(self, group):
        """Return where among the group's layers this one belongs."""
        above = self.order[: self.order.index(self.name)]
        return sum(node.name() in above for node in group.children())


def _same(other, layer):
    """Tell whether another layer of the project shows the same file."""
    return other.id() != layer.id() and other.publicSource() == layer.publicSource()


def _home_of(twins, root):
    """Return the group that holds the first of some layers."""
    node = root.findLayer(twins[0].id()) if twins else None
    return node.parent() if node else None
