"""Pickles: from a file to an object, running nothing that is not on the safe list.

"Safe" means that no code runs but what the safe list names. A hostile pickle can still waste memory and time,
and by way of a bug in compiled code crash the interpreter; only another process would keep it from that.

::

    file ──> Feed (every BUILD asks first) ──> SafeUnpickler (exact names, guards) ──> checks ──> object
"""

from __future__ import annotations

import pickle
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Self, cast

from aios3_nb.errors import BlockedPickleError, FormatError, MissingPackageError, S3Error, TruncatedError
from aios3_nb.formats.collector import collector_paused
from aios3_nb.formats.pickle.engine import SafeUnpickler
from aios3_nb.formats.pickle.feed import EnoughError, Feed, NeedsCareError
from aios3_nb.formats.pickle.find import Names, OtherVersionError, blocked_text, missing_package, missing_text
from aios3_nb.formats.pickle.glance import extensions_known
from aios3_nb.formats.pickle.kinds import is_joblib, joblib_text, other_kind
from aios3_nb.formats.pickle.opcodes import FIRST_FRAMED_PROTOCOL, PROTO, imports_by_lines
from aios3_nb.formats.pickle.plain import NotPlainError, load_plain
from aios3_nb.formats.pickle.proven import Proofs
from aios3_nb.formats.pickle.row import Row
from aios3_nb.formats.pickle.scan import GETATTR, names_in_file, names_in_head
from aios3_nb.formats.pickle.trusted import load_trusted
from aios3_nb.formats.pickle.unread import Unread
from aios3_nb.formats.pickle.versions import advice, gone_text, is_gone, other_version
from aios3_nb.text import visible

_HEAD = 128 * 1024
"""Bytes that are looked at before the load, as far as they are there already."""

_ENCODING = "ASCII"
"""What `pickle.load` takes 8-bit strings for unless told otherwise."""

_ENCODING_TEXT = (
    "Cannot be unpickled: it has 8-bit strings that are not of this encoding. If Python 2 wrote it, pass "
    "--encoding latin1, which numpy arrays need too; --encoding bytes leaves them as bytes."
)


def load_pickle(
    file: BinaryIO, *, allow: Collection[str] = (), trust: bool = False, encoding: str | None = None
) -> Any:
    """Return the object of the pickle at the file's position, and leave the file right behind it.

    Args:
        file: Besides what `BinaryIO` promises it has ``peek``.
        allow: Dotted names that this pickle may use besides those of the safe list.
        trust: Unpickle it as `pickle.load` does, whatever it runs.
        encoding: Of the 8-bit strings that Python 2 wrote, as `pickle.load` takes it: a codec's name, or ``bytes``
            to have them as bytes. None is ASCII.

    Raises:
        BlockedPickleError: It needs names that are not on the safe list; ``names`` has all that were seen.
        FormatError: It is not a pickle, or not an honest one.
        TruncatedError: The file ends before the pickle does.
        MissingPackageError: A name's package is not installed, or is of another version.
        OptionError: A name in `allow` that cannot be allowed.
    """
    return _load(file, None if trust else Names(allow), encoding or _ENCODING)


def iterate_pickles(
    file: BinaryIO, *, allow: Collection[str] = (), trust: bool = False, encoding: str | None = None
) -> Iterator[Any]:
    """Yield the objects of the pickles that follow one another in `file`, to its end.

    Memory holds one of them at a time. The arguments and errors are those of `load`; a `TruncatedError`
    comes after the last whole pickle was yielded.
    """
    yield from Pickles(file, allow=allow, trust=trust, encoding=encoding)


class Pickles:
    """An iterator of what `iterate_pickles` yields, that knows where the next one begins."""

    def __init__(
        self, file: BinaryIO, *, allow: Collection[str] = (), trust: bool = False, encoding: str | None = None
    ) -> None:
        self._names = None if trust else Names(allow)
        self._encoding = encoding or _ENCODING
        self._row = Row(file, self._encoding)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if not self._row.more:
            raise StopIteration
        try:
            return self._row.plain()
        except NotPlainError:
            return _load(cast(BinaryIO, self._row), self._names, self._encoding)

    def tell(self) -> int:
        """Return the byte of the file at which the next one begins."""
        return self._row.tell()


