"""The plugin in a project, as a user has it: layers loaded, a review, a model, and runs that are cancelled.

Run by the system's Python: ``python3 qgis_plugin.py PLUGINS SCENE LONG_SCENE LONG_ROAD OUT`` prints a JSON report.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

sys.path[:0] = [sys.argv[1], "/usr/share/qgis/python/plugins"]

from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterFeatureSource,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
    edit,
)

_, _, SCENE, LONG_SCENE, LONG_ROAD, OUT = map(Path, sys.argv)


def tree(group):
    """The layer tree: names, and for layers how they look."""
    told = []
    for node in group.children():
        layer = node.layer() if hasattr(node, "layer") else None
        if layer is None:
            told.append([node.name(), tree(node)])
        else:
            looks = layer.renderer().type() if layer.isValid() else "invalid"
            told.append([node.name(), looks])
    return told


def in_project(processing, project):
    """Measure, review and measure again, with the layers in the project."""
    tiles = [QgsRasterLayer(str(path), path.stem) for path in sorted(SCENE.glob("tile_*.tif"))]
    road = QgsVectorLayer(f"{SCENE / 'road.geojson'}|geometrytype=LineString", "road of the scene")
    result = processing.runAndLoadResults(
        "jamline:measure",
        {"IMAGERY": tiles, "ROAD": road, "ORIGIN": "border", "CLAIMS": "at least 200 m", "OUTPUT": str(OUT / "first")},
    )
    told = {"first": tree(project.layerTreeRoot()), "lengths": [result["LENGTH_KM"]]}
    vehicles = next(layer for layer in project.mapLayers().values() if layer.name() == "vehicles")
    queued = [feature.id() for feature in vehicles.getFeatures() if feature["state"] == "queued"]
    vehicles.startEditing()
    # The last half of the queue: what is left is half as long.
    column = vehicles.fields().indexOf("review")
    by_station = sorted(queued, key=lambda fid: vehicles.getFeature(fid)["station_m"])
    for fid in by_station[len(by_station) // 2 :]:
        vehicles.changeAttributeValue(fid, column, "rejected")
    feedback = QgsProcessingFeedback(False)
    try:
        processing.run("jamline:remeasure", {"LAYER": vehicles}, feedback=feedback)
    except QgsProcessingException:
        told["unsaved"] = feedback.textLog()
    vehicles.commitChanges()
    result = processing.runAndLoadResults("jamline:remeasure", {"LAYER": vehicles})
    told["lengths"].append(result["LENGTH_KM"])
    told["second"] = tree(project.layerTreeRoot())
    queues = next(layer for layer in project.mapLayers().values() if layer.name() == "queues")
    told["shown"] = max(feature["length_km"] for feature in queues.getFeatures())
    return told


def selected(processing):
    """Measure along one selected line of a layer in memory."""
    road = QgsVectorLayer(f"{SCENE / 'road.geojson'}|geometrytype=LineString", "file")
    memory = QgsVectorLayer("LineString?crs=EPSG:4326&field=name:string", "memory", "memory")
    with edit(memory):
        for feature in road.getFeatures():
            feature.setFields(memory.fields(), True)
            feature["name"] = "drawn"
            memory.addFeature(feature)
    outputs = {"IMAGES": str(SCENE), "ROAD": memory, "DETECTOR": "contrast", "OUTPUT": "TEMPORARY_OUTPUT"}
    outputs = processing.run("jamline:measure", outputs)
    return {"temporary": json.loads(Path(outputs["RUN"]).read_text())["roads"][0]["name"]}


def model(processing):
    """A model of two steps: the queues, and a buffer around them."""
    made = QgsProcessingModelAlgorithm("jam", "jam")
    road = QgsProcessingModelParameter("road")
    made.addModelParameter(QgsProcessingParameterFeatureSource("road", "Road"), road)
    measured = QgsProcessingModelChildAlgorithm("jamline:measure")
    measured.setChildId("measured")
    value = QgsProcessingModelChildParameterSource
    measured.addParameterSources("IMAGES", [value.fromStaticValue(str(SCENE))])
    measured.addParameterSources("DETECTOR", [value.fromStaticValue("network")])
    measured.addParameterSources("ROAD", [value.fromModelParameter("road")])
    buffer = QgsProcessingModelChildAlgorithm("native:buffer")
    buffer.setChildId("buffer")
    buffer.addParameterSources("INPUT", [value.fromChildOutput("measured", "QUEUES")])
    buffer.addParameterSources("DISTANCE", [value.fromStaticValue(0.001)])
    output = QgsProcessingModelOutput("around")
    output.setChildOutputName("OUTPUT")
    output.setChildId("buffer")
    buffer.setModelOutputs({"around": output})
    made.addChildAlgorithm(measured)
    made.addChildAlgorithm(buffer)
    made.updateDestinationParameters()
    made.toFile(str(OUT / "jam.model3"))
    around = processing.run(
        made, {"road": str(SCENE / "road.geojson") + "|geometrytype=LineString", "buffer:around": "TEMPORARY_OUTPUT"}
    )["buffer:around"]
    return {"features": around.featureCount(), "hatched": around.geometryType() == 2}


def running(folder):
    """Processes whose command names a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if str(folder) in command and int(process.name) != os.getpid():
            found.append(command)
    return found


def cancelled(algorithm, parameters, folder, *, after_s=None):
    """How long a run goes on after it was cancelled: at its first progress, or so many seconds after it began."""
    feedback, context, at = QgsProcessingFeedback(), QgsProcessingContext(), []

    def cancel():
        if not at:
            at.append(time.monotonic())
            feedback.cancel()

    if after_s is None:
        feedback.progressChanged.connect(lambda percent: percent > 0 and cancel())
    else:
        threading.Timer(after_s, cancel).start()
    instance = QgsApplication.processingRegistry().createAlgorithmById(algorithm)
    results, _ = instance.run(parameters | {"OUTPUT": str(folder)}, context, feedback)
    took_s = time.monotonic() - at[0]
    left = [path.name for path in folder.parent.iterdir() if folder.name in path.name]
    return {"took_s": took_s, "results": results, "left": left, "running": running(folder)}


def main():
    """Report on all of it."""
    import processing
    from processing.core.Processing import Processing

    import jamline_qgis

    Processing.initialize()
    plugin = jamline_qgis.classFactory(None)
    plugin.initProcessing()
    project = QgsProject.instance()
    told = {"project": in_project(processing, project), "selected": selected(processing), "model": model(processing)}
    long = {"IMAGES": str(LONG_SCENE), "ROAD": str(LONG_ROAD)}
    told["cancelled"] = {
        "at once": cancelled("jamline:measure", long, OUT / "long0", after_s=0.2),
        "while measuring": cancelled("jamline:measure", long, OUT / "long1"),
    }
    project.clear()
    plugin.unload()
    sys.stdout.write("\n" + json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    application = QgsApplication([], True)
    application.initQgis()
    main()
    # Layers that Python still holds would be destroyed after QGIS has ended, which it does not survive.
    os._exit(0)
