"""How sync code and async code reach each other.

In comes a call: of a coroutine function from sync code (`bridge`, `background`, `thread_bridge`), or of a function
that blocks from a coroutine (`in_thread`). Out comes its result, on the right loop, and at Ctrl-C one
KeyboardInterrupt with everything it had begun ended (`interruptible`). The room must not know what is called: no S3,
no files, no widgets.
"""

from aios3_nb.loop.bridges import Bridge, bridge, thread_bridge
from aios3_nb.loop.interrupts import interruptible
from aios3_nb.loop.threads import background, in_thread

__all__ = ["Bridge", "background", "bridge", "in_thread", "interruptible", "thread_bridge"]
