"""A stream that is aborted from beside the reader: it reads no further, and asks for nothing more."""

from __future__ import annotations

import asyncio

import pytest

from aios3_nb.address import S3Uri
from aios3_nb.settings import MIB, current
from aios3_nb.streams import Monitor
from aios3_nb.streams.source import ObjectSource
from aios3_nb.streams.stream import ObjectStream
from tests.faults.server import FaultServer


class _Aborts:
    """Gets the bytes beside the reader, and aborts the stream at once, as Cancel does while bytes are hashed."""

    stream: ObjectStream

    async def take(self, start: int, data: memoryview) -> None:
        self.stream.abort(KeyError("cancelled"))


@pytest.mark.parametrize("way", ["window", "readinto"])
def test_aborted_while_bytes_are_handed_over_it_asks_for_nothing_more(faulty: FaultServer, way: str) -> None:
    faulty.put("b", "k.bin", bytes(8 * MIB))

    async def main() -> None:
        settings = current(part_size=MIB, concurrency=2, verify="off")
        source, tee = ObjectSource(S3Uri("b", "k.bin"), settings, Monitor()), _Aborts()
        tee.stream = stream = ObjectStream(source, settings, Monitor(), whole=True, tee=tee)
        try:
            with pytest.raises(KeyError):
                await (stream.window(0, MIB) if way == "window" else stream.readinto(0, memoryview(bytearray(8 * MIB))))
        finally:
            await stream.aclose()

    asyncio.run(main())
    assert len(faulty.gets()) <= 2
