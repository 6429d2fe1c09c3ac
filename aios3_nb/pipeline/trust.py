"""Where the user trusts pickles: prefixes of buckets, in the user's own configuration file.

::

    # ~/.config/aios3_nb.toml
    [[trust]]
    bucket = "our-models"
    prefix = "prod/"                              # of the key; "" is the whole bucket
    endpoint_url = "http://minio.lab:9000"        # without it: AWS itself, and nothing else

A bucket's name means something only together with the endpoint that is asked for it: whoever can set
``AWS_ENDPOINT_URL`` could serve a bucket of any name. So an entry counts for its own endpoint only, and one without an
endpoint for AWS's own servers, as `aios3_nb.s3.endpoint_of` knows them.

There is one such file: ``.config/aios3_nb.toml`` in the home that the system's list of accounts gives for the user.
``HOME`` and ``XDG_CONFIG_HOME`` are not asked: a kernel's specification, an ``.env`` or a cell can set them, so a
repository that somebody cloned could bring the file along and trust itself. It counts only when nobody else could have
written it: it and the folders it lies in are the user's own and writable to nobody else, and a link stays within that
home. Where there is no such list (Windows), nothing is trusted by a file.
"""

from __future__ import annotations

import functools
import itertools
import os
import stat
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios3_nb import environment
from aios3_nb.address import server_of
from aios3_nb.cache import cache_folder, is_of_account
from aios3_nb.errors import OptionError
from aios3_nb.pipeline.order import Order
from aios3_nb.text import in_quotes, visible, warn

FILE = "aios3_nb.toml"
_KEYS = frozenset(("bucket", "prefix", "endpoint_url"))


@dataclass(frozen=True, slots=True)
class TrustedPrefix:
    """One place whose pickles may run anything.

    Attributes:
        bucket: Its name.
        prefix: What a key has to begin with.
        endpoint_url: Of the server; empty for AWS.
    """

    bucket: str
    prefix: str
    endpoint_url: str = ""

    def __post_init__(self) -> None:
        if self.endpoint_url:
            server_of(self.endpoint_url)

    def __str__(self) -> str:
        place = f"s3://{self.bucket}/{self.prefix}"
        return f"{place} at {self.endpoint_url}" if self.endpoint_url else place

    def has(self, bucket: str, key: str, endpoint_url: str | None) -> bool:
        """Return whether the object lies here; an endpoint that is not known is nobody's."""
        if endpoint_url is None or bucket != self.bucket or not key.startswith(self.prefix):
            return False
        if not endpoint_url or not self.endpoint_url:
            return endpoint_url == self.endpoint_url
        return server_of(endpoint_url) == server_of(self.endpoint_url)


def trusted_prefix(bucket: str, key: str, endpoint_url: str | None) -> TrustedPrefix | None:
    """Return the trusted prefix that the object lies under; None when there is none.

    Args:
        bucket: Of the object.
        key: Of the object.
        endpoint_url: The endpoint in force, from wherever it was set; empty for AWS, None when it is not known.

    Raises:
        OptionError: The configuration file cannot be understood; the message names it and the place.
    """
    return next((entry for entry in trusted_prefixes() if entry.has(bucket, key, endpoint_url)), None)


def may_use_cache(order: Order) -> bool:
    """Return whether `order` reads from the local cache, and is kept there.

    A repository that somebody cloned can bring a folder with prepared files, and variables that make it the cache. They
    are safe pickles then, or none: what is loaded by trust comes out of the account's own folder, or from S3.

    Raises:
        OptionError: It is loaded by trust, is to come from the cache alone, and that is in another folder.
    """
    if order.settings.cache == "off":
        return False
    if not order.reading.trust and not any(
        entry.bucket == order.uri.bucket and order.uri.key.startswith(entry.prefix) for entry in trusted_prefixes()
    ):
        return True
    folder = cache_folder(order.settings)
    if is_of_account(folder):
        return True
    if order.settings.cache == "offline":
        raise OptionError(
            f"{visible(str(order.uri))} is loaded by trust, and so not from a cache in {visible(str(folder))}, "
            "where the environment may have put anything. Leave out --cache offline, or cache_dir.",
            uri=str(order.uri),
        )
    return False