def _load(file: BinaryIO, names: Names | None, encoding: str) -> Any:
    head = _peek(file)
    start = _position(file)
    if not head:
        raise TruncatedError(f"There is no pickle: the file ends at byte {start:,}.", offset=start)
    kind = other_kind(head)
    if kind:
        raise FormatError(f"Not a pickle: {kind}", offset=start)
    with collector_paused(), _with_versions(file, start, head):
        if names is None:
            return _load_trusted(file, start, encoding)
        if len(head) < _HEAD:  # perhaps it is all here
            with suppress(NotPlainError):
                value = load_plain(head, encoding)
                file.read(len(head))
                return value
        _check_names_ahead(file, names, head, start)
        return _load_safely(file, names, head, start, encoding)


@contextmanager
def _with_versions(file: BinaryIO, start: int, head: bytes) -> Iterator[None]:
    """Add to an error which version of a library wrote the pickle, which is here, and what to install."""
    try:
        yield
    except OtherVersionError as exc:
        text = f"{exc.said} {advice(file, start, exc.module)}"
        raise MissingPackageError(text, offset=exc.offset) from exc.__cause__
    except FormatError as exc:
        note = "" if isinstance(exc, TruncatedError) else other_version(file, start, head, exc.said)
        if note:
            exc.args = (f"{exc.said} {note}", *exc.args[1:])
        raise


def _load_trusted(file: BinaryIO, start: int, encoding: str) -> Any:
    try:
        return load_trusted(file, start, encoding)
    except Exception as exc:
        error = _translated(exc, start, _position(file), truncated=_is_about_the_end(exc))
        if error is exc:
            raise
        raise error from exc


def _check_names_ahead(file: BinaryIO, names: Names, head: bytes, start: int) -> None:
    """Refuse by what is there already, before the rest is fetched or anything is built."""
    ahead = names_in_head(head)
    if not all(names.permits(*name) for name in ahead):
        every = names_in_file(file)
        blocked = [name for name in dict.fromkeys(ahead + every.names) if not names.permits(*name)]
        blocked += [name for name, owner in every.within.items() if owner in blocked or name == GETATTR]
        dotted = [".".join(name) for name in blocked]
        _check_gone(blocked)
        where = start + max(head.find(blocked[0][1].rpartition(".")[2].encode("utf-8", "surrogatepass")), 0)
        raise _blocked(dotted, where, every.called)
    for module, name in ahead:
        if missing_package(module):
            raise MissingPackageError(missing_text(module, name))


def _check_gone(names: Iterable[tuple[str, str]]) -> None:
    """Refuse `names` that the installed libraries do not have: whatever is allowed, the pickle does not load."""
    gone = [(module, name) for module, name in names if is_gone(module)]
    if gone:
        package = gone[0][0].partition(".")[0]
        dotted = [f"{module}.{name}" for module, name in gone if module.partition(".")[0] == package]
        raise OtherVersionError(gone_text(dotted), package)


def _load_safely(file: BinaryIO, names: Names, head: bytes, start: int, encoding: str) -> Any:
    try:
        if not _is_framed(head):
            return _load_unframed(file, names, head, start, encoding)
        return _run(file, names, start, encoding, careful=False)
    except NeedsCareError:
        if not file.seekable():
            raise FormatError(
                "The pickle imports something late, in a way that Python does not write, so that it has to be read "
                "a second time; and that this file cannot. Expand it first.",
                offset=start,
            ) from None
        file.seek(start)
        return _run(file, names, start, encoding, careful=True)


