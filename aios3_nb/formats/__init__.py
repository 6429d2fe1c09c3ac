"""A file becomes a value, or items.

In come a file, a name and the options of one load. Out comes what the file holds, decompressed and decoded, whole or
item by item while the rest is still coming. The room must not know S3: any binary file will do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.formats.buffers import check_described as check_described
    from aios3_nb.formats.codecs import (
        Held as Held,
        codec_name as codec_name,
        decompressed as decompressed,
        peek_head as peek_head,
    )
    from aios3_nb.formats.collector import collector_paused as collector_paused
    from aios3_nb.formats.decoding import codec_and_mark as codec_and_mark, told_encoding as told_encoding
    from aios3_nb.formats.expansion import ExpansionLimit as ExpansionLimit
    from aios3_nb.formats.first import first_rows as first_rows
    from aios3_nb.formats.format import (
        HEAD_SIZE as HEAD_SIZE,
        Format as Format,
        LoadOptions as LoadOptions,
        no_member as no_member,
    )
    from aios3_nb.formats.imports import noted_imports as noted_imports
    from aios3_nb.formats.media import picture_kind as picture_kind, sound_kind as sound_kind
    from aios3_nb.formats.memory import forecast as forecast
    from aios3_nb.formats.ranged import Ranged as Ranged
    from aios3_nb.formats.registry import (
        check_path as check_path,
        expected_format as expected_format,
        format_names as format_names,
        mistaken_for as mistaken_for,
        recognise as recognise,
        register as register,
    )
    from aios3_nb.formats.safetensors import read_safetensors_header as read_safetensors_header
    from aios3_nb.formats.shape import KINDS as KINDS, concatenated as concatenated
    from aios3_nb.formats.writing import (
        format_for_writing as format_for_writing,
        writable_names as writable_names,
        write as write,
    )
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        buffers="check_described",
        codecs="Held codec_name decompressed peek_head",
        collector="collector_paused",
        expansion="ExpansionLimit",
        first="first_rows",
        decoding="codec_and_mark told_encoding",
        format="HEAD_SIZE Format LoadOptions no_member",
        imports="noted_imports",
        media="picture_kind sound_kind",
        memory="forecast",
        ranged="Ranged",
        registry="check_path expected_format format_names mistaken_for recognise register",
        safetensors="read_safetensors_header",
        shape="KINDS concatenated",
        writing="format_for_writing writable_names write",
    )
