"""The magics: they parse a line, call the verbs, bind and show. What they do, a Python call does as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from IPython.core.magic import (
    cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
    output_can_be_silenced,
)
from IPython.core.magic_arguments import argument, magic_arguments

from aios3_nb import api
from aios3_nb.address import name_from_key
from aios3_nb.errors import OptionError, UriError
from aios3_nb.notebook.arguments import connection, loading
from aios3_nb.notebook.cell import Body
from aios3_nb.notebook.configurable import Configurable
from aios3_nb.notebook.options import parse
from aios3_nb.notebook.shown import ShownLoads
from aios3_nb.notebook.target import Target
from aios3_nb.options import Iterating, Loading, Looking, Storing, names_in
from aios3_nb.pipeline import Order, make_order, make_store_order, open_file, place, set_place
from aios3_nb.settings import Overrides
from aios3_nb.streams import Monitor
from aios3_nb.text import visible


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
            args = self._parse(self.s3load, line, local_ns)
            wanted = [self._order(target, args) for target in args.targets]
            _check_names(args.targets)
            _check_errors(wanted, args)
            if args.dask:
                return self._give(args.targets, [self._collection(target, args) for target in args.targets])
            if args.background:
                if args.iter:
                    raise OptionError("--background loads a whole object; --iter streams it. Choose one.")
                return ShownLoads(self.shell).in_background(wanted, _names(args.targets, wanted))
            names = [t.name or visible(str(order.uri)) for t, order in zip(args.targets, wanted, strict=True)]
            values = self._values(wanted, names, lazily=args.iter)
            return self._give(args.targets, values)

    @no_var_expand
    @needs_local_scope
    @cell_magic("s3load")
    def s3load_cell(self, line: str, cell: str, local_ns: Mapping[str, Any] | None = None) -> None:
        """Load, run the cell with the names bound, and close what is still open at its end.

        In a notebook ``%%s3load`` never comes here: its first line is rewritten (see `cell.py`). This is for
        callers of `run_cell_magic`; a top-level await is not possible here.
        """
        with self._short_errors():
            body = self._begin(line, local_ns)
        with body:
            self.shell.ex(self.shell.transform_cell(cell))

    def begin(self, line: str) -> None:
        """Do what the first line of a ``%%s3load`` cell asks for; what it opens is closed when the cell is done."""
        with self._short_errors():
            self._begin(line, None).close_after_cell(self.shell)

    @_line
    @connection
    @argument("--version-id", metavar="ID", help="this version instead of the latest")
    @argument("target", metavar="[NAME=]URI", help="s3://bucket/key, an ARN, https://..., or a key")
    def s3open(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Return the object as a file: lazy, seekable, for any library that takes a binary file.

        Example:
            with_index = pd.read_parquet(%s3open ...)   # or: f = %s3open s3://bucket/table.parquet
        """
        with self._short_errors():
            args = self._parse(self.s3open, line, local_ns)
            order = self._order(args.target, args)
            return self._give([args.target], [open_file(order, Monitor(), whole=False)])

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
            args = self._parse(self.s3ls, line, local_ns, names=False)
            uri = args.target.text if args.target is not None else None
            return api.ls(uri, **_chosen(args, Looking))

    @output_can_be_silenced
    @_line
    @connection
    @argument("--format", metavar="NAME", help="pickle, json, ...; else by suffix and content")
    @argument("--version-id", metavar="ID", help="this version instead of the latest")
    @argument("target", metavar="URI", help="s3://bucket/key, an ARN, https://..., or a key")
    def s3peek(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Show what is in an object without loading it: nothing is executed, and little is fetched.

        For a pickle: what it would import, whether it loads safely, and its outermost type. For JSON: its outline.
        """
        with self._short_errors():
            args = self._parse(self.s3peek, line, local_ns, names=False)
            order = self._order(args.target, args)
            from aios3_nb.pipeline import look_into

            return look_into(order)

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
            args = self._parse(self.s3browse, line, local_ns, names=False)
            # Imported late, for ipywidgets takes a while.
            from aios3_nb.browser import browse

            uri = args.target.text if args.target is not None else None
            return browse(uri, **_chosen(args, Overrides))

    @_line
    @argument("--clear", action="store_true", help="forget the place")
    @argument("target", nargs="?", metavar="FOLDER", help="a bucket or a folder; / its top, .. one up, s3:// above")
    def s3cd(self, line: str, local_ns: Mapping[str, Any] | None = None) -> None:
        """Set where relative keys start, so that %s3load model.pkl works; without a folder, say where that is."""
        with self._short_errors():
            args = self._parse(self.s3cd, line, local_ns, names=False)
            if args.clear:
                set_place(None)
            elif args.target is not None:
                api.cd(args.target.text)
            here = place()
            print(
                visible(str(here)) if here is not None else "s3:// (above the buckets; write keys as s3://bucket/key)"
            )

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
            name, uri = (target.text for target in args.words)
            variables = self._variables(local_ns)
            if name not in variables:
                raise OptionError(f"There is no variable {visible(name)!r}. Write %s3save NAME URI.")
            order = make_store_order(uri, _chosen(args, Storing))
            ShownLoads(self.shell).save(variables[name], order)

    @_line
    def s3demo(self, line: str, local_ns: Mapping[str, Any] | None = None) -> None:
        """Start the embedded S3 server with sample objects, and point this session at it."""
        with self._short_errors():
            self._parse(self.s3demo, line, local_ns, names=False)
            from aios3_nb.server import DEMO_BUCKET, put_samples, shared_server, use_server

            server = shared_server()
            use_server(server)
            with closing(server.client()) as client:
                put_samples(client)
            api.cd(f"s3://{DEMO_BUCKET}/")
            print(f"The embedded S3 server runs at {server.endpoint.url}. You are in s3://{DEMO_BUCKET}/")
            print("Try: %s3ls    model = %s3load models/model.pkl    %s3load --iter --limit 3 many.pkl")

    # ---- what they share

    def _parse(self, magic: Any, line: str, local_ns: Mapping[str, Any] | None, *, names: bool = True) -> Any:
        return parse(magic.parser, line, self._variables(local_ns), names=names)

    def _variables(self, local_ns: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return {**self.shell.user_ns, **(local_ns or {})}

    def _order(self, target: Target, args: Any) -> Order:
        try:
            return make_order(target.text, _chosen(args, Loading))
        except UriError as exc:
            if target.otherwise is not None:
                exc.args = (f"{exc} If it was meant the other way, write {target.otherwise}.",)
            raise

    def _collection(self, target: Target, args: Any) -> Any:
        if args.iter or args.background or args.errors or args.limit is not None:
            raise OptionError(
                "--dask loads nothing yet; --iter, --limit, --errors and --background have no place beside it."
            )
        from aios3_nb.dask import collection

        return collection(target.text, **_chosen(args, Iterating))

    def _begin(self, line: str, local_ns: Mapping[str, Any] | None) -> Body:
        args = self._parse(self.s3load, line, local_ns)
        if args.background:
            raise OptionError("--background returns at once; it has no place before the body of a cell.")
        wanted = [self._order(target, args) for target in args.targets]
        _check_errors(wanted, args)
        names = _names(args.targets, wanted)
        values = self._values(wanted, names, lazily=args.iter)
        self.shell.push(dict(zip(names, values, strict=True)))
        return Body(values)

    def _values(self, wanted: list[Order], names: list[str], *, lazily: bool) -> list[Any]:
        shown = ShownLoads(self.shell)
        return [shown.items(order) for order in wanted] if lazily else shown.load(wanted, names)

    def _give(self, targets: list[Target], values: list[Any]) -> Any:
        """Bind what has names, return what has none."""
        if targets[0].name is not None:
            self.shell.push({target.name: value for target, value in zip(targets, values, strict=True)})
            return None
        return values[0] if len(values) == 1 else tuple(values)


def _names(targets: list[Target], wanted: list[Order]) -> list[str]:
    return [t.name or name_from_key(order.uri.key) for t, order in zip(targets, wanted, strict=True)]


def _check_names(targets: list[Target]) -> None:
    named = [target for target in targets if target.name is not None]
    if named and len(named) < len(targets):
        raise OptionError("Either every object has a NAME=, or none has.")


def _check_errors(wanted: list[Order], args: Any) -> None:
    if args.errors and args.iter:
        raise OptionError("--errors is for objects that are loaded whole; --iter streams them. Choose one.")
    if args.errors == "skip" and len(wanted) == 1 and not wanted[0].pattern:
        raise OptionError("--errors skip is for several objects; this is one, and without it there is nothing.")


def _chosen(args: Any, group: type) -> Any:
    """Return those options of `group` that the line has given."""
    given = vars(args)
    return {name: given[name] for name in names_in(group) if given.get(name) is not None}
