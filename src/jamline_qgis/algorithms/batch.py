"""*Batch*: many jobs, each done once."""

from qgis.core import (
    QgsProcessingException,
    QgsProcessingOutputNumber,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from jamline_qgis.algorithms.base import OUTPUT, Algorithm
from jamline_qgis.layers import FILE, LINE

_FAILED_JOBS = 5


class Batch(Algorithm):
    """A form for `jamline batch`."""

    ID = "batch"
    TITLE = "Batch"
    HELP = (
        "Does many jobs, each once: job files and job tables (CSV, Parquet); or a file of roads, each to be measured "
        "wherever images show it.\n\n"
        "It can be cancelled at any time: what is done is kept, and the same folder goes on from there. Jobs that "
        "fail are named, and the others go on."
    )

    def initAlgorithm(self, configuration=None):  # noqa: N802
        """Say what it takes and gives."""
        for parameter in (
            QgsProcessingParameterMultipleLayers("JOBS", "Job files or job tables", FILE, optional=True),
            QgsProcessingParameterFile("ROADS", "or file of roads", optional=True),
            QgsProcessingParameterString(
                "IMAGES", "with images, folders or patterns, one a line", optional=True, multiLine=True
            ),
            QgsProcessingParameterString("CLAIMS", "and claims, one a line", optional=True, multiLine=True),
            QgsProcessingParameterNumber(
                "WORKERS", "Jobs at a time", QgsProcessingParameterNumber.Type.Integer, optional=True, minValue=1
            ),
            QgsProcessingParameterFolderDestination(OUTPUT, "Folder of the batch"),
        ):
            self.addParameter(parameter)
        self.addOutput(QgsProcessingOutputVectorLayer("QUEUES", "Queues of all jobs", LINE))
        self.addOutput(QgsProcessingOutputNumber("FAILED", "Jobs that failed"))

    def processAlgorithm(self, parameters, context, feedback):  # noqa: N802
        """Do the jobs."""
        folder, _ = self.folder_of(parameters, context)
        jobs = self.parameterAsFileList(parameters, "JOBS", context)
        roads = self.parameterAsFile(parameters, "ROADS", context)
        if bool(jobs) == bool(roads):
            raise QgsProcessingException("Invalid jobs. Must be job files, or a file of roads with images.")
        arguments = ["batch", *jobs, *(["--roads", roads] if roads else [])]
        for key, option in (("IMAGES", "--images"), ("CLAIMS", "--claim")):
            for line in self.parameterAsString(parameters, key, context).splitlines():
                arguments += [option, line.strip()] if line.strip() else []
        if parameters.get("WORKERS") is not None:
            arguments += ["--workers", str(self.parameterAsInt(parameters, "WORKERS", context))]
        ended = self.run_jamline(
            [*arguments, "--progress", "lines", "-o", folder], feedback, output=folder, fine=(0, _FAILED_JOBS)
        )
        if ended is None:
            return {}
        failed = [line for line in ended.said.splitlines() if line.startswith("Failed: ")]
        for line in failed:
            feedback.reportError(line)
        told = self.result(folder, context)
        return {key: told[key] for key in (OUTPUT, "QUEUES") if key in told} | {"FAILED": len(failed)}
