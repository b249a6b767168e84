"""*Measure queue*: the queues on a road, from imagery and a line that the project shows."""

from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingException,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterPoint,
    QgsProcessingParameterString,
    QgsProcessingUtils,
    QgsVectorFileWriter,
)

from jamline_qgis.algorithms.base import Algorithm
from jamline_qgis.layers import LINE, RASTER

DETECTORS = ["network", "contrast"]


class Measure(Algorithm):
    """A form for `jamline measure`."""

    ID = "measure"
    TITLE = "Measure queue"
    HELP = (
        "Measures the queues on a road, with an interval for each length, and checks claims about them.\n\n"
        "Imagery: layers of GeoTIFFs, many tiles if you like; or a folder, a pattern such as tiles/*.tif, or the "
        "address of a COG, as text.\n"
        "Road: its line, drawn to within 9 m. A line layer of one file is read as it is, with the named points in "
        "that file as possible origins; of any other layer, the lines are handed over.\n"
        "Claims: one a line, such as: at least 16 km.\n\n"
        "The layers of the result are loaded styled, in a group of their own. Measuring is done by the program "
        "jamline, in its own Python."
    )

    def initAlgorithm(self, configuration=None):  # noqa: N802
        """Say what it takes and gives."""
        number = QgsProcessingParameterNumber.Type.Double
        for parameter in (
            QgsProcessingParameterMultipleLayers("IMAGERY", "Imagery", RASTER, optional=True),
            QgsProcessingParameterString("IMAGES", "or folder, pattern or address", optional=True),
            QgsProcessingParameterFeatureSource("ROAD", "Road", [LINE]),
            QgsProcessingParameterString("ROAD_NAME", "Only the road of this name", optional=True),
            QgsProcessingParameterString("ORIGIN", "Name of the point to count from", optional=True),
            QgsProcessingParameterPoint("ORIGIN_POINT", "or the point itself", optional=True),
            QgsProcessingParameterString("CLAIMS", "Claims, one a line", optional=True, multiLine=True),
            QgsProcessingParameterNumber("GSD", "Resolution in m, over what the files say", number, optional=True),
            QgsProcessingParameterNumber(
                "HALF_WIDTH", "Reach to each side of the road in m", number, optional=True, minValue=2, maxValue=200
            ),
            QgsProcessingParameterEnum(
                "DETECTOR", "What finds vehicles", DETECTORS, defaultValue=DETECTORS[0], usesStaticStrings=True
            ),
        ):
            self.addParameter(parameter)
        self.add_folder()
        self.add_result_outputs()

    def prepareAlgorithm(self, parameters, context, feedback):  # noqa: N802
        """Read the layers where they may be read, which is not where the algorithm runs."""
        layers = self.parameterAsLayerList(parameters, "IMAGERY", context) or []
        other = [layer.name() for layer in layers if layer.dataProvider().name() != "gdal"]
        if other:
            raise QgsProcessingException(f"Invalid layer '{other[0]}'. Must be a raster file such as a GeoTIFF.")
        self.images = [layer.source() for layer in layers]
        given = self.parameterAsString(parameters, "IMAGES", context).strip()
        self.images += [given] if given else []
        if not self.images:
            raise QgsProcessingException("Invalid imagery ''. Must be a raster layer, or a folder, pattern or address.")
        self.road = self._road(parameters, context)
        return True

    def processAlgorithm(self, parameters, context, feedback):  # noqa: N802
        """Measure."""
        folder, options = self.folder_of(parameters, context)
        detectors = self.parameterAsEnumString(parameters, "DETECTOR", context)
        arguments = ["measure", *self.images, "--road", self.road, "--detector", detectors]
        for key, option in (("ROAD_NAME", "--road-name"), ("GSD", "--gsd"), ("HALF_WIDTH", "--half-width")):
            value = self.parameterAsString(parameters, key, context).strip()
            arguments += [option, value] if value else []
        origin = self._origin(parameters, context)
        arguments += ["--origin", origin] if origin else []
        for claim in self.parameterAsString(parameters, "CLAIMS", context).splitlines():
            arguments += ["--claim", claim.strip()] if claim.strip() else []
        arguments += ["--progress", "lines", "-o", folder, *options]
        ended = self.run_jamline(arguments, feedback, output=folder)
        return {} if ended is None else self.result(folder, context)

    def _origin(self, parameters, context):
        """Return the origin as jamline takes it: a name, or longitude and latitude."""
        name = self.parameterAsString(parameters, "ORIGIN", context).strip()
        if name or parameters.get("ORIGIN_POINT") in (None, ""):
            return name
        wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
        point = self.parameterAsPoint(parameters, "ORIGIN_POINT", context, wgs84)
        return f"{point.x():.7f},{point.y():.7f}"

    def _road(self, parameters, context):
        """Return a file with the road: the layer's own, or one that its lines are written to."""
        source = self.parameterAsSource(parameters, "ROAD", context)
        if source is None:
            raise QgsProcessingException(self.invalidSourceError(parameters, "ROAD"))
        layer = self.parameterAsVectorLayer(parameters, "ROAD", context)
        if layer is not None and layer.dataProvider().name() == "ogr" and not layer.subsetString():
            path, _, rest = layer.source().partition("|")
            alone = not rest or rest.startswith("geometrytype=") or len(layer.dataProvider().subLayers()) == 1
            # A definition of features, such as the selected ones, is no layer's name.
            whole = not hasattr(parameters["ROAD"], "selectedFeaturesOnly") or (
                not parameters["ROAD"].selectedFeaturesOnly
            )
            if alone and whole and not layer.isEditable() and Path(path).exists():
                return path
        path = QgsProcessingUtils.generateTempFilename("road.geojson")
        options = QgsVectorFileWriter.SaveVectorOptions()
        options.driverName, options.fileEncoding = "GeoJSON", "UTF-8"
        fields = source.fields()
        writer = QgsVectorFileWriter.create(
            path, fields, source.wkbType(), source.sourceCrs(), context.transformContext(), options
        )
        for feature in source.getFeatures():
            writer.addFeature(feature)
        del writer  # closes the file
        return path
