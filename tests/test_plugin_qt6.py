"""The plugin's code in the spelling that Qt 5 and Qt 6 share, from QGIS 3.22 to QGIS 4.

QGIS 4 runs on PyQt6, where an enum's values are reached through the enum alone, and which lacks some names of PyQt5.
No such QGIS can be installed here: the code is read instead.
"""

import ast

import pytest

GONE = {
    # From PyQt6 itself.
    "QAction": "it moved from QtWidgets to QtGui",
    "QDesktopWidget": "QScreen has taken its place",
    "QRegExp": "QRegularExpression has taken its place",
    "QTextCodec": "it is gone",
    "QVariant": "its types are those of QMetaType",
    "exec_": "exec",
    "print_": "print",
    # From QGIS 4, after years as deprecated.
    "QgsVectorFileWriter.writeAsVectorFormat": "writeAsVectorFormatV3",
    "QgsMapLayerRegistry": "QgsProject",
    "Qgis.QGIS_VERSION": "Qgis.version()",
}
"""Names, with what has taken their place."""


def dotted(node):
    """A chain of attributes as text, such as ``QgsProcessing.SourceType.TypeFile``; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def wrong_in(source):
    """What Qt 6 would not take: names that are gone, bindings by their own name, enum values without their enum."""
    tree = ast.parse(source)
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            names = [name for name in (dotted(node), getattr(node, "attr", "")) if name]
        found += [f"{name}: {GONE[name]}" for name in dict.fromkeys(names) if name in GONE]
        found += [f"{name}: qgis.PyQt" for name in names if name.split(".")[0] in ("PyQt5", "PyQt6", "sip")]
        parts = dotted(node).split(".")
        # Of a class of Qt or QGIS, an attribute in capitals that is neither called nor led on from is a value.
        ends = id(node) not in inner and id(node) not in called
        if ends and len(parts) == 2 and parts[0][:1] == "Q" and parts[1][:1].isupper():
            found.append(f"{'.'.join(parts)}: {parts[0]}.Enum.{parts[1]}")
    return found


def test_the_plugin_speaks_to_both(repository):
    files = sorted((repository / "src" / "jamline_qgis").rglob("*.py"))
    assert len(files) > 8
    assert {path.name: wrong for path in files if (wrong := wrong_in(path.read_text(encoding="utf-8")))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "from PyQt5.QtGui import QIcon",
        "import sip",
        "from qgis.PyQt.QtCore import QVariant",
        "QgsField('a', QVariant.Int)",
        "kind = QgsProcessing.TypeVectorLine",
        "box.setIcon(QMessageBox.Warning)",
        "dialog.exec_()",
        "QgsVectorFileWriter.writeAsVectorFormat(layer, path, 'UTF-8')",
    ],
)
def test_what_qt_6_does_not_take_is_found(line):
    assert wrong_in(line)


@pytest.mark.parametrize(
    "line",
    [
        "kind = QgsProcessing.SourceType.TypeVectorLine",
        "project = QgsProject.instance()",
        "options = QgsVectorFileWriter.SaveVectorOptions()",
        "from qgis.PyQt.QtGui import QIcon",
    ],
)
def test_what_both_take_passes(line):
    assert wrong_in(line) == []
