"""*Simulate scene*: imagery whose truth is known."""

from pathlib import Path

from qgis.core import (
    QgsProcessingOutputMultipleLayers,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterFile,
    QgsProcessingUtils,
)

from jamline_qgis.algorithms.base import Algorithm
from jamline_qgis.layers import LINE, VECTOR, load_when_done


class Simulate(Algorithm):
    """A form for `jamline synth`."""

    ID = "simulate"
    TITLE = "Simulate scene"
    HELP = (
        "Simulates imagery of a road with a jam, from a scene file, with the line drawn of the road and the truth: "
        "every vehicle, and the length of each queue. Equal scene files give equal pixels."
    )

    def initAlgorithm(self, configuration=None):  # noqa: N802
        """Say what it takes and gives."""
        self.addParameter(QgsProcessingParameterFile("SCENE", "Scene file", fileFilter="Scene files (*.toml)"))
        self.add_folder()
        self.addOutput(QgsProcessingOutputMultipleLayers("IMAGERY", "Imagery"))
        self.addOutput(QgsProcessingOutputVectorLayer("ROAD", "Road", LINE))
        self.addOutput(QgsProcessingOutputVectorLayer("TRUTH", "True vehicles", VECTOR))

    def processAlgorithm(self, parameters, context, feedback):  # noqa: N802
        """Simulate."""
        folder, options = self.folder_of(parameters, context)
        scene = self.parameterAsFile(parameters, "SCENE", context)
        ended = self.run_jamline(["synth", scene, folder, "--progress", "lines", *options], feedback, output=folder)
        if ended is None:
            return {}
        tiles = sorted(str(path) for path in Path(folder).glob("tile_*.tif"))
        road = f"{Path(folder) / 'road.geojson'}|geometrytype=LineString"
        truth = str(Path(folder) / "truth" / "vehicles.geojson")
        images = {Path(tile).stem: tile for tile in tiles}
        hints = dict.fromkeys(images, QgsProcessingUtils.LayerHint.Raster)
        load_when_done(
            {"road": road, "true vehicles": truth, **images}, f"jamline: {Path(folder).name}", context, hints=hints
        )
        return {"OUTPUT": str(folder), "IMAGERY": tiles, "ROAD": road, "TRUTH": truth}
