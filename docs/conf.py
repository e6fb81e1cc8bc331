"""How Sphinx builds these pages: `make docs`."""

project = "Steadfast"
author = "The authors of Steadfast"
extensions = ["myst_parser"]
exclude_patterns = ["requirements.txt"]

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "Steadfast"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
