"""``python -m jamline``."""

from jamline.cli import run

run()
