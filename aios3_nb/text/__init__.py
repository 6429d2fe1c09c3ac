"""What people read: words, tables, what is told to whoever asked, and tracebacks.

In comes anything, hostile or long; out comes text that shows all of it and does nothing. The room must not know what it
is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.text.markup import table_html as table_html
    from aios3_nb.text.telling import as_call as as_call, warn as warn
    from aios3_nb.text.tracebacks import rendered as rendered
    from aios3_nb.text.words import (
        counted as counted,
        in_quotes as in_quotes,
        is_visible as is_visible,
        seconds_text as seconds_text,
        share_text as share_text,
        size_text as size_text,
        visible as visible,
        without_secrets as without_secrets,
    )
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        markup="table_html",
        telling="as_call warn",
        tracebacks="rendered",
        words="counted in_quotes is_visible seconds_text share_text size_text visible without_secrets",
    )
