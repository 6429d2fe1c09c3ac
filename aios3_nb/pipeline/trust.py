"""Where the user trusts pickles: prefixes of buckets, in the user's own configuration file.

::

    # ~/.config/aios3_nb.toml
    [[trust]]
    bucket = "our-models"
    prefix = "prod/"                              # of the key; "" is the whole bucket
    endpoint_url = "http://minio.lab:9000"        # without it: AWS itself, and nothing else

A bucket's name means something only together with the endpoint that is asked for it: whoever can set
``AWS_ENDPOINT_URL`` could serve a bucket of any name. So an entry counts for its own endpoint only.

The file is ignored when it lies in the current folder or below it, which is where a notebook's own files are:
a repository that somebody cloned must not be able to trust itself by bringing the file along, with
``XDG_CONFIG_HOME`` or ``HOME`` pointing into it. Only ``.config`` of the account's own home counts there too,
for many start Jupyter in it.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aios3_nb.errors import OptionError
from aios3_nb.text import visible

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

    def __str__(self) -> str:
        place = f"s3://{self.bucket}/{self.prefix}"
        return f"{place} at {self.endpoint_url}" if self.endpoint_url else place

    def has(self, bucket: str, key: str, endpoint_url: str | None) -> bool:
        """Return whether the object lies here."""
        same_server = _server(endpoint_url or "") == _server(self.endpoint_url)
        return same_server and bucket == self.bucket and key.startswith(self.prefix)


def trusted_prefix(bucket: str, key: str, endpoint_url: str | None) -> TrustedPrefix | None:
    """Return the trusted prefix that the object lies under; None when there is none.

    Args:
        bucket: Of the object.
        key: Of the object.
        endpoint_url: The endpoint in force, from wherever it was set; None for AWS.

    Raises:
        OptionError: The configuration file cannot be understood; the message names it and the place.
    """
    return next((entry for entry in trusted_prefixes() if entry.has(bucket, key, endpoint_url)), None)


def is_trusted(bucket: str, key: str, endpoint_url: str | None) -> bool:
    """Return whether the object lies under a trusted prefix; see `trusted_prefix`."""
    return trusted_prefix(bucket, key, endpoint_url) is not None


def trusted_prefixes() -> list[TrustedPrefix]:
    """Return the entries of the user's configuration file; none when there is no file, or it is ignored."""
    path = configuration_file()
    if not path.is_file() or (_lies_within(path, Path.cwd()) and not _is_of_the_account(path)):
        return []
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise OptionError(f"{visible(str(path))} is not TOML: {exc}") from exc
    entries = content.get("trust", [])
    if not isinstance(entries, list):
        raise OptionError(f"{visible(str(path))}: trust is a list of tables; write [[trust]].")
    return [_entry(path, number, entry) for number, entry in enumerate(entries, 1)]


def configuration_file() -> Path:
    """Return where the configuration file is, or would be.

    See: https://specifications.freedesktop.org/basedir-spec/latest/
    """
    base = os.environ.get("XDG_CONFIG_HOME", "")
    # The specification has a relative path ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".config") / FILE


def _lies_within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve()) or path.absolute().is_relative_to(folder.resolve())


def _is_of_the_account(path: Path) -> bool:
    """Return whether `path` is in the home that the system has for the user, whatever the environment says."""
    try:
        import pwd
    except ImportError:  # Windows has no such list
        return False
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    return path.resolve() == home / ".config" / FILE


def _entry(path: Path, number: int, entry: Any) -> TrustedPrefix:
    where = f"{visible(str(path))}: [[trust]] number {number}"
    if not isinstance(entry, dict):
        raise OptionError(f"{where} is not a table.")
    unknown = sorted(entry.keys() - _KEYS)
    if unknown:
        raise OptionError(f"{where} has {visible(unknown[0])!r}; what it can have is {', '.join(sorted(_KEYS))}.")
    if not all(isinstance(value, str) for value in entry.values()):
        raise OptionError(f"{where}: all values are texts in quotes.")
    # Trusting a whole bucket is said, not left out by mistake.
    if not entry.get("bucket") or "prefix" not in entry:
        raise OptionError(f'{where} needs a bucket and a prefix; prefix = "" is the whole bucket.')
    return TrustedPrefix(entry["bucket"], entry["prefix"], entry.get("endpoint_url", ""))


def _server(endpoint_url: str) -> tuple[str, str, int | None, str]:
    """Return what makes two endpoints the same server: scheme, host, port, path."""
    parts = urlsplit(endpoint_url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").rstrip("."), port, parts.path.rstrip("/")
