"""What a format is: names to know it by, and how a file becomes an object or items."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from typing import BinaryIO

from aios3_nb.errors import FormatError, MissingPackageError, OptionError, S3Error
from aios3_nb.formats.collector import collector_paused
from aios3_nb.formats.imports import importing
from aios3_nb.text import visible

Beside = Callable[[str, BinaryIO], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """What the user said about one load; a format takes from it what concerns it.

    Attributes:
        path: Which part of a JSON document is wanted, such as ``users.item.name``.
        allow: Dotted names that a pickle may use besides those that are safe.
        trust: Whether to run whatever a pickle asks for.
        limit: Items or rows to load, the first ones; None loads all. Who iterates stops by himself.
        max_bytes: Most bytes that a compressed archive may expand to.
        encoding: How text is written, as Python names codecs; for a pickle, how its 8-bit strings of Python 2
            are, or ``bytes`` to leave them as they are. None means the format's own way.
        columns: Names of the columns of a table that are wanted, in this order; none means all.
        rows: Rows of a table that are wanted, the first ones; None means all.
        as_: What a table comes out as, where None means pandas; or ``pil`` for a picture.
        is_table: Whether a table is wanted even where nothing else says so.
        counted: Told how many items there are so far, where only the first are wanted.
        beside: Copies the file of a name, that lies beside the one that is loaded, to another file; None if it cannot.
    """

    path: str | None = None
    allow: tuple[str, ...] = ()
    trust: bool = False
    limit: int | None = None
    max_bytes: int | None = None
    encoding: str | None = None
    columns: tuple[str, ...] = ()
    rows: int | None = None
    as_: str | None = None
    is_table: bool = False
    counted: Callable[[int], None] | None = None
    beside: Beside | None = None

    @property
    def wants_table(self) -> bool:
        """Whether what there is of rows is to become a table."""
        return self.is_table or bool(self.columns) or self.rows is not None or self.as_ is not None

    @property
    def most_rows(self) -> int | None:
        """Rows of a table, at most."""
        return self.limit if self.rows is None else self.rows


def _matches_nothing(head: bytes) -> bool:
    return False


Loader = Callable[[BinaryIO, LoadOptions], object]
Items = Callable[[BinaryIO, LoadOptions], Iterator[object]]
Dumper = Callable[[object, BinaryIO], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of file, after decompression.

    Attributes:
        name: What ``--format`` calls it.
        suffixes: Ends of keys in lower case, such as ``.json``, without those of compression.
        matches: Whether a file begins like this one, from its first `HEAD_SIZE` bytes.
        loader: Makes the object. The file stands at its beginning and has read, read1, readinto, peek and seek.
        items: Yields items while the rest of the file is still coming; None if there is no such thing.
        takes_limit: Whether the loader looks at ``--limit``; where it does not, the first items are loaded.
        takes_path: Whether ``--path`` means something.
        takes_encoding: Whether ``--encoding`` means something.
        takes_columns: Whether it makes tables, so that ``--columns``, ``--rows`` and ``--as`` mean something.
        is_picture: Whether it makes pictures, so that ``--as pil`` means something.
        has_columns_apart: Whether some columns are read without the others, by seeking.
        has_counted_items: Whether so many of the items mean something; pieces of bytes are of any length.
        dumper: Writes a value to a binary file; it raises what it likes for what it cannot hold. None where the format
            is only read.
        advice: Instead of a loader, for what is recognised only: how to load it.
        way_on: The line that opens the object with its own library; errors end with it.
        way_on_encoded: The same for one in another encoding, for errors that are about that.
    """

    name: str
    suffixes: tuple[str, ...] = ()
    matches: Callable[[bytes], bool] = _matches_nothing
    loader: Loader | None = None
    items: Items | None = None
    has_counted_items: bool = True
    dumper: Dumper | None = None
    takes_limit: bool = False
    takes_path: bool = False
    takes_encoding: bool = False
    takes_columns: bool = False
    is_picture: bool = False
    has_columns_apart: bool = False
    advice: str = ""
    way_on: str = ""
    way_on_encoded: str = ""

    def load(self, file: BinaryIO, options: LoadOptions) -> object:
        """Return the object in `file`.

        Raises:
            FormatError: The file is not of this format, or it is one that is not loaded here.
            TruncatedError: It ends too early.
            BlockedPickleError: It would run code.
            MissingPackageError: A package is needed.
            OptionError: A path was given and there are none.
        """
        self._check(options)
        if self.loader is None:
            raise FormatError(self.advice)
        with self._with_the_way_on():
            if options.limit is None or self.takes_limit or (options.wants_table and self.takes_columns):
                return self.loader(file, options)
            return self._first_items(file, options, options.limit)

    def _first_items(self, file: BinaryIO, options: LoadOptions, limit: int) -> list[object]:
        if self.items is None or not self.has_counted_items:
            raise OptionError(f"--limit is for items and rows; {self.name} has none. Load it without.")
        with collector_paused():
            found: list[object] = []
            for item in islice(self.items(file, options), limit):
                found.append(item)
                if options.counted is not None:
                    options.counted(len(found))
            return found

    def iterate(self, file: BinaryIO, options: LoadOptions) -> Iterator[object]:
        """Return an iterator of the items in `file`.

        Raises:
            OptionError: This format has no items; and what `load` raises, now or from the iterator.
        """
        self._check(options)
        if self.loader is None:
            raise FormatError(self.advice)
        if self.items is None:
            raise OptionError(f"{self.name} has no items to load one by one; load it without --iter.")
        return self._items_of(self.items, file, options)

    def _items_of(self, items: Items, file: BinaryIO, options: LoadOptions) -> Iterator[object]:
        with self._with_the_way_on():
            yield from items(file, options)

    @contextmanager
    def _with_the_way_on(self) -> Iterator[None]:
        try:
            yield
        except FormatError as exc:
            if self.way_on and _OPENS not in exc.said:
                about_text = "--encoding" in exc.said and self.way_on_encoded
                exc.args = (f"{exc.said} {_OWN_LIBRARY} {about_text or self.way_on}", *exc.args[1:])
            raise

    def _check(self, options: LoadOptions) -> None:
        self._check_as(options)
        if options.path is not None and not self.takes_path:
            raise OptionError(f"--path is for JSON documents and for npz and safetensors; this is {self.name}.")
        if options.encoding is not None and not self.takes_encoding:
            raise OptionError(f"--encoding is for text, and for pickles of Python 2; this is {self.name}.")

    def _check_as(self, options: LoadOptions) -> None:
        if options.as_ == "pil":
            if not self.is_picture:
                raise OptionError(f"--as pil is for pictures; {self.name} makes none. Leave it out.")
        elif (options.columns or options.rows is not None or options.as_ is not None) and not self.takes_columns:
            so = "; a picture is --as pil" if self.is_picture else ""
            raise OptionError(f"--columns, --rows and --as are for tables; {self.name} makes none. Leave them out{so}.")


