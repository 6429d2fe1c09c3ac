"""Refusals: the server's own reason without secrets; who logs in only runs the cell again."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

import aios3_nb
from tests.faults.fault import Kind
from tests.faults.server import FaultServer

KEYS = "aws_access_key_id = {}\naws_secret_access_key = secret\n"


@pytest.fixture
def files(faulty: FaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the files `config` and `credentials`; the environment has no keys."""
    faulty.put("b", "k.json", b"[1]")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def _load(**options: Any) -> Any:
    return aios3_nb.load("s3://b/k.json", **options)


def _used(faulty: FaultServer) -> str:
    """Return the id of the key that the last request was signed with."""
    return faulty.requests[-1].headers["authorization"].partition("Credential=")[2].partition("/")[0]


def test_whoever_logs_in_only_runs_the_cell_again(faulty: FaultServer, files: Path) -> None:
    for call in (_load, lambda: aios3_nb.ls("s3://b/"), lambda: aios3_nb.dump([1], "s3://b/k.json")):
        (files / "credentials").unlink(missing_ok=True)
        with pytest.raises(aios3_nb.CredentialsError, match="No credentials"):
            call()
        (files / "credentials").write_text("[default]\n" + KEYS.format("LATER"))
        call()
        assert _used(faulty) == "LATER"


def test_a_client_made_anew_shares_what_botocore_read(files: Path) -> None:
    """Each one read botocore's descriptions of S3 anew: 13 MB more with every cell that was run before a login."""

    def fail() -> None:
        with pytest.raises(aios3_nb.CredentialsError):
            _load()

    fail()  # whatever the first one brings along
    tracemalloc.start()
    try:
        fail()
        assert tracemalloc.get_traced_memory()[0] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "AccessDenied", "SignatureDoesNotMatch", "ExpiredToken"])
@pytest.mark.parametrize("source", ["a file", "a process"])
def test_a_refusal_is_forgotten_once_the_credentials_are_others(
    faulty: FaultServer, files: Path, code: str, source: str
) -> None:
    def use(name: str) -> None:
        if source == "a file":
            (files / "credentials").write_text("[default]\n" + KEYS.format(name))
        else:
            answer = f'{{"Version": 1, "AccessKeyId": "{name}", "SecretAccessKey": "x"}}'
            (files / "answer").write_text(answer)

    if source == "a process":
        (files / "config").write_text(f"[default]\ncredential_process = cat {files / 'answer'}\n")
    use("OLD")
    faulty.fault(Kind.STATUS, status=403, code=code, times=None)
    with pytest.raises((aios3_nb.CredentialsError, aios3_nb.AccessDeniedError)):
        _load()
    faulty.reset()
    use("NEW")
    assert _load() == [1]
    assert _used(faulty) == "NEW"


def test_credentials_that_are_about_to_expire_are_renewed_before_the_next_request(
    faulty: FaultServer, files: Path
) -> None:
    (files / "config").write_text(f"[default]\ncredential_process = cat {files / 'answer'}\n")
    end = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)  # botocore renews them a quarter of an hour before
    for number in range(3):
        told = {"Version": 1, "AccessKeyId": f"ID{number}", "SecretAccessKey": "x", "SessionToken": f"token {number}"}
        (files / "answer").write_text(json.dumps(told | {"Expiration": end.isoformat()}))
        _load()
        assert _used(faulty) == f"ID{number}"
        assert faulty.requests[-1].headers["x-amz-security-token"] == f"token {number}"


def test_an_open_file_goes_on_with_new_credentials(faulty: FaultServer, files: Path) -> None:
    (files / "credentials").write_text("[default]\n" + KEYS.format("OLD"))
    faulty.fault(Kind.STATUS, status=403, code="AccessDenied")
    file = aios3_nb.open("s3://b/k.json")
    with pytest.raises(aios3_nb.AccessDeniedError):
        file.read()
    (files / "credentials").write_text("[default]\n" + KEYS.format("NEW"))
    assert file.read() == b"[1]"
    assert _used(faulty) == "NEW"
    file.close()


def test_a_profile_that_changes_is_read_again_without_an_error(faulty: FaultServer, files: Path) -> None:
    for name in ("ONE", "TWO"):
        (files / "config").write_text(f"[profile p]\n{KEYS.format(name)}")
        os.utime(files / "config", ns=(1, len(name) * 1000 + ord(name[0])))  # a clock that is too coarse
        _load(profile="p")
        assert _used(faulty) == name


