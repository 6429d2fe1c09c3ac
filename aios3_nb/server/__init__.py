"""The embedded S3 server, and sample objects for it.

In comes a wish for a server; out comes one on loopback, and a session that uses it. The room must not know how objects
are loaded: `run_demo` types lines, as a user would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.server.demo import run_demo as run_demo
    from aios3_nb.server.local import LocalServer as LocalServer, shared_server as shared_server
    from aios3_nb.server.samples import (
        DEMO_BUCKET as DEMO_BUCKET,
        all_samples as all_samples,
        put_samples as put_samples,
    )
    from aios3_nb.server.session import use_server as use_server
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        demo="run_demo",
        local="LocalServer shared_server",
        samples="DEMO_BUCKET all_samples put_samples",
        session="use_server",
    )
