"""Checking one object while it is read: what to check with is asked for beside the bytes, and judged behind the last.

::

    first answer ──> checksum, or its ETag ──────┐
    HEAD, beside the second part ──> checksum ───┼──> Verifier <── bytes, as they are handed over
    HEAD of part 1 ──> where the parts are cut ──┘        └──> right | ChecksumError | not checked (why)
"""

from __future__ import annotations

import asyncio
import time

from aios3_nb.errors import AccessDeniedError, ChecksumError, NotVerifiedError, ServiceError
from aios3_nb.loop import result_of
from aios3_nb.settings import MIB, Settings
from aios3_nb.streams import bulk
from aios3_nb.streams.checksum import SLOW, Checksum
from aios3_nb.streams.hashing import Hashing, Job
from aios3_nb.streams.object import ObjectInfo
from aios3_nb.streams.parts import told_lengths, with_lengths
from aios3_nb.streams.plan import FIRST
from aios3_nb.streams.source import ObjectSource
from aios3_nb.streams.stretch import Range
from aios3_nb.streams.verify import Verifier

_DRAIN = 64 * MIB
"""Bytes behind the end of what was decoded that are read only to finish the checksum."""

_LAG = 8 * MIB
"""Bytes for each thread that were handed over and are not hashed yet, where that is slow."""

_FAR = 64 * MIB
"""The same, for all threads, where the bytes take no memory but the reader's own."""

_TELLING = 64 * MIB
"""Bytes after which it shows whether hashing holds up the load."""


async def stored_checksum(source: ObjectSource) -> Checksum:
    """Return what the store says that the bytes of the object at `source` hash to, by a HEAD."""
    try:
        checksum = (await source.head()).checksum
    except (AccessDeniedError, ServiceError) as exc:  # a store that knows no HEAD, or does not allow it
        known = source.info.etag_checksum if source.info is not None else None
        return known or Checksum(why_not=f"HEAD failed: {type(exc).__name__}")
    assert checksum is not None
    return checksum


