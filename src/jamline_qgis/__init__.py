"""Traffic jams measured from QGIS: a Processing provider that runs the program `jamline` in its own Python.

Nothing is measured here, and nothing but QGIS and the standard library is imported, so that the plugin runs in the
Python of every QGIS from 3.22 on.
"""


def classFactory(iface):  # noqa: N802 - the name that QGIS calls
    """Return the plugin; `iface` is None where QGIS runs without a window."""
    from jamline_qgis.plugin import Plugin

    return Plugin()
