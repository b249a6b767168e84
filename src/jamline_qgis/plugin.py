"""What QGIS starts: it puts the provider into the Processing toolbox, and takes it out again."""

from qgis.core import QgsApplication

from jamline_qgis.provider import Provider


class Plugin:
    """The plugin."""

    def __init__(self):
        self.provider = None

    def initProcessing(self):  # noqa: N802 - the name that qgis_process calls
        """Add the provider."""
        self.provider = Provider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self):  # noqa: N802 - the name that QGIS calls
        """Add the provider, with a window."""
        self.initProcessing()

    def unload(self):
        """Take the provider away."""
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
