"""JSON, JSON Lines, and JSON text sequences.

In comes a file, and perhaps a path into it. Out comes the value, or item after item. The room must not know where the
file comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.formats.json.dump import (
        dump_json as dump_json,
        dump_lines as dump_lines,
        dump_sequence as dump_sequence,
    )
    from aios3_nb.formats.json.load import (
        iterate_json as iterate_json,
        iterate_lines as iterate_lines,
        iterate_lines_between as iterate_lines_between,
        load_json as load_json,
        load_lines as load_lines,
    )
    from aios3_nb.formats.json.path import parse_path as parse_path
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        dump="dump_json dump_lines dump_sequence",
        load="iterate_json iterate_lines iterate_lines_between load_json load_lines",
        path="parse_path",
    )
