"""A JupyterLab or Notebook 7 server for tests, with folders and settings of its own."""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

START_SECONDS = 120.0
COMPLETER_MS = 3000

SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false",  # or a dialog asks
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    # Every output stays in the page, scrolled away or not.
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
    "@jupyterlab/completer-extension/manager.jupyterlab-settings": {"providerTimeout": COMPLETER_MS},
}

_MODULES = {"lab": "jupyterlab", "notebook": "notebook"}
_APPS = {"lab": "LabApp", "notebook": "JupyterNotebookApp"}


class Server:
    """One process of ``jupyter lab`` or ``jupyter notebook`` with folders and settings of its own.

    Attributes:
        url: Its address, without a slash at the end.
        root: The folder of its notebooks.
        token: What a page must know.
    """

    def __init__(self, kind: str, folder: Path, environment: dict[str, str]) -> None:
        self.root = folder / "root"
        self.token = secrets.token_hex(8)
        self.url = ""
        self._runtime = folder / "runtime"
        self._log = folder / "server.log"
        for place in (self.root, self._runtime):
            place.mkdir(parents=True)
        for name, values in SETTINGS.items():
            path = folder / "settings" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        arguments = [
            f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self.token}",
            f"--{_APPS[kind]}.expose_app_in_browser=True",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={free_port()}",
            "--ServerApp.open_browser=False",
            "--ServerApp.allow_root=True",
            "--LanguageServerManager.autodetect=False",
        ]
        variables = {
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self._runtime),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "IPYTHONDIR": str(folder / "ipython"),
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULES[kind], *arguments],
                env=environment | variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Server:
        """Return when it answers."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            # The port in the file is the one that it has got, should another process have taken the one it was given.
            for path in self._runtime.glob("jpserver-*.json"):
                with contextlib.suppress(ValueError, OSError):
                    self.url = json.loads(path.read_text())["url"].rstrip("/")
                    self.request("GET", "/api/status")
                    return self
            time.sleep(0.05)
        self.__exit__()
        raise AssertionError(f"The Jupyter server did not start:\n{self._log.read_text()[-3000:]}")

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()  # it ends its kernels
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def request(self, method: str, path: str) -> Any:
        """Return the answer of the server's REST interface, parsed."""
        request = urllib.request.Request(
            self.url + path, method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def end_kernels(self) -> None:
        """End all kernels, whatever they are doing."""
        for session in self.request("GET", "/api/sessions"):
            try:
                self.request("DELETE", f"/api/sessions/{session['id']}")
            except urllib.error.HTTPError as exc:
                if exc.code not in (404, 410):  # it has ended by itself meanwhile
                    raise


def clean_environment() -> dict[str, str]:
    """Return this process's environment without the developer's AWS and Jupyter configuration."""
    hidden = ("AWS_", "AIOS3_NB_", "JUPYTER", "IPYTHON")
    # IPython would put the packages of another virtual environment on the path.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden) and name != "VIRTUAL_ENV"}
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def until_listening(port: int, process: subprocess.Popen[Any]) -> None:
    """Return when something listens on `port`, which `process` is to do."""
    end = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, f"it has ended with status {process.returncode}"
        assert time.monotonic() < end, f"nobody listens on port {port}"
        time.sleep(0.05)


def free_port() -> int:
    """Return a port of this machine that nobody uses.

    Not one of those from which connections begin: before the server listens there, a connection might have got it.
    """
    for port in random.SystemRandom().sample(range(15_000, 32_000), 100):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise AssertionError("No port is free.")
