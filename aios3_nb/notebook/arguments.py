"""The options that several magics share, with what ``%s3load?`` says of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.magic_arguments import argument

Decorated = Callable[..., Any]


def connection(function: Decorated) -> Decorated:
    """Add the options that say how to reach S3, spelled as the AWS CLI spells them."""
    for add in (
        argument("--request-payer", choices=["requester"], help="pay for requests to a Requester Pays bucket"),
        argument("--no-sign-request", action="store_true", default=None, help="send no credentials: public buckets"),
        argument("--endpoint-url", metavar="URL", help="an S3 endpoint other than AWS"),
        argument("--region", metavar="NAME", help="region of the bucket"),
        argument("--profile", metavar="NAME", help="profile of the AWS configuration files"),
    ):
        function = add(function)
    return function


path = argument("--path", metavar="P", help="only this part: of JSON users.item.name or /users/*/name, of npz an array")
cache = argument("--cache", metavar="SIZE", help="keep whole objects on disk, and read them there: 20G, off, offline")


def loading(function: Decorated) -> Decorated:
    """Add the options that say what to load, and how."""
    for add in (
        argument("--quiet", action="store_true", default=None, help="no progress, no closing line"),
        argument("--max-bytes", metavar="N", help="refuse what is larger, also after decompression: 500M"),
        cache,
        argument("--verify", choices=["auto", "require", "off"], help="check the stored checksum (auto)"),
        argument("--allow", metavar="NAMES", help="dotted names, with commas, that this pickle may use too"),
        argument("--trust", action="store_true", help="load a pickle that may run anything; only from who you trust"),
        argument("--encoding", metavar="NAME", help="of text: cp1252, ...; of a pickle of Python 2: latin1, bytes"),
        path,
        argument(
            "--limit",
            metavar="N",
            type=int,
            help="this many items, rows, or objects of a glob; the rest is not fetched",
        ),
        argument(
            "--as",
            dest="as_",
            choices=["pandas", "polars", "arrow", "numpy", "pil"],
            help="what a table comes out as; pil for a picture",
        ),
        argument("--rows", metavar="N", type=int, help="the first rows of a table; the rest is not fetched"),
        argument(
            "--columns", metavar="NAMES", help="these columns of a table, with commas; of Parquet only their bytes"
        ),
        argument("--key-column", metavar="NAME", help="with --concat: a first column that has each row's key"),
        argument("--concat", action="store_true", help="one table of those of a glob"),
        argument("--errors", choices=["raise", "skip"], help="of several objects: what becomes of those that fail"),
        argument("--background", action="store_true", help="return at once with a handle; the name is bound when done"),
        argument("--dask", action="store_true", help="a collection of Dask: a frame of tables, a bag of all else"),
        argument("--iter", action="store_true", help="a lazy stream of items instead of the whole"),
        argument("--format", metavar="NAME", help="pickle, json, jsonl, text, bytes, ...; else by suffix and content"),
        argument("--version-id", metavar="ID", help="this version instead of the latest"),
    ):
        function = add(function)
    return function
