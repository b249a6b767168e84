"""The QGIS plugin as a zip that QGIS installs; equal sources give equal bytes.

python packaging/qgis_plugin.py [FOLDER]        writes FOLDER/jamline_qgis-VERSION.zip, by default into dist
"""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = ROOT / "src" / "jamline_qgis"

_WHEN = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold; the clock would make every zip another."""

_PLAIN_FILE = 0o100644 << 16


def build(folder: Path) -> Path:
    """Write the zip and return its path."""
    version = re.search(
        r'__version__ = "(.+)"', (ROOT / "src" / "jamline" / "_version.py").read_text(encoding="utf-8")
    )[1]
    files = {
        path.relative_to(PLUGIN.parent).as_posix(): path.read_bytes()
        for path in PLUGIN.rglob("*")
        if path.suffix in {".py", ".svg", ".txt"}
    }
    files["jamline_qgis/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    files["jamline_qgis/metadata.txt"] = files["jamline_qgis/metadata.txt"].replace(
        b"\nversion=0\n", f"\nversion={version}\n".encode()
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"jamline_qgis-{version}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=_WHEN)
            entry.external_attr, entry.compress_type = _PLAIN_FILE, zipfile.ZIP_DEFLATED
            entry.create_system = 3
            archive.writestr(entry, files[name])
    return path


if __name__ == "__main__":
    print(build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"))
