"""What ``doctor`` tells: what a report needs, and no secret."""

from __future__ import annotations

import pytest

import aios3_nb
from aios3_nb import __main__ as command
from tests.faults.server import FaultServer


def test_it_tells_versions_the_store_the_source_of_the_credentials_and_a_small_load(faulty: FaultServer) -> None:
    faulty.put("b", "big.bin", bytes(100_000))
    found = aios3_nb.doctor("s3://b/big.bin")
    told = dict(found.found)
    assert found.is_well
    assert told["packages"].startswith(f"aios3_nb {aios3_nb.__version__}, aiobotocore ")
    assert told["settings"] == f"endpoint_url={faulty.url!r}, retry_wait=0.05, quiet=True"
    assert told["store"] == f"{faulty.url}, region us-east-1"
    assert told["credentials"] == "found by: env"
    assert told["event loop"] == "none is running here; loads run on one in the background"
    assert told["small load"].startswith("read the first 65,536 bytes in ")
    assert "canary-secret" not in str(found)
    assert "AKIDOFTHETESTS" not in str(found)


def test_what_fails_is_told_and_ends_the_command_with_one(
    faulty: FaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    faulty.put("b", "other.pkl", b"")
    assert command.main(["doctor", "s3://b/absent.pkl"]) == 1
    assert "\nsmall load   ObjectNotFoundError: No such object: s3://b/absent.pkl." in capsys.readouterr().out


def test_a_store_that_cannot_be_used_is_no_reason_to_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://somebody:canary@127.0.0.1:9")
    found = aios3_nb.doctor("s3://b/k")
    assert not found.is_well
    assert dict(found.found)["store"].startswith("OptionError: ")
    assert "canary" not in str(found)
