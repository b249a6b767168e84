"""What all algorithms share: the program run with progress and cancelling, and the outputs of a result."""

import json
from pathlib import Path

from processing.core.ProcessingConfig import ProcessingConfig
from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingOutputFile,
    QgsProcessingOutputHtml,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFolderDestination,
)
from qgis.PyQt.QtGui import QIcon

from jamline_qgis.layers import LINE, PROJECT, VECTOR, layer_sources, load_when_done
from jamline_qgis.program import VARIABLE, ProgramError, find_program, run_program

ICON = str(Path(__file__).parents[1] / "icon.svg")

OUTPUT, OVERWRITE = "OUTPUT", "OVERWRITE"


class Algorithm(QgsProcessingAlgorithm):
    """A form for one command of jamline."""

    ID = TITLE = HELP = ""

    def name(self):
        """Return the id."""
        return self.ID

    def displayName(self):  # noqa: N802
        """Return what people read."""
        return self.TITLE

    def shortHelpString(self):  # noqa: N802
        """Return what it does."""
        return self.HELP

    def createInstance(self):  # noqa: N802
        """Return another one."""
        return type(self)()

    def icon(self):
        """Return the icon."""
        return QIcon(ICON)

    def svgIconPath(self):  # noqa: N802
        """Return where the icon lies."""
        return ICON

    def add_folder(self):
        """Add the folder that is written, and whether it may replace another."""
        self.addParameter(
            QgsProcessingParameterBoolean(OVERWRITE, "Replace an earlier result in that folder", defaultValue=False)
        )
        self.addParameter(QgsProcessingParameterFolderDestination(OUTPUT, "Folder of the result"))

    def add_result_outputs(self):
        """Add what a result gives to the steps after it."""
        for key, title, kind in (
            ("QUEUES", "Queues", LINE),
            ("VEHICLES", "Vehicles", VECTOR),
            ("COVERAGE", "What was seen", VECTOR),
            ("ALIGNED", "Road as it was found", LINE),
        ):
            self.addOutput(QgsProcessingOutputVectorLayer(key, title, kind))
        self.addOutput(QgsProcessingOutputHtml("REPORT", "Report"))
        self.addOutput(QgsProcessingOutputFile("PROJECT", "QGIS project with imagery, layers and a sheet to print"))
        self.addOutput(QgsProcessingOutputFile("RUN", "run.json"))
        self.addOutput(QgsProcessingOutputNumber("LENGTH_KM", "Length of the longest queue, km"))
        self.addOutput(QgsProcessingOutputNumber("COUNT", "Number of queues"))
        self.addOutput(QgsProcessingOutputString("FINDINGS", "What became of the claims"))

    def folder_of(self, parameters, context):
        """Return the folder to write, and the options that go with it.

        QGIS may have made a temporary folder already; nothing is lost when an empty one is replaced.
        """
        folder = Path(self.parameterAsString(parameters, OUTPUT, context))
        empty = folder.is_dir() and not any(folder.iterdir())
        overwrite = empty or self.parameterAsBoolean(parameters, OVERWRITE, context)
        return folder, ["--overwrite"] if overwrite else []

    def run_jamline(self, arguments, feedback, *, output=None, fine=(0,)):
        """Run the program; return how it ended, or None where it was cancelled.

        Parameters
        ----------
        arguments : list of str
            The command and its options.
        feedback : QgsProcessingFeedback
            Is told the progress, and asked whether the run was cancelled.
        output : Path, optional
            What is written.
        fine : tuple of int
            Exit codes after which there is a result.
        """

        def progress(percent, text):
            feedback.setProgress(percent)
            if text:
                feedback.setProgressText(text)

        try:
            program = find_program(ProcessingConfig.getSetting(VARIABLE) or "")
            command = [program, *map(str, arguments)]
            feedback.pushCommandInfo(" ".join(command))
            ended = run_program(
                command,
                output=output,
                progress=progress,
                says=feedback.pushConsoleInfo,
                cancelled=feedback.isCanceled,
            )
        except ProgramError as error:
            raise QgsProcessingException(str(error)) from error
        if ended is None:
            feedback.pushInfo("Cancelled; nothing was written.")
            return None
        if ended.exit_code not in fine:
            lines = [line for line in ended.said.splitlines() if line.startswith("Error: ")]
            said = lines[-1][len("Error: ") :] if lines else ended.said.strip()[-2000:]
            raise QgsProcessingException(f"{said or 'jamline said nothing'} (exit code {ended.exit_code})")
        for line in ended.printed.splitlines():
            feedback.pushInfo(line)
        feedback.setProgress(100)
        return ended

    def result(self, folder, context):
        """Return the outputs of a result's folder, and have its layers loaded."""
        sources = layer_sources(folder)
        load_when_done(sources, f"jamline: {Path(folder).name}", context)
        keys = {"queues": "QUEUES", "vehicles": "VEHICLES", "coverage": "COVERAGE", "road": "ALIGNED"}
        told = {keys[name]: source for name, source in sources.items()} | {OUTPUT: str(folder)}
        run = Path(folder) / "run.json"
        for key, name in (("REPORT", "report.html"), ("PROJECT", PROJECT)):
            path = Path(folder) / name
            if path.exists():
                told[key] = str(path)
        if run.exists():
            told |= {"RUN": str(run)} | _numbers(json.loads(run.read_text(encoding="utf-8")))
        return told


def _numbers(run):
    """Return what the steps after it may want to reckon with."""
    lengths = [queue["length_km"]["value"] for road in run["roads"] for queue in road["queues"]]
    findings = [finding for road in run["roads"] for finding in road["findings"]]
    return {
        "LENGTH_KM": max(lengths, default=0.0),
        "COUNT": len(lengths),
        "FINDINGS": "\n".join(f"{finding['claim']}: {finding['verdict']}" for finding in findings),
    }
