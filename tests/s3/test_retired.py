"""A client that nobody is given any more ends when it is idle, and who still has it gets another one."""

from __future__ import annotations

import asyncio
import gc

import aiohttp
import botocore.exceptions
import pytest

import aios3_nb
from aios3_nb.address import S3Uri
from aios3_nb.s3 import client, client_for, forget_client, get_object, has_ended, retired
from aios3_nb.settings import current
from aios3_nb.streams import Monitor
from aios3_nb.streams.source import ObjectSource
from tests.faults.fault import Kind
from tests.faults.server import FaultServer
from tests.loops import run_afresh

REFUSALS = 4


@pytest.fixture(autouse=True)
def at_once(faulty: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retired, "_GRACE", 0.0)
    monkeypatch.setattr(client, "_WHILE", 0.0)
    faulty.put("b", "k.json", b"[1]")


async def refuse() -> None:
    with pytest.raises(aios3_nb.CredentialsError):
        await aios3_nb.aload("s3://b/refused.json")


async def sessions() -> int:
    """Return how many of the running loop are open."""
    await asyncio.gather(*retired._ending)
    found = [each for each in gc.get_objects() if type(each) is aiohttp.ClientSession]  # proxies may be of nothing
    return sum(not each.closed for each in found if each._loop is asyncio.get_running_loop())


def test_refusals_and_logins_leave_no_clients_behind(faulty: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty.fault(Kind.STATUS, key="refused.json", status=403, code="InvalidAccessKeyId", times=None)

    async def main() -> None:
        for number in range(REFUSALS):
            await refuse()
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"ID{number}")
            assert await aios3_nb.aload("s3://b/k.json") == [1]
            assert await sessions() <= 2
        await aios3_nb.aload("s3://b/k.json")
        assert await sessions() == 1

    run_afresh(main())


def test_who_goes_back_and_forth_between_logins_keeps_the_clients(
    faulty: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_WHILE", 600.0)

    async def main() -> None:
        for number in range(6):
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"ID{number % 2}")
            assert await aios3_nb.aload("s3://b/k.json") == [1]
        assert await sessions() == 2

    run_afresh(main())


def test_a_request_over_a_client_that_has_just_ended_is_made_again(faulty: FaultServer) -> None:
    async def main() -> None:
        source = ObjectSource(S3Uri("b", "k.json"), current(), Monitor())
        await source.begin(0, None)
        assert await source.read_all() == b"[1]"
        former = await client_for(current())
        forget_client(current())
        await former.close()  # before anybody knows
        with pytest.raises(botocore.exceptions.HTTPClientError):
            await get_object(former, {"Bucket": "b", "Key": "k.json"})
        assert await source.read(0, 3) == b"[1]"

    run_afresh(main())


def test_who_still_has_a_client_that_ended_is_given_another(faulty: FaultServer) -> None:
    faulty.fault(Kind.STATUS, key="refused.json", status=403, code="InvalidAccessKeyId", times=None)

    async def main() -> None:
        source = ObjectSource(S3Uri("b", "k.json"), current(), Monitor())
        assert (await source.head()).size == 3
        former = await client_for(current())
        await refuse()
        assert has_ended(former)
        assert await source.read(0, 3) == b"[1]"
        assert source.retry.retries == 0
        source.abort()

    run_afresh(main())


def test_a_client_that_is_in_use_goes_on(faulty: FaultServer) -> None:
    faulty.put("b", "large.bin", bytes(3_000_000))
    faulty.fault(Kind.STATUS, key="refused.json", status=403, code="InvalidAccessKeyId", times=None)

    async def main() -> None:
        source = ObjectSource(S3Uri("b", "large.bin"), current(), Monitor())
        await source.begin(0, None)  # its body waits
        former = await client_for(current())
        await refuse()
        assert not has_ended(former)
        assert await source.read(0, 3_000_000) == bytes(3_000_000)
        assert len(faulty.gets("large.bin")) == 1
        source.abort()
        await refuse()
        assert has_ended(former)

    run_afresh(main())
