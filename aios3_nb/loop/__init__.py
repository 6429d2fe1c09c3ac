"""How sync code and async code reach each other.

In comes a call: of a coroutine function from sync code (`bridge`, `background`, `thread_bridge`), or of a function
that blocks from a coroutine (`in_thread`). Out comes its result, on the right loop, and at Ctrl-C one
KeyboardInterrupt with everything it had begun ended (`interruptible`). `result_of` waits for what goes on when the wait
is cancelled, and a `Gate` lets so many in. The room must not know what is called: no S3, no files, no widgets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.loop.bridges import Bridge as Bridge, bridge as bridge, thread_bridge as thread_bridge
    from aios3_nb.loop.gate import Gate as Gate
    from aios3_nb.loop.interrupts import interruptible as interruptible
    from aios3_nb.loop.threads import (
        background as background,
        in_thread as in_thread,
        is_background as is_background,
    )
    from aios3_nb.loop.waiting import result_of as result_of
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        bridges="Bridge bridge thread_bridge",
        gate="Gate",
        interrupts="interruptible",
        threads="background in_thread is_background",
        waiting="result_of",
    )
