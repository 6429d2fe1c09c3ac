"""What the magics do once their line is parsed: they call the verbs, bind names, and show how it goes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from aios3_nb import api
from aios3_nb.address import name_from_key
from aios3_nb.cache import cached
from aios3_nb.errors import OptionError, UriError
from aios3_nb.notebook.cell import Body
from aios3_nb.notebook.shown import ShownLoads
from aios3_nb.notebook.target import Target
from aios3_nb.options import Browsing, Iterating, Loading, Looking, Storing, names_in
from aios3_nb.pipeline import Order, look_into, make_order, make_store_order, open_file, place, set_place
from aios3_nb.streams import Monitor
from aios3_nb.text import visible

Args = argparse.Namespace


class Verbs:
    """Does in `shell` what a line asks for.

    Each method takes the options and targets of its magic, as `aios3_nb.notebook.options.parse` returns them.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._shown = ShownLoads(shell)

    def load(self, args: Args) -> Any:
        """Return what is loaded, and has no name in the line."""
        wanted = [_order(target, args) for target in args.targets]
        _check_names(args.targets)
        _check_errors(wanted, args)
        if args.background and not args.dask:
            if args.iter:
                raise OptionError("--background loads a whole object; --iter streams it. Choose one.")
            return self._shown.in_background(wanted, _names(args.targets, wanted))
        names = [t.name or visible(str(order.uri)) for t, order in zip(args.targets, wanted, strict=True)]
        return self._give(args.targets, self._values(wanted, names, args))

    def begin(self, args: Args) -> Body:
        """Bind what is loaded to names, made of the keys where the line has none; return what a cell has open then."""
        if args.background:
            raise OptionError("--background returns at once; it has no place before the body of a cell.")
        wanted = [_order(target, args) for target in args.targets]
        _check_errors(wanted, args)
        names = _names(args.targets, wanted)
        values = self._values(wanted, names, args)
        self._shell.push(dict(zip(names, values, strict=True)))
        return Body(values)

    def open(self, args: Args) -> Any:
        """Return the file, unless it has a name."""
        return self._give([args.target], [open_file(_order(args.target, args), Monitor(), whole=False)])

    def ls(self, args: Args) -> Any:
        """Return the listing."""
        found = api.ls(_text(args.target), **_chosen(args, Looking))
        found.in_line = True
        return found

    def peek(self, args: Args) -> Any:
        """Return what is in the object."""
        return replace(look_into(_order(args.target, args)), in_line=True)

    def browse(self, args: Args) -> Any:
        """Return the panel."""
        from aios3_nb.browser import browse  # with ipywidgets, which takes a while

        return browse(_text(args.target), **_chosen(args, Browsing))

    def cd(self, args: Args) -> None:
        """Go there, and say where this is."""
        if args.clear:
            set_place(None)
        elif args.target is not None:
            api.cd(args.target.text)
        here = place()
        print(visible(str(here)) if here is not None else "s3:// (above the buckets; write keys as s3://bucket/key)")

    def save(self, args: Args, variables: Mapping[str, Any]) -> None:
        """Store one of `variables`."""
        name, uri = (target.text for target in args.words)
        if name not in variables:
            raise OptionError(f"There is no variable {visible(name)!r}. Write %s3save NAME URI.")
        self._shown.save(variables[name], make_store_order(uri, _chosen(args, Storing)))

    def cache(self, args: Args) -> Any:
        """Return what is in the local cache, or what was found or removed there."""
        if args.clear and args.check:
            raise OptionError("--clear removes them all, --check what is damaged. Choose one.")
        found = cached(_text(args.target) or "")
        return found.clear() if args.clear else found.check() if args.check else found

    def demo(self) -> None:
        """Start the embedded server with its samples, and point the session there."""
        from aios3_nb.server import DEMO_BUCKET, put_samples, shared_server, use_server

        server = shared_server()
        use_server(server)
        with closing(server.client()) as client:
            put_samples(client)
        api.cd(f"s3://{DEMO_BUCKET}/")
        print(f"The embedded S3 server runs at {server.endpoint.url}. You are in s3://{DEMO_BUCKET}/")
        print("Try: %s3ls    model = %s3load models/model.pkl    %s3load --iter --limit 3 many.pkl")

    def _values(self, wanted: Sequence[Order], names: Sequence[str], args: Args) -> list[Any]:
        if args.dask:
            return [_collection(target, args) for target in args.targets]
        return [self._shown.items(order) for order in wanted] if args.iter else self._shown.load(wanted, names)

    def _give(self, targets: Sequence[Target], values: Sequence[Any]) -> Any:
        """Bind what has names, return what has none."""
        if targets[0].name is not None:
            self._shell.push({target.name: value for target, value in zip(targets, values, strict=True)})
            return None
        return values[0] if len(values) == 1 else tuple(values)


def _order(target: Target, args: Args) -> Order:
    try:
        return make_order(target.text, _chosen(args, Loading))
    except UriError as exc:
        if target.otherwise is not None:
            exc.args = (f"{exc.said} If it was meant the other way, write {target.otherwise}.",)
        raise


def _collection(target: Target, args: Args) -> Any:
    if args.iter or args.background or args.limit is not None or _shapes(args):
        raise OptionError(
            "--dask loads nothing yet; --iter, --limit, --background, --concat, --columns, --rows and --as have no "
            "place beside it."
        )
    from aios3_nb.dask import collection

    return collection(target.text, **_chosen(args, Iterating))


def _shapes(args: Args) -> str:
    """Return an option of the line that says what a table is to be like; empty when there is none."""
    given = {"--concat": args.concat, "--columns": args.columns, "--rows": args.rows is not None, "--as": args.as_}
    return next((name for name, value in given.items() if value), "")


def _names(targets: Sequence[Target], wanted: Sequence[Order]) -> list[str]:
    return [t.name or name_from_key(order.uri.key) for t, order in zip(targets, wanted, strict=True)]


def _check_names(targets: Sequence[Target]) -> None:
    named = [target for target in targets if target.name is not None]
    if named and len(named) < len(targets):
        raise OptionError("Either every object has a NAME=, or none has.")


def _check_errors(wanted: Sequence[Order], args: Args) -> None:
    if args.iter and (given := _shapes(args)):
        raise OptionError(f"{given} is for tables that are loaded whole; --iter streams items. Choose one.")
    of_one = len(wanted) == 1 or args.iter or args.dask
    if args.errors == "skip" and of_one and not any(order.pattern for order in wanted):
        raise OptionError("--errors skip is for several objects; this is one, and without it there is nothing.")


def _chosen(args: Args, group: type) -> Any:
    """Return those options of `group` that the line has given."""
    given = vars(args)
    return {name: given[name] for name in names_in(group) if given.get(name) is not None}


def _text(target: Target | None) -> str | None:
    return target.text if target is not None else None
