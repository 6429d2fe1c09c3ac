"""What a format is: names to know it by, and how a file becomes an object or items."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from aios3_nb.errors import FormatError, MissingPackageError, OptionError, S3Error


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """What the user said about one load; a format takes from it what concerns it.

    Attributes:
        path: Which part of a JSON document is wanted, such as ``users.item.name``.
        allow: Dotted names that a pickle may use besides those that are safe.
        trust: Whether to run whatever a pickle asks for.
        max_bytes: Most bytes that a compressed archive may expand to.
        encoding: How text is written, as Python names codecs; for a pickle, how its 8-bit strings of Python 2
            are, or ``bytes`` to leave them as they are. None means the format's own way.
    """

    path: str | None = None
    allow: tuple[str, ...] = ()
    trust: bool = False
    max_bytes: int | None = None
    encoding: str | None = None


def _matches_nothing(head: bytes) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of file, after decompression.

    Attributes:
        name: What ``--format`` calls it.
        suffixes: Ends of keys in lower case, such as ``.json``, without those of compression.
        matches: Whether a file begins like this one, from its first `HEAD_SIZE` bytes.
        loader: Makes the object. The file stands at its beginning and has read, read1, readinto, peek and seek.
        items: Yields items while the rest of the file is still coming; None if there is no such thing.
        takes_path: Whether ``--path`` means something.
        takes_encoding: Whether ``--encoding`` means something.
        advice: Instead of a loader, for what is recognised only: how to load it.
    """

    name: str
    suffixes: tuple[str, ...] = ()
    matches: Callable[[bytes], bool] = _matches_nothing
    loader: Callable[[BinaryIO, LoadOptions], object] | None = None
    items: Callable[[BinaryIO, LoadOptions], Iterator[object]] | None = None
    takes_path: bool = False
    takes_encoding: bool = False
    advice: str = ""

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
        return self.loader(file, options)

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
        return self.items(file, options)

    def _check(self, options: LoadOptions) -> None:
        if options.path is not None and not self.takes_path:
            raise OptionError(f"--path is for JSON documents; this is {self.name}.")
        if options.encoding is not None and not self.takes_encoding:
            raise OptionError(f"--encoding is for text, and for pickles of Python 2; this is {self.name}.")


HEAD_SIZE = 4096
"""First bytes of a plain file that formats are recognised by; the mark of a joblib dump may be as far in."""


def begins_with(*magic: bytes) -> Callable[[bytes], bool]:
    """Return whether a head begins with one of `magic`, as `Format.matches` asks."""

    def matches(head: bytes) -> bool:
        return head.startswith(magic)

    return matches


@contextmanager
def library_errors(name: str) -> Iterator[None]:
    """Turn whatever a library raises for bytes that are no `name` into FormatError.

    Libraries raise classes of their own, of no common base. What the file itself raises stays as it is.
    """
    try:
        yield
    except (S3Error, MemoryError):
        raise
    except Exception as exc:
        raise FormatError(f"Not valid {name}: {exc}") from exc


@contextmanager
def package(install: str, purpose: str) -> Iterator[None]:
    """Turn an ImportError into what to install for `purpose`."""
    try:
        yield
    except ImportError as exc:
        raise MissingPackageError(f"Loading {purpose} needs a package: pip install {install}") from exc
