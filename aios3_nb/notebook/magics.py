"""The magics: what each takes and what its help says. What they do, a Python call does as well."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.magic import (
    cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from IPython.core.magic_arguments import argument, magic_arguments
from IPython.display import display

from aios3_nb.notebook.arguments import cache, connection, loading, path
from aios3_nb.notebook.configurable import Configurable

try:
    from IPython.core.magic import output_can_be_silenced
except ImportError:  # IPython 7, as on Colab

    def output_can_be_silenced(magic_func: Callable[..., Any]) -> Callable[..., Any]:
        """Do what IPython does from 8.9 on: return nothing where a semicolon ends the line."""

        @functools.wraps(magic_func)
        def silenced(self: S3Magics, line: str, **given: Any) -> Any:
            value = magic_func(self, line, **given)
            return None if line.rstrip().endswith(";") else value

        return silenced


if TYPE_CHECKING:
    from aios3_nb.notebook.verbs import Verbs


def _line(function: Callable[..., Any]) -> Any:
    """Make `function`, with the options below, the magic of a line; variables in it are found by `parse`."""
    return no_var_expand(needs_local_scope(line_magic(magic_arguments()(function))))


@magics_class
class S3Magics(Configurable):
    """Load objects of S3 into the notebook; the settings below hold for all magics and calls of the session."""

    # ---- loading

    @output_can_be_silenced
    @_line
    @loading
    @connection
    @argument("targets", nargs="+", metavar="[NAME=]URI", help="s3://bucket/key, an ARN, https://..., or a key")
    def s3load(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Load an object from S3, streamed, and return it; or several at once, each bound to its name.

        Examples:
            model = %s3load s3://bucket/models/model.pkl
            %s3load a=s3://bucket/a.pkl b=s3://bucket/b.json
            first = %s3load s3://bucket/events.jsonl --iter --limit 10
        """
        with self._short_errors():
            return self._verbs.load(self._parse(self.s3load, line, local_ns))

    @no_var_expand
    @needs_local_scope
    @cell_magic("s3load")
    def s3load_cell(self, line: str, cell: str, local_ns: Mapping[str, Any] | None = None) -> None:
        """Load, run the cell with the names bound, and close what is still open at its end.

        In a notebook ``%%s3load`` never comes here: its first line is rewritten (see `cell.py`). This is for
        callers of `run_cell_magic`; a top-level await is not possible here.
        """
        with self._short_errors():
            body = self._verbs.begin(self._parse(self.s3load, line, local_ns))
        with body:
            self.shell.ex(self.shell.transform_cell(cell))

    def begin(self, line: str) -> None:
        """Do what the first line of a ``%%s3load`` cell asks for; what it opens is closed when the cell is done."""
        with self._short_errors():
            self._verbs.begin(self._parse(self.s3load, line, None)).close_after_cell(self.shell)

    @staticmethod
    def show(value: Any) -> None:
        """Show what a look in the middle of a cell has returned."""
        if value is not None:  # it is when a semicolon ends the line
            display(value)

    @_line
    @connection
    @cache
    @argument("--version-id", metavar="ID", help="this version instead of the latest")
    @argument("target", metavar="[NAME=]URI", help="s3://bucket/key, an ARN, https://..., or a key")
    def s3open(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Return the object as a file: lazy, seekable, for any library that takes a binary file.

        Example:
            with_index = pd.read_parquet(%s3open ...)   # or: f = %s3open s3://bucket/table.parquet
        """
        with self._short_errors():
            return self._verbs.open(self._parse(self.s3open, line, local_ns))

    # ---- looking around

    @output_can_be_silenced
    @_line
    @connection
    @argument("--limit", metavar="N", type=int, default=1000, help="entries at most (1000)")
    @argument("--recursive", action="store_true", help="all keys below, not only those of this folder")
    @argument(
        "target", nargs="?", metavar="URI", help="a bucket, a folder, or a glob; s3:// for the buckets; else the place"
    )
    def s3ls(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """List the buckets, a folder, or what matches a glob."""
        with self._short_errors():
            return self._verbs.ls(self._parse(self.s3ls, line, local_ns, names=False))

    @output_can_be_silenced
    @_line
    @connection
    @path
    @argument("--format", metavar="NAME", help="pickle, json, ...; else by suffix and content")
    @argument("--version-id", metavar="ID", help="this version instead of the latest")
    @argument("target", metavar="URI", help="s3://bucket/key, an ARN, https://..., or a key")
    def s3peek(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Show what is in an object without loading it: nothing is executed, and little is fetched.

        For a pickle: what it would import, whether each of these names may load, and its outermost type. For JSON: its
        outline.
        """
        with self._short_errors():
            return self._verbs.peek(self._parse(self.s3peek, line, local_ns, names=False))

    @output_can_be_silenced
    @_line
    @connection
    @argument("target", nargs="?", metavar="URI", help="a bucket or a folder; s3:// for the buckets; else the place")
    def s3browse(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Show the bucket browser: look around, look inside, load into a variable.

        Example:
            browser = %s3browse s3://bucket/models/    # browser.selected follows the choice
        """
        with self._short_errors():
            return self._verbs.browse(self._parse(self.s3browse, line, local_ns, names=False))

    @_line
    @argument("--clear", action="store_true", help="forget the place")
    @argument("target", nargs="?", metavar="FOLDER", help="a bucket or a folder; / its top, .. one up, s3:// above")
    def s3cd(self, line: str, local_ns: Mapping[str, Any] | None = None) -> None:
        """Set where relative keys start, so that %s3load model.pkl works; without a folder, say where that is."""
        with self._short_errors():
            self._verbs.cd(self._parse(self.s3cd, line, local_ns, names=False))

    @_line
    @connection
    @argument("--quiet", action="store_true", default=None, help="no progress, no closing line")
    @argument("--format", metavar="NAME", help="pickle, json, jsonl, csv, parquet, npy, ...; else by the suffix")
    @argument("words", nargs=2, metavar="NAME URI", help="a variable, and where to store it")
    def s3save(self, line: str, local_ns: Mapping[str, Any] | None = None) -> None:
        """Store a variable by the suffix of the key, compressed as it says: all of it, or nothing when anything fails.

        Examples:
            %s3save model s3://bucket/models/model.pkl
            %s3save table s3://bucket/table.parquet
            %s3save rows rows.jsonl.gz
        """
        with self._short_errors():
            args = self._parse(self.s3save, line, local_ns, names=False)
            self._verbs.save(args, self._variables(local_ns))

    @output_can_be_silenced
    @_line
    @argument("--clear", action="store_true", help="remove them")
    @argument("--check", action="store_true", help="read them, and remove what is damaged")
    @argument("target", nargs="?", metavar="PREFIX", help="only what begins so: s3://bucket/models/")
    def s3cache(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Show what is in the local cache of objects, check it, or clear it.

        Objects are kept there by --cache, or %config S3Magics.cache = "20G".
        """
        with self._short_errors():
            return self._verbs.cache(self._parse(self.s3cache, line, local_ns, names=False))

    @_line
    def s3demo(self, line: str, local_ns: Mapping[str, Any] | None = None) -> None:
        """Start the embedded S3 server with sample objects, and point this session at it."""
        with self._short_errors():
            self._parse(self.s3demo, line, local_ns, names=False)
            self._verbs.demo()

    # ---- what they share

    # Imported by the first line, with all that loads: it takes as long as IPython itself, and %load_ext need not wait.

    @property
    def _verbs(self) -> Verbs:
        from aios3_nb.notebook.verbs import Verbs

        return Verbs(self.shell)

    def _parse(self, magic: Any, line: str, local_ns: Mapping[str, Any] | None, *, names: bool = True) -> Any:
        from aios3_nb.notebook.options import parse

        return parse(magic.parser, line, self._variables(local_ns), names=names)

    def _variables(self, local_ns: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return {**self.shell.user_ns, **(local_ns or {})}
