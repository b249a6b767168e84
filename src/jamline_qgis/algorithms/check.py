"""*Check claim*: the claims of one job file."""

import json
from pathlib import Path

from qgis.core import QgsProcessingParameterFile

from jamline_qgis.algorithms.base import Algorithm
from jamline_qgis.layers import layer_sources, load_when_done


class Check(Algorithm):
    """A form for `jamline check`."""

    ID = "check"
    TITLE = "Check claim"
    HELP = (
        "Checks the claims of a job file, which names imagery, road, origin and claims: supported, refuted, or left "
        "undecided, each with its probability and reason.\n\n"
        "A job with imagery of several times gives the layers of each time, in a group of its own."
    )

    def initAlgorithm(self, configuration=None):  # noqa: N802
        """Say what it takes and gives."""
        self.addParameter(QgsProcessingParameterFile("JOB", "Job file", fileFilter="Job files (*.toml)"))
        self.add_folder()
        self.add_result_outputs()

    def processAlgorithm(self, parameters, context, feedback):  # noqa: N802
        """Check."""
        folder, options = self.folder_of(parameters, context)
        job = self.parameterAsFile(parameters, "JOB", context)
        ended = self.run_jamline(["check", job, "--progress", "lines", "-o", folder, *options], feedback, output=folder)
        if ended is None:
            return {}
        series = Path(folder) / "series.json"
        if not series.exists():
            return self.result(folder, context)
        for look in json.loads(series.read_text(encoding="utf-8"))["looks"]:
            load_when_done(layer_sources(Path(folder) / look["folder"]), f"jamline: {look['time']}", context)
        return {"OUTPUT": str(folder)}
