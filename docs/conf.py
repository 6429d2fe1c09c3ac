"""Sphinx: the reference, made of docstrings and of what ``%s3load?`` shows. ``make docs`` builds it."""

from docutils import nodes
from docutils.parsers.rst import Directive
from IPython.core.interactiveshell import InteractiveShell
from sphinx.application import Sphinx

import aios3_nb

project = "aios3_nb"
author = "The aios3_nb authors"
version = release = aios3_nb.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"aios3_nb {version}"
html_show_copyright = False
default_role = "py:obj"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_default_options = {"members": True, "member-order": "bysource"}

shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "aios3_nb")


class Magic(Directive):
    """``.. magic:: s3load`` shows what ``%s3load?`` shows."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a section with the help."""
        name = self.arguments[0]
        text = shell.find_magic(name).__doc__.removeprefix("::\n\n")
        section = nodes.section(ids=[name])
        section += nodes.title(text=f"%{name}")
        section += nodes.literal_block(text, text, language="none")
        return [section]


def setup(app: Sphinx) -> None:
    """Add the directive."""
    app.add_directive("magic", Magic)