def _load_unframed(file: BinaryIO, names: Names, head: bytes, start: int, encoding: str) -> Any:
    """Return the object of a pickle of protocol 0 to 3; one that seems to import nothing passes unread."""
    if imports_by_lines(head) or not file.seekable() or extensions_known():
        return _run(file, names, start, encoding, careful=True)
    try:
        return SafeUnpickler(Unread(file, _protocol(head)), names, encoding=encoding).load()
    except S3Error as exc:
        if not isinstance(exc, BlockedPickleError):
            raise
    except Exception:  # noqa: S110  # whatever it was, the careful way finds it again and says where
        pass
    raise NeedsCareError


def _run(file: BinaryIO, names: Names, start: int, encoding: str, *, careful: bool) -> Any:
    feed = Feed(file, base=start, careful=careful)
    unpickler = SafeUnpickler(feed, names, encoding=encoding)
    feed.proofs = Proofs(unpickler.known, unpickler.count_known)
    try:
        value = unpickler.load()
        if not unpickler.blocked:
            unpickler.finish()
    except (NeedsCareError, EnoughError):
        if not unpickler.blocked:
            raise
    except Exception as exc:
        if not unpickler.blocked or _is_about_reaching(exc):
            error = feed.refusal or _translated(exc, feed.executing, feed.position, truncated=feed.truncated)
            if error is exc:
                raise
            raise error from exc
    finally:
        unpickler.release()
    if unpickler.blocked:
        _check_gone(unpickler.blocked.values())
        blocked = list(unpickler.blocked.values())
        blocked += [name for name, owner in unpickler.within.items() if owner in blocked or name == GETATTR]
        raise _blocked(list(map(".".join, blocked)), unpickler.blocked_at, unpickler.called)
    if feed.left_over:
        raise FormatError("Not a pickle: it stops inside a frame.", offset=feed.executing)
    return value


def _blocked(names: Collection[str], offset: int, called: Collection[str]) -> S3Error:
    ordered = tuple(sorted(names))
    if is_joblib(ordered):
        return FormatError(
            f"Not a plain pickle: joblib wrote it, with the arrays between its opcodes. {joblib_text()}", offset=offset
        )
    error = BlockedPickleError(blocked_text(ordered, called), offset=offset)
    error.names = ordered
    return error


def _translated(exc: Exception, start: int, position: int, *, truncated: bool) -> Exception:
    """Return the error of this package for what went wrong between the bytes `start` and `position`.

    One of its own is returned itself: raise it again then, and not from itself.
    """
    if isinstance(exc, S3Error):
        if exc.offset is None:
            exc.offset = start
        return exc
    if truncated:
        return TruncatedError(
            f"The pickle is cut short: it goes on where the file ends, at byte {position:,}.", offset=position
        )
    if isinstance(exc, ModuleNotFoundError):
        name = exc.name or "a package"
        return MissingPackageError(f"The pickle needs {visible(name)}, which is not installed.", offset=start)
    if isinstance(exc, MemoryError):
        return FormatError(f"The pickle asks for more memory than there is (after byte {start:,}).", offset=start)
    if isinstance(exc, UnicodeDecodeError):
        return FormatError(_ENCODING_TEXT, offset=start)
    cause = visible(f"{type(exc).__name__}: {exc}", most=300)
    return FormatError(f"Cannot be unpickled: {cause} (in the opcodes from byte {start:,} on)", offset=start)


def _is_about_the_end(exc: Exception) -> bool:
    return isinstance(exc, EOFError) or (isinstance(exc, pickle.UnpicklingError) and "truncated" in str(exc))


def _is_about_reaching(exc: Exception) -> bool:
    """Return whether the file failed, and not the pickle."""
    return isinstance(exc, S3Error) and not isinstance(exc, (ValueError, pickle.UnpicklingError))


def _is_framed(head: bytes) -> bool:
    return _protocol(head) >= FIRST_FRAMED_PROTOCOL


def _protocol(head: bytes) -> int:
    return head[1] if head.startswith(PROTO) and len(head) > 1 else 0


def _peek(file: BinaryIO) -> bytes:
    return file.peek(_HEAD)  # type: ignore[attr-defined, no-any-return]  # BinaryIO has none; ours do


def _position(file: BinaryIO) -> int:
    try:
        return file.tell()
    except OSError:
        return 0
