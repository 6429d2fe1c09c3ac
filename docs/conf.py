"""Sphinx: the site. ``make docs`` builds it from these pages, the docstrings, the notebooks and the project's files."""

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from IPython.core.interactiveshell import InteractiveShell
from IPython.lib.lexers import IPython3Lexer
from sphinx.application import Sphinx
from sphinx.highlighting import lexers

import aios3_nb

HERE = Path(__file__).parent

project = "aios3_nb"
author = "The aios3_nb authors"
version = release = aios3_nb.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"aios3_nb {version}"
html_show_copyright = False
default_role = "py:obj"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_default_options = {"members": True, "member-order": "bysource"}
nb_execution_mode = "off"  # what they show was saved when they were run; the tests compare it
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]  # widgets, whose text stands beside them

lexers["python"] = IPython3Lexer()  # Python with magics

MOVED = {
    "../../notebooks/": "../notebooks/",
    "(../CHANGELOG.md)": "(changelog.md)",
    "(../aios3_nb/": "(../../aios3_nb/",
    "(../docs/": "(../",
}
"""Links that are true in the repository -> the same on the site."""

shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "aios3_nb")


class Magic(Directive):
    """``{magic} s3load`` shows what ``%s3load?`` shows."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the help."""
        text = shell.find_magic(self.arguments[0]).__doc__.removeprefix("::\n\n")
        return [nodes.literal_block(text, text, language="none")]


def copy_notebooks() -> None:
    """Put the notebooks beside the pages, where Sphinx takes them for pages; only what has changed is written."""
    folder = HERE / "notebooks"
    folder.mkdir(exist_ok=True)
    for path in (HERE.parent / "notebooks").glob("*.ipynb"):
        text = path.read_text(encoding="utf-8").replace("../docs/images/", "../images/")
        copy = folder / path.name
        if not copy.exists() or copy.read_text(encoding="utf-8") != text:
            copy.write_text(text, encoding="utf-8")


def move_links(text: str) -> str:
    """Return a page of the repository as it is to be read on the site."""
    for before, after in MOVED.items():
        text = text.replace(before, after)
    return text


def _page_is_read(app: Sphinx, name: str, content: list[str]) -> None:
    content[0] = move_links(content[0])


def _file_is_included(app: Sphinx, relative: Path, parent: str, content: list[str]) -> None:
    content[0] = move_links(content[0])


def setup(app: Sphinx) -> None:
    """Add the directive, and mend the links of what is read."""
    copy_notebooks()
    app.add_directive("magic", Magic)
    app.connect("source-read", _page_is_read)
    app.connect("include-read", _file_is_included)
