"""Text for people: hostile characters made visible, secrets left out, sizes and times in words."""

from __future__ import annotations

import re

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that ``str.isprintable`` passes and no font draws; hidden text is written with them."""

_VARIATION_SELECTORS = (0xE0100, 0xE01EF)
"""The supplementary ones, which draw nothing either. U+FE0F stays: it only makes an emoji colourful."""

_QUERY = re.compile(r"(https?://[^\s?]*\?)[^\s\"'<>]+", re.IGNORECASE)
# A secret in `s3://ID:SECRET@bucket/key`, as old tools took it, may hold slashes.
# The `:` tells it from a key with an e-mail address.
_USERINFO = re.compile(r"(\bhttps?://(?=[^\s/?#]*@)|\bs3[an]?://(?!arn:)(?=[^\s/@:]+:))[^\s@]+@", re.IGNORECASE)
_SECRET = re.compile(
    r"""\b(x-amz-(?:signature|credential|security-token) | awsaccesskeyid | signature | credential
        | aws_secret_access_key | aws_session_token)
        (["']?\s*(?:[=:]|%3D)\s*["']?) [^\s&,;"']+""",
    re.IGNORECASE | re.VERBOSE,
)


def visible(text: str, *, most: int | None = None) -> str:
    r"""Return `text` on one line, with what has no look of its own written as ``\n``, ``\x1b`` or ``\u202e``.

    Printable Unicode stays as it is, backslashes too, so the result is for reading and not for reading back.
    With `most`, a longer result is cut in the middle, at ``…``, to that many characters.
    """
    if most is not None and len(text) > most:
        # No character becomes less than one: what is cut out need not be looked at, and may be a gigabyte.
        return _cut([_shown(char) for char in text[:most]], [_shown(char) for char in text[-most:]], most)
    pieces = [_shown(char) for char in text]
    if most is not None and sum(map(len, pieces)) > most:
        return _cut(pieces, pieces, most)
    return "".join(pieces)


def without_secrets(text: str) -> str:
    """Return `text` with the queries of URLs, the credentials in them, and signatures elsewhere put as ``…``.

    The query of a presigned URL is a credential; which of its parts are harmless is not worth knowing.

    See: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    """
    text = _USERINFO.sub(r"\1…@", text)
    text = _QUERY.sub(r"\1…", text)
    return _SECRET.sub(r"\1\2…", text)


def in_quotes(text: str) -> str:
    """Return `text` as a message names what the user wrote: quoted, visible, without secrets, not too long."""
    return f"'{visible(without_secrets(text), most=120)}'"


def size_text(size: float) -> str:
    """Return `size`, in bytes, as people write it: ``"17 B"``, ``"10 KB"``, ``"1.5 GB"``; decimal units."""
    unit, name = _unit(size)
    return f"{_three_digits(size / unit)} {name}"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with what it counts: ``"1 object"``, ``"2,500 objects"``; `many` if it is not `one` and an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def share_text(part: float, whole: float) -> str:
    """Return two sizes, in bytes, in one unit if it shows both: ``"0.3 of 954 MB"``, ``"3 KB of 1 GB"``."""
    unit, name = _unit(whole)
    shown = _three_digits(part / unit)
    if shown == "0" and part:
        shown = size_text(part)
    return f"{shown} of {_three_digits(whole / unit)} {name}"


def seconds_text(seconds: float) -> str:
    """Return a duration: ``"25 ms"``, ``"1.1 s"``, ``"2 min 5 s"``, ``"1 h 3 min"``."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.5:
        return f"{_three_digits(seconds)} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def is_visible(char: str) -> bool:
    """Return whether `char` can be told on a screen: no control, format, odd space, surrogate or filler."""
    low, high = _VARIATION_SELECTORS
    return char.isprintable() and char not in _INVISIBLE and not low <= ord(char) <= high


def _shown(char: str) -> str:
    if is_visible(char):
        return char
    return char.encode("unicode_escape").decode("ascii")


def _cut(first: list[str], last: list[str], most: int) -> str:
    """Return the beginning of `first` and the end of `last` in `most` characters; no escape is cut in two."""
    room = max(most - 1, 0)
    head = _taken(first, (room + 1) // 2)
    tail = _taken(last[::-1], room - len("".join(head)))[::-1]
    return "".join([*head, "…", *tail])


def _taken(pieces: list[str], room: int) -> list[str]:
    taken = []
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            break
        taken.append(piece)
    return taken


def _unit(size: float) -> tuple[int, str]:
    for power, name in enumerate(("B", "KB", "MB", "GB", "TB")):
        # 999.5 KB would be shown as "1000 KB".
        if abs(size) < 999.5 * 1000**power:
            return 1000**power, name
    return 1000**5, "PB"


def _three_digits(number: float) -> str:
    """Return `number` with one decimal below 10 and none above; ``"1"`` rather than ``"1.0"``."""
    return f"{number:.0f}" if number >= 9.95 else f"{number:.1f}".removesuffix(".0")