def trusted_prefixes() -> list[TrustedPrefix]:
    """Return the entries of the user's configuration file; none when there is no file, or it is ignored.

    A file that is ignored is warned of, with the reason.
    """
    path = configuration_file()
    _warn_of_another(path)
    if path is None or not path.is_file():
        return []
    if (why := _doubt(path)) is not None:
        warn(f"{visible(str(path))} is ignored, so nothing is trusted by it: {why}.")
        return []
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise OptionError(f"{visible(str(path))} is not TOML: {visible(str(exc), most=200)}") from exc
    entries = content.get("trust", [])
    if not isinstance(entries, list):
        raise OptionError(f"{visible(str(path))}: trust is a list of tables; write [[trust]].")
    return [_entry(path, number, entry) for number, entry in enumerate(entries, 1)]


def configuration_file() -> Path | None:
    """Return where the configuration file is, or would be; None when the system has no home for the user."""
    try:
        import pwd
    except ImportError:  # Windows has no such list
        return None
    return _file_of(os.getuid(), pwd.getpwuid)


@functools.lru_cache(4)
def _file_of(user: int, account: Callable[[int], Any]) -> Path | None:
    """Return the file of `user`, whom the system's list is asked for once: it may be a directory in the network."""
    try:
        home = account(user).pw_dir
    except KeyError:  # a container may run as a user that nobody entered
        return None
    return Path(home) / ".config" / FILE if os.path.isabs(home) else None


def _warn_of_another(path: Path | None) -> None:
    """Warn of a file where the environment says that configuration is: someone may rely on it."""
    other = _another(environment.state())
    if other == str(path) or not os.path.isfile(other):
        return
    if not (path is not None and path.is_file() and path.samefile(other)):
        there = visible(str(path)) if path is not None else "a home in the system's list of accounts, and there is none"
        warn(f"{visible(other)} is ignored: only the account's own file may trust anything, {there}.")


@functools.lru_cache(1)
def _another(state: int) -> str:
    """Return where the environment says that the file is, as long as it says so."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    # The specification has a relative path ignored: https://specifications.freedesktop.org/basedir-spec/latest/
    folder = base if os.path.isabs(base) else os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(folder, FILE)


def _doubt(path: Path) -> str | None:
    """Return why somebody else could have written `path`, which lies in the account's home; None when nobody could."""
    home = path.parent.parent
    real, real_home = path.resolve(), home.resolve()
    if not real.is_relative_to(real_home):
        return f"it is a link out of {visible(str(home))}"
    folders = itertools.takewhile(lambda folder: folder != real_home.parent, real.parents)
    for each in (real, *folders, path.parent.resolve()):
        about = each.stat()
        if about.st_uid != os.getuid():
            return f"{visible(str(each))} belongs to another user"
        if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return f"others may write to {visible(str(each))}; chmod go-w puts that right"
    return None


def _entry(path: Path, number: int, entry: Any) -> TrustedPrefix:
    where = f"{visible(str(path))}: [[trust]] number {number}"
    if not isinstance(entry, dict):
        raise OptionError(f"{where} is not a table.")
    unknown = sorted(entry.keys() - _KEYS)
    if unknown:
        raise OptionError(f"{where} has {in_quotes(unknown[0])}; what it can have is {', '.join(sorted(_KEYS))}.")
    if not all(isinstance(value, str) for value in entry.values()):
        raise OptionError(f"{where}: all values are texts in quotes.")
    # Trusting a whole bucket is said, not left out by mistake.
    if not entry.get("bucket") or "prefix" not in entry:
        raise OptionError(f'{where} needs a bucket and a prefix; prefix = "" is the whole bucket.')
    try:
        return TrustedPrefix(entry["bucket"], entry["prefix"], entry.get("endpoint_url", ""))
    except OptionError as exc:
        raise OptionError(f"{where}: {exc}") from exc