class Check:
    """What is known of the checksum of the object at `source`, and what was hashed.

    Its coroutines run on the stream's loop, one at a time. Up to 256 KiB are kept until the checksum is known; what
    comes after them waits for it.

    Args:
        source: The object.
        settings: ``verify`` counts.
    """

    def __init__(self, source: ObjectSource, settings: Settings) -> None:
        self._source = source
        self._mode = settings.verify
        self._verifier: Verifier | None = None
        self._hashing: Hashing | None = None
        self._straight = 0
        self._early: list[tuple[int, bytes]] = []
        self._held = 0
        self._asking: asyncio.Task[None] | None = None
        self._size = 0
        self._began = self._used = 0.0
        self._hashed = 0

    @property
    def off(self) -> bool:
        """Whether nothing is to be checked."""
        return self._mode == "off"

    @property
    def damage(self) -> str:
        """How the checksum of all bytes differs from that which is stored; empty as far as is known."""
        return self._verifier.damage if self._verifier is not None else ""

    def begin(self, info: ObjectInfo) -> None:
        """Learn from the first answer what to check with, and ask for what it does not say.

        Raises:
            ChecksumError: The object is said to be empty, and its checksum is that of some bytes.
        """
        self._size = info.size
        self._began, self._used = time.perf_counter(), time.process_time()
        # A small object is one request; it is not worth another, unless its ETag turns out to be no MD5.
        known = info.checksum or (info.etag_checksum if info.size <= FIRST else None)
        if self.off or known is None:
            return
        if not info.size:
            self._believe_empty(known)
        elif known.parts <= 1 or known.lengths:
            self._expect(known)
        elif info.size > FIRST:
            self.ask()

    def reach(self, stop: int) -> None:
        """Ask for the checksum, as bytes up to `stop` are wanted: beside the second part, and not for the first."""
        if stop > FIRST and self._verifier is None and not self.off:
            self.ask()

    def ask(self) -> asyncio.Task[None]:
        """Return the task that asks for the checksum."""
        if self._asking is None:
            self._asking = asyncio.get_running_loop().create_task(self._learn())
            self._asking.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._asking

    async def ready(self, start: int, length: int) -> None:
        """Wait until `length` bytes from `start` on can be hashed, or kept until they can.

        Raises:
            NotVerifiedError: ``verify="require"``, and there is nothing to check with.
        """
        if self._verifier is None and (self._held + length > FIRST or start + length == self._size <= FIRST):
            await result_of(self.ask())

    async def hash(self, start: int, data: memoryview, waited: float, *, lent: bool, beside: bool = False) -> list[Job]:
        """Hash `data`, the bytes from `start` on; return the jobs until whose end it must stay as it is.

        There are some only of what is read straight on, and not to its end: of what is hashed slowly, of what is
        copied, and of what comes behind that while it is being hashed.

        Args:
            start: Where they are in the object.
            data: The bytes.
            waited: Seconds for which the reader has waited for the network so far.
            lent: They lie in the reader's own memory, which stays as it is until `settle`.
            beside: They are being copied meanwhile, so that nobody need wait for the hash.
        """
        verifier = self._verifier
        if verifier is None or self._may_need_another():
            self._early.append((start, bytes(data)))
            self._held += len(data)
        if verifier is None or self._hashing is None:
            return []
        jobs = self._hashing.hash(start, data, beside=beside)
        stop = start + len(data)
        may_lag = start == self._straight and stop < self._size
        self._straight = stop if start == self._straight else -1
        await self._hashing.catch_up((_FAR if lent else self._lag()) if may_lag else 0)
        self._hashed += len(data)
        self._weigh(verifier, waited)
        return jobs

    def _lag(self) -> int:
        """Return how many bytes may wait in memory to be hashed."""
        return min(_LAG * bulk.THREADS, self._source.portion.budget // 2)

    async def settle(self) -> None:
        """Wait until all is hashed that was handed over; also when it is cancelled meanwhile."""
        if self._hashing is not None:
            await self._hashing.catch_up()

    async def judge(self, stop: int) -> None:
        """Judge, if the bytes before `stop` were the last that were missing.

        Raises:
            ChecksumError: They are not what was stored.
            NotVerifiedError: ``verify="require"``, and they cannot be checked any more.
        """
        if self._verifier is not None and self._verifier.judge() and await self._is_damage():
            raise self.damaged(stop)
        self._insist()

    def again(self, stop: int) -> None:
        """Raise what `judge` did, if bytes before `stop` that are still here are wanted again."""
        if self.damage:
            raise self.damaged(stop)
        self._insist()

    def unread(self) -> list[Range]:
        """Return what should be read yet to check the object: all of it, or where one need not insist, a short rest."""
        if self._verifier is None or self._verifier.left_out:
            return []
        missing = self._verifier.missing()
        is_rest = len(missing) == 1 and missing[0][1] == self._size and self._size - missing[0][0] <= _DRAIN
        return missing if is_rest or self._mode == "require" else []

    def verdict(self) -> str:
        """Return what the closing line says.

        Raises:
            NotVerifiedError: ``verify="require"``, and the object was not checked.
        """
        verdict = "not checked (verify is off)" if self._verifier is None else self._verifier.verdict()
        if self._mode == "require" and not verdict.endswith(" ok"):
            raise self._not_verified(verdict)
        return verdict

    def _believe_empty(self, known: Checksum) -> None:
        # Not by an ETag: those of empty objects, folders among them, are not everywhere the MD5 of nothing.
        if known.algorithm not in ("", "MD5") and not known.parts and not known.fits(b""):
            raise self.damaged(0, f"it came without a byte, {known} stored was {known.value.hex()}")

    def damaged(self, stop: int, damage: str = "") -> ChecksumError:
        """Return the error of bytes that are not what was stored."""
        name = self._source.name
        return ChecksumError(
            f"{name} arrived damaged: {damage or self.damage}. Nothing of it should be used. Run it again; if it fails "
            "again, the stored object is damaged.",
            uri=name,
            offset=stop,
        )

    def cancel(self) -> None:
        """Stop asking and hashing."""
        if self._asking is not None:
            self._asking.cancel()
        if self._hashing is not None:
            self._hashing.cancel()

    async def aclose(self) -> None:
        """Stop asking and hashing, and wait until that has ended."""
        self.cancel()
        if self._asking is not None:
            await asyncio.gather(self._asking, return_exceptions=True)
        await self.settle()

    # ---- what to check with

    async def _learn(self) -> None:
        info = self._source.info
        assert info is not None
        checksum = info.checksum or await stored_checksum(self._source)
        if checksum.parts > 1 and not checksum.lengths:
            checksum = await with_lengths(checksum, self._source)
        self._expect(checksum)

    def _expect(self, checksum: Checksum) -> None:
        if self._mode == "require" and not checksum.algorithm:
            raise self._not_verified(f"not checked ({checksum.why_not})")
        self._verifier = Verifier(self._size, checksum)
        for start, data in self._early:
            self._verifier.feed(start, memoryview(data))
            self._straight = start + len(data) if start == self._straight else -1
        self._hashing = Hashing(self._verifier)
        if not self._may_need_another():
            self._early.clear()

    def _may_need_another(self) -> bool:
        """Say whether all there is to check a small object with is an ETag that may be no MD5, and nobody has asked."""
        verifier = self._verifier
        return verifier is not None and not verifier.checksum.proves and self._asking is None and self._size <= FIRST

    async def _doubt(self, checksum: Checksum) -> str:
        """Return why bytes with another checksum may yet be the right ones; empty when they cannot."""
        if not checksum.proves:
            return "the ETag is no MD5"
        if checksum.parts > 1 and not checksum.told:
            lengths = await told_lengths(checksum.parts, self._source, at_any_cost=True)
            if lengths is None:
                return "the store does not say how it was cut into parts"
            if lengths != checksum.lengths:
                return "its parts differ in length"
        return ""

    async def _is_damage(self) -> bool:
        """Say whether other bytes than those of the checksum are wrong; else it is left."""
        if self._may_need_another():
            await result_of(self.ask())
            if self._verifier is None or not self._verifier.judge():
                return False
        assert self._verifier is not None
        why = await self._doubt(self._verifier.checksum)
        if why:
            self._verifier.leave_out(why)
        return not why

    def _insist(self) -> None:
        """Raise NotVerifiedError, if the object has to be checked and cannot be any more."""
        if self._mode == "require" and self._verifier is not None and self._verifier.left_out:
            raise self._not_verified(self._verifier.verdict())

    def _weigh(self, verifier: Verifier, waited: float) -> None:
        """Leave the checking, if it holds up the load and nobody insists on it."""
        name = verifier.checksum.algorithm
        if self._mode == "require" or name not in SLOW or self._hashed < _TELLING or self._hashing is None:
            return
        elapsed, used = time.perf_counter() - self._began, time.process_time() - self._used
        if self._hashing.holds_up(elapsed, used, waited):
            verifier.leave_out(f"{name} would hold up the load; --verify=require waits for it")

    def _not_verified(self, verdict: str) -> NotVerifiedError:
        name = self._source.name
        return NotVerifiedError(
            f"{name}: verify is 'require', but the object was {verdict}. Use --verify=auto to load it anyway.", uri=name
        )