_OWN_LIBRARY = "With its own library:"
_OPENS = "aios3_nb.open("
"""In errors that say themselves how to open it."""


HEAD_SIZE = 4096
"""First bytes of a plain file that formats are recognised by; the mark of a joblib dump may be as far in."""


def begins_with(*magic: bytes) -> Callable[[bytes], bool]:
    """Return whether a head begins with one of `magic`, as `Format.matches` asks."""

    def matches(head: bytes) -> bool:
        return head.startswith(magic)

    return matches


@contextmanager
def library_errors(name: str) -> Iterator[None]:
    """Turn whatever a library raises for bytes that are no `name`, or one that it does not support, into FormatError.

    Libraries raise classes of their own, of no common base. What the file itself raises stays as it is.
    """
    try:
        yield
    except S3Error:
        raise
    except MemoryError as exc:
        raise FormatError(f"This {name} asks for more memory than there is.") from exc
    except (NotImplementedError, AttributeError, LookupError, TypeError, ImportError) as exc:
        # Of these none says that bytes are wrong: arrow's, zipfile's for a method or a password, our call's.
        raise FormatError(f"This {name} is not supported here: {_cause(exc)}") from exc
    except Exception as exc:
        if "encrypted" in str(exc):
            raise FormatError(f"This {name} is encrypted, which is not supported here: {_cause(exc)}") from exc
        raise FormatError(f"Not valid {name}: {_cause(exc)}") from exc


def _cause(exc: Exception) -> str:
    """Return the words of a library on one line, with a full stop."""
    text = visible(str(exc).strip() or type(exc).__name__, most=300)
    return text if text.endswith((".", "!", "?")) else f"{text}."


def no_member(path: str, names: Collection[str]) -> OptionError:
    """Return the error for a `path` that is none of the `names` of the arrays in a file."""
    shown = ", ".join(visible(name, most=60) for name in islice(names, 20))
    more = f" and {len(names) - 20:,} more" if len(names) > 20 else ""
    return OptionError(f"There is no array {visible(path, most=80)!r} in it. There are: {shown}{more}.")


@contextmanager
def package(install: str, purpose: str) -> Iterator[None]:
    """Turn an ImportError into what of `install` is to be installed for `purpose`: what is not there."""
    try:
        with importing(install.partition(" ")[0]):
            yield
    except ImportError as exc:
        missing = " ".join(name for name in install.split() if find_spec(name) is None) or install
        raise MissingPackageError(f"Loading {purpose} needs a package: pip install {missing}") from exc
