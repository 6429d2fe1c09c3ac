"""What the user wrote becomes bucket, key and version; and back, quoted.

In comes a text: a URI, an ARN, an https address, a key, a glob. Out comes an `S3Uri`, or a word that a line reads back
as just that text, or the name of a variable for it. The room must not know how S3 is reached, nor what a notebook is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.address.endpoint import server_of as server_of
    from aios3_nb.address.glob import (
        glob_escape as glob_escape,
        glob_literal as glob_literal,
        glob_match as glob_match,
        glob_prefix as glob_prefix,
        is_set_aside as is_set_aside,
    )
    from aios3_nb.address.naming import check_name as check_name, is_name as is_name, name_from_key as name_from_key
    from aios3_nb.address.quoting import (
        ASSIGNED as ASSIGNED,
        is_file_name as is_file_name,
        is_located as is_located,
        quote as quote,
        quote_text as quote_text,
    )
    from aios3_nb.address.uri import (
        S3Uri as S3Uri,
        is_absolute as is_absolute,
        is_all_buckets as is_all_buckets,
        parse as parse,
    )
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        endpoint="server_of",
        glob="glob_escape glob_literal glob_match glob_prefix is_set_aside",
        naming="check_name is_name name_from_key",
        quoting="ASSIGNED is_file_name is_located quote quote_text",
        uri="S3Uri is_absolute is_all_buckets parse",
    )
