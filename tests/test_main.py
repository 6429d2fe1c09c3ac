"""The command: its exit status tells the truth, and what it starts ends with it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import psutil
import pytest

import aios3_nb
from aios3_nb import __main__ as command
from aios3_nb.server import DEMO_BUCKET, all_samples, put_samples, run_demo, seaweedfs
from aios3_nb.server.demo import summary
from aios3_nb.server.samples import Load, Sample

TIMEOUT = 120


@pytest.fixture(scope="module")
def filled(server):
    """The embedded server with the samples."""
    client = server.client()
    put_samples(client)
    yield client
    client.close()


def run(*arguments, **options):
    """Run the command as a user does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "aios3_nb", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        **options,
    )


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        command.main(["--version"])
    assert capsys.readouterr().out == f"aios3_nb {aios3_nb.__version__}\n"


def test_demo_loads_and_checks_every_sample():
    done = run("demo", "--no-lab")
    assert done.returncode == 0, done.stdout + done.stderr
    for sample in all_samples():
        for load in sample.loads:
            assert f"value = %s3load {sample.word} {load.options}".rstrip() in done.stdout.splitlines()
    assert "BlockedPickleError" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout.endswith("\nEvery sample was loaded and checked.\n")


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(Load(lambda _: False), id="wrong-value"),
        pytest.param(Load(lambda value: value["missing"]), id="check-fails"),
        pytest.param(Load(refused="BlockedPickleError"), id="not-refused"),
        pytest.param(Load(options="--no-such-option"), id="not-loaded"),
        pytest.param(Load(options="--iter --path total.item"), id="stream-fails"),
    ],
)
def test_demo_names_what_is_not_as_expected(filled, load):
    right = Load(lambda value: "users" in value)
    failed = run_demo([Sample("users.json", bytes, (right, load))])
    assert failed == [f"%s3load s3://demo/users.json {load.options}".rstrip()]


def test_demo_fails_when_a_sample_does(server, monkeypatch, capsys):
    monkeypatch.setattr("aios3_nb.server.run_demo", lambda samples: ["%s3load s3://demo/x"])
    assert command._demo(server, with_lab=True) == 1
    assert "Not as expected: %s3load s3://demo/x" in capsys.readouterr().out


@pytest.mark.parametrize("sample", all_samples(), ids=lambda sample: sample.key)
def test_samples_are_stored_under_their_names(filled, sample):
    assert filled.head_object(Bucket=DEMO_BUCKET, Key=sample.key)["ContentLength"] == len(sample.body())


def test_samples_are_the_same_every_time():
    assert [s.body() for s in all_samples()] == [s.body() for s in all_samples()]


def test_filling_again_leaves_what_is_there(filled):
    filled.put_object(Bucket=DEMO_BUCKET, Key="notes.txt", Body=b"mine")
    put_samples(filled)
    assert filled.get_object(Bucket=DEMO_BUCKET, Key="notes.txt")["Body"].read() == b"mine"
    filled.delete_object(Bucket=DEMO_BUCKET, Key="notes.txt")
    put_samples(filled)


def test_summary_is_one_short_visible_line():
    assert summary([1, 2]) == "-> list of 2: [1, 2]"
    assert "\n" not in summary({"a": "x\ny\x1b" * 1000})
    assert len(summary({"a": "x" * 1000, "b": ["y" * 1000] * 9})) < 150


def test_server_runs_a_command_pointed_at_it_and_ends_with_its_status():
    code = "import boto3, sys; sys.exit(len(boto3.client('s3').list_objects_v2(Bucket='demo')['Contents']))"
    done = run("server", sys.executable, "-c", code)
    assert done.returncode == len(all_samples()), done.stderr


@pytest.mark.parametrize("line", [["python", "-c", "x", "--quiet"], ["--", "python", "-c", "x", "--quiet"], []])
def test_all_that_follows_server_is_the_command(line, server, monkeypatch):
    served = []
    monkeypatch.setattr(command, "LocalServer", lambda: contextlib.nullcontext(server))
    monkeypatch.setattr(command, "use_server", lambda server: None)
    monkeypatch.setattr(command, "_serve", lambda server, argv: served.append(argv) or 0)
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    assert command.main(["server", *line]) == 0
    assert served == [line[-4:]]


def test_server_runs_until_it_is_told_to_end(monkeypatch):
    """What it prints points a shell at it; SIGTERM and Ctrl-C end it and all that it started."""
    with subprocess.Popen(
        [sys.executable, "-m", "aios3_nb", "server"], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            lines = [process.stdout.readline()]
            while not lines[-1].startswith("export no_proxy"):
                lines.append(process.stdout.readline())
            started = psutil.Process(process.pid).children(recursive=True)
            assert len(started) == 2
            for line in lines:
                if line.startswith("export "):
                    name, _, value = line.removeprefix("export ").strip().partition("=")
                    monkeypatch.setenv(name, value)
            # Not boto3.client(): its session keeps the credentials of the first test that made one.
            assert boto3.Session().client("s3").head_object(Bucket="demo", Key="users.json")["ContentLength"] > 0
        finally:
            os.killpg(process.pid, signal.SIGTERM)
    assert process.returncode == 128 + signal.SIGTERM
    assert not psutil.wait_procs(started, timeout=60)[1]


def test_command_that_does_not_exist(capsys):
    assert command._run(["no-such-command-anywhere"]) == 127
    assert "no-such-command-anywhere" in capsys.readouterr().err


def test_lab_opens_the_quickstart(monkeypatch):
    commands = []
    monkeypatch.setattr(command, "_run", lambda argv: commands.append(argv) or 0)
    monkeypatch.setattr(command, "_quickstart", lambda: Path("/folder/quickstart.ipynb"))
    assert command._open_lab() == 0
    assert commands[0][1:3] == ["-m", "jupyterlab"]
    assert commands[0][3:6] == [
        "--log-level=WARN",
        "--ServerApp.root_dir=/folder",
        "--LabApp.default_url=/lab/tree/quickstart.ipynb",
    ]


def test_lab_without_the_repository_says_so_and_opens_anyway(monkeypatch, tmp_path, capsys):
    commands = []
    monkeypatch.setattr(command, "_run", lambda argv: commands.append(argv) or 0)
    monkeypatch.setattr(aios3_nb, "__file__", str(tmp_path / "site-packages" / "aios3_nb" / "__init__.py"))
    monkeypatch.chdir(tmp_path)
    assert command._open_lab() == 0
    assert commands[0][1:3] == ["-m", "jupyterlab"]
    assert "in the repository" in capsys.readouterr().out


def test_without_jupyterlab_the_message_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert command._open_lab() == 1
    assert "pip install jupyterlab" in capsys.readouterr().err


def test_without_seaweedfs_one_line_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(seaweedfs.importlib.metadata, "files", lambda name: [])
    monkeypatch.setenv("PATH", "")
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert command.main(["server"]) == 1
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err.count("\n") == 1
