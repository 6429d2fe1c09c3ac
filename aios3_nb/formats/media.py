"""Pictures and sounds: values that a notebook shows, with their bytes as ``.data``."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from aios3_nb.errors import FormatError, TooLargeError, TruncatedError
from aios3_nb.formats.format import Format, LoadOptions, library_errors, package
from aios3_nb.text import size_text

_PICTURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF87a": "gif", b"GIF89a": "gif"}
_SOUNDS = {b"ID3": "audio/mpeg", b"fLaC": "audio/flac", b"OggS": "audio/ogg"}
_BYTES_A_PIXEL = 4
"""As PIL has most of them; no kind of it has more."""
_MPEG_FRAMES = (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
"""What an MP3 without tags begins with; too little to know it by without a suffix."""


def picture_kind(head: bytes) -> str:
    """Return what IPython calls the picture that begins with `head`; empty if it is none that is known."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return next((kind for magic, kind in _PICTURES.items() if head.startswith(magic)), "")


def sound_kind(head: bytes) -> str:
    """Return the media type of the sound that begins with `head`; empty if it is none that is known."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[4:8] == b"ftyp" and head[8:11] == b"M4A":
        return "audio/mp4"
    return next((kind for magic, kind in _SOUNDS.items() if head.startswith(magic)), "")


def _load_picture(file: BinaryIO, options: LoadOptions) -> Any:
    data = _all(file, "picture")
    if options.as_ == "pil":
        return _of_pil(data, options)
    kind = picture_kind(data)
    if not kind:
        raise FormatError(
            "Not a picture that a notebook shows (PNG, JPEG, GIF, WebP). Say --format bytes for its bytes."
        )
    with package("ipython", "pictures"):
        from IPython.display import Image
    return Image(data=data, format=kind)


def _of_pil(data: bytes, options: LoadOptions) -> Any:
    with package("pillow", "pictures of PIL"):
        from PIL import Image
    with library_errors("picture"):
        picture = Image.open(io.BytesIO(data))
        size = picture.width * picture.height * _BYTES_A_PIXEL
        if options.max_bytes is not None and size > options.max_bytes:
            raise TooLargeError(
                f"The picture has {picture.width:,} x {picture.height:,} pixels, more than --max-bytes "
                f"{size_text(options.max_bytes)}. Raise it if you want the picture."
            )
        picture.load()  # now, and not when it is first looked at: it may be broken
    return picture


def _load_sound(file: BinaryIO, options: LoadOptions) -> Any:
    data = _all(file, "sound")
    kind = sound_kind(data) or ("audio/mpeg" if data.startswith(_MPEG_FRAMES) else "")
    if not kind:
        raise FormatError(
            "Not a sound that a notebook plays (WAV, MP3, FLAC, Ogg, M4A). Say --format bytes for its bytes."
        )
    with package("ipython", "sounds"):
        from IPython.display import Audio
    sound = Audio(data=data)
    sound.mimetype = kind  # it knows only that of files
    return sound


def _all(file: BinaryIO, kind: str) -> bytes:
    data = file.read()
    if not data:
        raise TruncatedError(f"The {kind} is empty.", offset=0)
    return data


IMAGE = Format(
    name="image",
    suffixes=(".png", ".jpg", ".jpeg", ".gif", ".webp"),
    matches=lambda head: bool(picture_kind(head)),
    loader=_load_picture,
    is_picture=True,
    way_on="PIL.Image.open(aios3_nb.open(uri))",
)
AUDIO = Format(
    name="audio",
    suffixes=(".wav", ".mp3", ".flac", ".ogg", ".oga", ".m4a"),
    matches=lambda head: bool(sound_kind(head)),
    loader=_load_sound,
    way_on="aios3_nb.open(uri).read()",
)
