"""Errors: one tree, each the builtin that a user would catch, picklable, and without a secret anywhere."""

from __future__ import annotations

import copy
import logging
import pickle
import re
from collections.abc import Iterator

import pytest

import aios3_nb
from aios3_nb import errors
from aios3_nb.notebook.cell import rewritten
from aios3_nb.notebook.shown import shorten
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.kernels import Kernel, kernel

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, aios3_nb.S3Error)]

BUILTIN = {
    "UriError": ValueError,
    "OptionError": ValueError,
    "ObjectNotFoundError": FileNotFoundError,
    "AccessDeniedError": PermissionError,
    "CredentialsError": PermissionError,
    "EndpointError": ConnectionError,
    "DownloadError": ConnectionError,
    "StalledError": TimeoutError,
    "RedirectError": ConnectionError,
    "ProtocolError": OSError,
    "ServiceError": OSError,
    "ObjectChangedError": OSError,
    "ChecksumError": OSError,
    "NotVerifiedError": OSError,
    "FormatError": ValueError,
    "TruncatedError": EOFError,
    "BlockedPickleError": pickle.UnpicklingError,
    "TooLargeError": ValueError,
    "MissingPackageError": ImportError,
}

SECRETS = ("canary-secret-key", "canary-session-token", "canary-signature")


@pytest.mark.parametrize("name", BUILTIN)
def test_each_is_the_builtin_that_a_user_would_catch(name: str) -> None:
    assert issubclass(getattr(aios3_nb, name), BUILTIN[name])


@pytest.mark.parametrize("kind", ALL)
def test_each_survives_pickling_and_copying_with_all_it_knows(kind: type[aios3_nb.S3Error]) -> None:
    error = kind("what happened", uri="s3://b/k", offset=7, attempts=3)
    shorten(error, "what happened")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is kind
        assert (str(twin), twin.uri, twin.offset, twin.attempts) == ("what happened", "s3://b/k", 7, 3)


def test_the_tree_in_the_documentation_is_the_tree() -> None:
    drawn = set(re.findall(r"── (\w+)", errors.__doc__ or ""))
    assert drawn == {kind.__name__ for kind in ALL} - {"S3Error"}


@pytest.fixture(scope="module")
def faulty() -> Iterator[FaultServer]:
    with FaultServer() as server:
        server.put("b", "k.pkl", pickle.dumps(list(range(1000))))
        yield server


@pytest.fixture
def canaries(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    keys = {
        "AWS_ACCESS_KEY_ID": "AKIDCANARY",
        "AWS_SECRET_ACCESS_KEY": SECRETS[0],
        "AWS_SESSION_TOKEN": SECRETS[1],
        "AWS_REGION": "us-east-1",
    }
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    return keys


FAILURES = {
    "denied": {"kind": Kind.STATUS, "status": 403, "code": "AccessDenied", "times": None},
    "expired": {"kind": Kind.STATUS, "status": 400, "code": "ExpiredToken", "times": None},
    "unavailable": {"kind": Kind.STATUS, "status": 503, "code": "SlowDown", "times": None},
    "reset": {"kind": Kind.RESET_EARLY, "times": None},
    "silent": {"kind": Kind.SILENT, "seconds": 5, "times": None},
    "unfit": {"kind": Kind.STATUS, "status": 418, "code": "Teapot", "times": None},
    "redirected": {
        "kind": Kind.REDIRECT, "status": 307, "times": None,
        "location": f"http://127.0.0.1:9/x?X-Amz-Signature={SECRETS[2]}",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def verbose(faulty: FaultServer) -> Iterator[Kernel]:
    keys = {
        "AWS_ACCESS_KEY_ID": "AKIDCANARY",
        "AWS_SECRET_ACCESS_KEY": SECRETS[0],
        "AWS_SESSION_TOKEN": SECRETS[1],
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with kernel(keys) as running:
        running.ok(
            f"%load_ext aios3_nb\n%config S3Magics.endpoint_url = {faulty.url!r}\n"
            "%config S3Magics.retries = 1\n%config S3Magics.read_timeout = 0.5\n"
            "%config S3Magics.connect_timeout = 0.5\n"
            "%xmode Verbose\nimport aios3_nb, logging"
        )
        yield running


@pytest.mark.parametrize("failure", FAILURES)
def test_no_secret_is_shown_whatever_fails_even_in_verbose_tracebacks(
    verbose: Kernel, faulty: FaultServer, failure: str
) -> None:
    faulty.reset()
    faulty.fault(Fault(**FAILURES[failure]))
    try:
        for code in ("aios3_nb.load('s3://b/k.pkl')", "await aios3_nb.aload('s3://b/k.pkl')", "%s3load s3://b/k.pkl"):
            cell = verbose.run(code)
            shown = f"{cell.traceback}{cell.stderr}{cell.stdout}{cell.errors}"
            assert cell.errors
            assert [secret for secret in SECRETS if secret in shown] == []
            assert "site-packages/botocore" not in shown
            assert "site-packages/aiobotocore" not in shown
    finally:
        faulty.reset()


def test_a_signed_url_never_comes_back_with_its_signature() -> None:
    url = f"https://b.s3.eu-west-1.amazonaws.com/k.pkl?X-Amz-Signature={SECRETS[2]}&X-Amz-Credential=x"
    file = aios3_nb.open(url)
    assert SECRETS[2] not in f"{file!r} {file.name} {file.uri}"
    file.close()


def test_nothing_of_the_secrets_is_logged_by_this_package(
    faulty: FaultServer, canaries: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    faulty.reset()
    with caplog.at_level(logging.DEBUG, logger="aios3_nb"):
        assert aios3_nb.load("s3://b/k.pkl", endpoint_url=faulty.url) == list(range(1000))
    assert not [r for r in caplog.records if r.name.startswith("aios3_nb") and SECRETS[0] in r.getMessage()]


def test_only_the_first_line_of_a_cell_is_rewritten() -> None:
    assert rewritten(["%%s3load a=s3://b/k\n", "x = 1\n"], "begin") == ["begin('a=s3://b/k')\n", "x = 1\n"]
    for lines in (["%%s3load?\n"], ["%%s3loader x\n", "y\n"], ["x\n", "%%s3load a\n"], ["%%s3load a\n"], []):
        assert rewritten(lines, "begin") == lines
