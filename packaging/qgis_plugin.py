"""The QGIS plugin as a zip that QGIS installs; equal sources give equal bytes.

python packaging/qgis_plugin.py [FOLDER]        writes FOLDER/jamline_qgis-VERSION.zip, by default into dist

Version, addresses and e-mail come from the package: its version, and `authors` and `urls` of pyproject.toml. What
QGIS's plugin repository demands and the project does not have is told on stderr; QGIS itself installs the zip as it is.
"""

from __future__ import annotations

import configparser
import re
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = ROOT / "src" / "jamline_qgis"

_WHEN = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold; the clock would make every zip another."""

_PLAIN_FILE = 0o100644 << 16


_DEMANDED = (
    "name",
    "description",
    "about",
    "version",
    "qgisMinimumVersion",
    "author",
    "email",
    "tracker",
    "repository",
)
"""Keys of `metadata.txt` without which QGIS's plugin repository takes no plugin."""

_ADDRESSES = {
    "homepage": ("homepage",),
    "tracker": ("issues", "tracker", "bugtracker"),
    "repository": ("repository", "source", "sourcecode"),
}
"""By key, the labels of `urls`, in small letters without signs, that mean it."""


def filled(metadata: str, project: Mapping[str, Any], version: str) -> str:
    """Return `metadata.txt` with what the project knows in the keys that it leaves empty.

    Parameters
    ----------
    metadata : str
        As the source has it.
    project : mapping
        The table `project` of pyproject.toml.
    version : str
        Of the package.
    """
    urls = {re.sub(r"[^a-z]", "", label.lower()): url for label, url in project.get("urls", {}).items()}
    known = {key: next((urls[label] for label in labels if label in urls), "") for key, labels in _ADDRESSES.items()}
    known["email"] = next((author["email"] for author in project.get("authors", []) if "email" in author), "")
    for key, value in known.items():
        metadata = metadata.replace(f"\n{key}=\n", f"\n{key}={value}\n")
    return metadata.replace("\nversion=0\n", f"\nversion={version}\n")


def missing(metadata: str) -> list[str]:
    """Return what QGIS's plugin repository demands and `metadata.txt` does not hold."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(metadata)
    return [key for key in _DEMANDED if not parser["general"].get(key)]


def build(folder: Path) -> tuple[Path, list[str]]:
    """Write the zip; return its path, and what the plugin repository would miss."""
    code = (ROOT / "src" / "jamline" / "_version.py").read_text(encoding="utf-8")
    version = re.search(r'__version__ = "(.+)"', code)[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    files = {
        path.relative_to(PLUGIN.parent).as_posix(): path.read_bytes()
        for path in PLUGIN.rglob("*")
        if path.suffix in {".py", ".svg", ".txt"}
    }
    files["jamline_qgis/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    metadata = filled(files["jamline_qgis/metadata.txt"].decode(), project, version)
    files["jamline_qgis/metadata.txt"] = metadata.encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"jamline_qgis-{version}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=_WHEN)
            entry.external_attr, entry.compress_type = _PLAIN_FILE, zipfile.ZIP_DEFLATED
            entry.create_system = 3
            archive.writestr(entry, files[name])
    return path, missing(metadata)


def main() -> None:
    """Build it."""
    path, absent = build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist")
    print(path)
    if absent:
        told = f"its plugin repository also demands {', '.join(absent)}, which pyproject.toml does not tell."
        print(f"QGIS installs it; {told}", file=sys.stderr)


if __name__ == "__main__":
    main()
