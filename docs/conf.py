"""Configuration of the documentation site: `sphinx-build -W -n docs OUT`.

Notebooks are shown with the outputs they are committed with; nothing is executed and nothing is fetched.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pages
from sphinx.application import Sphinx

import bayes_lmmlasso as bl

project = "bayes-lmmlasso"
author = "The bayes-lmmlasso developers"
copyright = author  # noqa: A001 - the name that Sphinx reads
release = version = bl.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "benchmarks/*.py", "notebooks/studies"]
default_role = "code"
nitpicky = True
nitpick_ignore_regex = [
    ("py:class", r"(?!bayes_lmmlasso\.).*"),  # types of other packages are named, not linked: the site builds offline
    ("py:class", r"bayes_lmmlasso\.(remarks\.Remark|studies\.study\.MethodCall|run\.settings\.\w+Settings)"),
]

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "off"
nb_merge_streams = True

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_attr_annotations = False

html_theme = "pydata_sphinx_theme"
html_title = f"bayes-lmmlasso {release}"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def setup(app: Sphinx) -> None:
    """Write the generated pages before sources are read, and lead links between files to pages."""
    app.connect("builder-inited", lambda app: pages.write(Path(app.srcdir) / "generated"))
    app.connect(
        "source-read", lambda app, name, text: text.__setitem__(0, pages.titled(pages.site_links(text[0], name), name))
    )
    app.connect("autodoc-process-docstring", pages.prepare_docstring, priority=400)  # before napoleon