@pytest.mark.parametrize("file", ["config", "credentials"])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"region = us-east-1\n", 1),
        (b"[default]\nregion = us-east-1\n[default\n", 3),
        (b"[default]\nregion = a\nregion = b\n", 3),
        (b"[a]\nx = 1\n[a]\n", 3),
        (b"[default]\naws_secret_access_key: = \nTOPSECRET\n", 3),
        (b"[default]\nregion = caf\xe9\n", 2),
    ],
)
def test_a_broken_configuration_file_is_named_with_its_line(
    faulty: FaultServer, files: Path, file: str, text: bytes, line: int
) -> None:
    (files / file).write_bytes(text)
    with pytest.raises(aios3_nb.OptionError) as caught:
        _load()
    assert f"{files / file}, line {line}," in str(caught.value)
    assert caught.value.__cause__ is not caught.value
    assert "TOPSECRET" not in str(caught.value)
    (files / file).write_text("[default]\n" + KEYS.format("LATER"))
    assert _load() == [1]


def test_an_expired_login_is_one_line_with_the_command(
    faulty: FaultServer, files: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own; a notebook has none
    (files / "config").write_text(
        "[profile dev]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = R\nregion = us-east-1\n"
        "[profile 'old way']\nsso_start_url = https://x.example/start\nsso_region = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = R\n"
        "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.example/start\n"
    )
    with pytest.raises(aios3_nb.CredentialsError, match=r"aws sso login --profile dev\Z"):
        _load(profile="dev")
    with pytest.raises(aios3_nb.CredentialsError, match=r"aws sso login --profile 'old way'\Z"):
        _load(profile="old way")
    monkeypatch.setenv("AWS_PROFILE", "dev")
    with pytest.raises(aios3_nb.CredentialsError, match=r"aws sso login --profile dev\Z"):
        aios3_nb.ls("s3://b/")
    assert capfd.readouterr().err == ""


REASONS = [
    "User: arn:aws:sts::123456789012:assumed-role/Dev/me is not authorized to perform: kms:Decrypt on resource: "
    "arn:aws:kms:eu-west-1:123456789012:key/1b2c because no identity-based policy allows the kms:Decrypt action",
    "User: arn:aws:iam::1:user/u is not authorized to perform: s3:GetObject because no VPC endpoint policy allows it",
    "User: arn:aws:iam::1:user/u is not authorized to perform: s3:ListBucket with an explicit deny in a policy",
    "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4",
]


@pytest.mark.parametrize("reason", REASONS)
def test_the_reason_of_the_server_is_said(faulty: FaultServer, reason: str) -> None:
    body = f"<Error><Code>AccessDenied</Code><Message>{reason}</Message></Error>".encode()
    for key in (None, ""):
        faulty.fault(Kind.ANSWER, method="", key=key, times=None, status=403, data=body)
    calls = (_load, lambda: aios3_nb.ls("s3://b/p/"), lambda: aios3_nb.dump([1], "s3://b/k.json"))
    for call in calls:
        with pytest.raises(aios3_nb.AccessDeniedError) as caught:
            call()
        assert f"S3 says: {reason}." in str(caught.value)


def test_a_reason_that_says_nothing_is_left_out(faulty: FaultServer) -> None:
    for said in ("Access Denied", "Access Denied.", "Forbidden", ""):
        body = f"<Error><Code>AccessDenied</Code><Message>{said}</Message></Error>".encode()
        faulty.fault(Kind.ANSWER, status=403, data=body)
        with pytest.raises(aios3_nb.AccessDeniedError) as caught:
            _load()
        assert "S3 says" not in str(caught.value)
        faulty.reset()


def test_secrets_in_a_reason_are_left_out(faulty: FaultServer) -> None:
    secrets = ["AKIAIOSFODNN7EXAMPLE", "IQoJb3JpZ2luX2VjEJ/abc+def==", "canary-secret", "AKIDOFTHETESTS", "abcdef0123"]
    said = f"no {secrets[0]} token {secrets[1]} with {secrets[2]} of {secrets[3]}: X-Amz-Signature={secrets[4]} id 4F2A"
    body = f"<Error><Code>InvalidAccessKeyId</Code><Message>{said}</Message></Error>".encode()
    faulty.fault(Kind.ANSWER, status=403, data=body)
    with pytest.raises(aios3_nb.CredentialsError) as caught:
        _load()
    assert [secret for secret in secrets if secret in str(caught.value)] == []
    assert "id 4F2A" in str(caught.value)


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidToken", "TokenRefreshRequired"])
def test_a_token_that_stays_refused_is_asked_with_once_more_only(faulty: FaultServer, code: str) -> None:
    faulty.put("b", "k.json", b"[1]")
    faulty.fault(Kind.STATUS, status=400, code=code, times=None)
    with pytest.raises(aios3_nb.CredentialsError, match=f"{code}.*Log in again"):
        aios3_nb.load("s3://b/k.json")
    assert len(faulty.requests) == 2


def test_a_store_that_says_unauthorized_is_about_credentials(faulty: FaultServer) -> None:
    faulty.put("b", "k.json", b"[1]")
    faulty.fault(Kind.STATUS, status=401, code="Unauthorized", times=None)
    with pytest.raises(aios3_nb.CredentialsError, match=r"Unauthorized.*Log in again"):
        aios3_nb.load("s3://b/k.json")
