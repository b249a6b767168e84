"""How the pages are built: `make docs`."""

from importlib.metadata import version as version_of

project = "jamline"
author = "The jamline developers"
copyright = author
release = version = version_of("jamline")

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = False
autodoc_typehints = "none"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "jamline"
html_theme_options = {"navigation_with_keys": False, "show_prev_next": False}
html_show_sourcelink = False
