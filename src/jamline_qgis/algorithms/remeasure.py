"""*Re-measure after review*: the length that follows from what a person made of the vehicles."""

from pathlib import Path

from qgis.core import (
    QgsProcessingException,
    QgsProcessingOutputFolder,
    QgsProcessingParameterFile,
    QgsProcessingParameterVectorLayer,
)

from jamline_qgis.algorithms.base import OUTPUT, Algorithm
from jamline_qgis.layers import GEOPACKAGE, VECTOR


class Remeasure(Algorithm):
    """A form for `jamline remeasure`."""

    ID = "remeasure"
    TITLE = "Re-measure after review"
    HELP = (
        "Measures a result anew after its vehicles were reviewed: marked in the column review, drawn, moved, deleted "
        "or given another state. Save the layer first.\n\n"
        "Layers of the result that the project shows are replaced by the new ones, in their place and with the look "
        "they have. The first result stays in its folder 'unedited'."
    )

    def initAlgorithm(self, configuration=None):  # noqa: N802
        """Say what it takes and gives."""
        self.addParameter(QgsProcessingParameterVectorLayer("LAYER", "Layer of the result", [VECTOR], optional=True))
        self.addParameter(
            QgsProcessingParameterFile(
                "RESULT", "or its folder", QgsProcessingParameterFile.Behavior.Folder, optional=True
            )
        )
        self.addOutput(QgsProcessingOutputFolder(OUTPUT, "Folder of the result"))
        self.add_result_outputs()

    def prepareAlgorithm(self, parameters, context, feedback):  # noqa: N802
        """Find the folder, and see that what was edited is saved."""
        layer = self.parameterAsVectorLayer(parameters, "LAYER", context)
        given = self.parameterAsString(parameters, "RESULT", context).strip()
        if (layer is None) == (not given):
            raise QgsProcessingException("Invalid result. Must be a layer of it, or its folder.")
        path = Path(given) / GEOPACKAGE if given else Path(layer.source().partition("|")[0])
        if path.name != GEOPACKAGE or not path.exists():
            raise QgsProcessingException(f"Invalid result '{path}'. Must be a {GEOPACKAGE} that jamline wrote.")
        project = context.project()
        for other in project.mapLayers().values() if project else ():
            mine = other.publicSource().partition("|")[0] == str(path)
            if mine and other.isEditable() and other.isModified():
                raise QgsProcessingException(f"Invalid layer '{other.name()}'. Must be saved first.")
        self.folder = path.parent
        return True

    def processAlgorithm(self, parameters, context, feedback):  # noqa: N802
        """Measure anew."""
        ended = self.run_jamline(["remeasure", self.folder], feedback, output=self.folder)
        return {} if ended is None else self.result(self.folder, context)
