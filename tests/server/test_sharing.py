"""Several kernels share one embedded server, which ends with the last of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from aios3_nb.server import local, sharing
from aios3_nb.server.seaweedfs import Endpoint
from aios3_nb.server.supervision import Supervision

ENDPOINT = Endpoint("http://127.0.0.1:9", "key", "secret")
SLEEPS = [sys.executable, "-ISc", "import time; time.sleep(600)"]
"""Stands for the server: what is tried here is when it ends."""


@pytest.fixture(autouse=True)
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's own for the note."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "aios3_nb"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[tuple[Supervision, psutil.Process]]:
    """A supervisor that shares a program, and the program."""
    folder = tmp_path / "data"
    folder.mkdir()
    supervision = Supervision(SLEEPS, folder=folder, leftovers=[], environment=dict(os.environ))
    assert supervision.ask("start") == "started"
    path = sharing.note()
    assert path is not None
    assert supervision.ask(sharing.order(path, ENDPOINT)) == "shared"
    [program] = psutil.Process(supervision.pid).children()
    yield supervision, program
    if program.is_running():
        supervision.end()
    psutil.wait_procs([program], timeout=60)


def has_ended(program: psutil.Process) -> bool:
    return not psutil.wait_procs([program], timeout=60)[1]


def test_another_finds_the_server_and_keeps_it_when_the_first_has_gone(
    shared: tuple[Supervision, psutil.Process], private: Path
) -> None:
    supervision, program = shared
    [first, second] = [sharing.join(), sharing.join()]
    assert first is not None
    assert second is not None
    assert first[0] == ENDPOINT
    assert not supervision.end()
    first[1].close()
    time.sleep(0.3)
    assert program.is_running()
    second[1].close()
    assert has_ended(program)
    assert not private.exists()


def test_without_guests_it_ends_with_the_first(shared: tuple[Supervision, psutil.Process], private: Path) -> None:
    supervision, program = shared
    joined = sharing.join()
    assert joined is not None
    joined[1].close()
    until = time.monotonic() + 60
    while supervision.ask("leave") == "kept" and time.monotonic() < until:
        time.sleep(0.01)
    assert sharing.join() is None  # nobody comes in once it is to end
    assert supervision.end()
    assert has_ended(program)
    assert not private.exists()


def test_who_has_no_token_is_no_guest(shared: tuple[Supervision, psutil.Process], private: Path) -> None:
    [path] = private.iterdir()
    assert path.stat().st_mode & 0o077 == 0
    path.write_text(json.dumps({**json.loads(path.read_text()), "token": "guessed"}))
    assert sharing.join() is None
    assert shared[0].ask("leave") == "ending"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"endpoint": {}, "port": 9, "token": ""}', None])
def test_a_note_of_a_server_that_was_killed_is_no_server(private: Path, text: str | None) -> None:
    if text is None:
        text = json.dumps({"endpoint": {"url": "u", "access_key": "a", "secret_key": "s"}, "port": 9, "token": "t"})
    (private / "server.json").write_text(text)
    assert sharing.join() is None


def test_a_folder_that_others_may_enter_has_no_note(private: Path) -> None:
    (private / "server.json").write_text("{}")
    private.chmod(0o755)
    assert sharing.note() is None
    assert sharing.join() is None


def test_a_kernel_uses_the_server_of_another(server: local.LocalServer, private: Path) -> None:
    server.share()
    code = "from aios3_nb.server import shared_server; print(shared_server().endpoint.url)"
    hidden = ("AWS_", "AIOS3_NB_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == server.endpoint.url
    next(private.iterdir()).unlink()  # later tests start servers of their own
