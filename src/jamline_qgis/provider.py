"""The provider `jamline`: its algorithms, its icon, and the one setting."""

from pathlib import Path

from processing.core.ProcessingConfig import ProcessingConfig, Setting
from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from jamline_qgis.algorithms import ALGORITHMS
from jamline_qgis.program import VARIABLE

ICON = str(Path(__file__).with_name("icon.svg"))


class Provider(QgsProcessingProvider):
    """Algorithms that run the program `jamline`."""

    def id(self):
        """Return what algorithms' ids begin with."""
        return "jamline"

    def name(self):
        """Return what people read."""
        return "jamline"

    def longName(self):  # noqa: N802
        """Return the same with what it is for."""
        return "jamline: length of traffic jams"

    def icon(self):
        """Return the icon."""
        return QIcon(ICON)

    def svgIconPath(self):  # noqa: N802
        """Return where the icon lies."""
        return ICON

    def load(self):
        """Add the setting and the algorithms."""
        ProcessingConfig.settingIcons[self.name()] = self.icon()
        ProcessingConfig.addSetting(
            Setting(
                self.name(),
                VARIABLE,
                "Program jamline, where it is not found by itself",
                "",
                valuetype=Setting.FILE,
            )
        )
        ProcessingConfig.readSettings()
        self.refreshAlgorithms()
        return True

    def unload(self):
        """Remove the setting."""
        ProcessingConfig.removeSetting(VARIABLE)

    def loadAlgorithms(self):  # noqa: N802
        """Add the algorithms."""
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())
