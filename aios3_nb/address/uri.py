"""What the user wrote -> bucket, key and version.

A key is any text. Every form but https, which is percent-decoded, has it literally, character by character. Nothing
is trimmed, and no `.`, `..` or `//` inside a key is resolved: S3 has no folders, these are names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from aios3_nb.address import url
from aios3_nb.errors import UriError
from aios3_nb.text import in_quotes, visible

_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://")
_S3_SCHEMES = {"s3", "s3a", "s3n"}
# Neither is ever meant as a key. A slash is lost when a URI has been through pathlib.Path or os.path.normpath.
_NEARLY_S3 = re.compile(r"s3[an]?:", re.IGNORECASE)
_NEARLY_ARN = re.compile(r"arn:aws[\w-]*:")

# Nothing but this at the very end is a version; every other `?` belongs to the key.
_VERSION = re.compile(r"\?versionId=(?P<version>[^?&/#\s]*)\Z")

# An access point takes the place of the bucket, up to its name. S3, Object Lambda and Outposts:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
_ACCESS_POINT = re.compile(
    r"""(?P<bucket> arn:aws[\w-]*:s3[\w-]*:(?P<region>[a-z0-9-]*):\d{12}:
        (?:outpost[/:][\w-]+[/:])? accesspoint[/:][\w.-]+ ) (?:/(?P<key>.*))?""",
    re.VERBOSE | re.DOTALL,
)
_BUCKET_ARN = re.compile(r"arn:aws[\w-]*:s3:::(?P<bucket>[^/]+)(?:/(?P<key>.*))?", re.DOTALL)

# Other stores allow more than AWS, but none of these. `:` and `@` come with credentials put into a URI.
_NOT_IN_BUCKET = re.compile(r"[\s/:@?*\[\]\x00-\x1f\x7f]")
_UP = re.compile(r"\.\.(?:/|\Z)")
_ABOVE_BUCKETS = re.compile(r"s3[an]?:(?:/{2,3})?", re.IGNORECASE)
_WAY_UP = re.compile(r"(?:\.\./)*\.\./?")


@dataclass(frozen=True, slots=True)
class S3Uri:
    """One object, or the prefix of many; ``str()`` gives a text that `parse` reads back as the same.

    Attributes:
        bucket: Name of the bucket, or the ARN of an access point.
        key: The key, literally; empty for the bucket itself.
        version_id: One version of the object; None means the latest.
        region: Region that the user's form of the URI told; a hint, and no part of what is named.
    """

    bucket: str
    key: str = ""
    version_id: str | None = None
    region: str | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        # Without a bucket it is the list of them, as a message names it.
        return f"s3://{self.bucket}/{_with_version(self.key, self.version_id)}" if self.bucket else "s3://"

    @property
    def is_prefix(self) -> bool:
        """Whether this is a bucket or ends in ``/``, as the place of many objects does (and rarely an object)."""
        return not self.key or self.key.endswith("/")

    @property
    def as_prefix(self) -> S3Uri:
        """This place with a ``/`` at its end."""
        return replace(self, key=self.key if self.is_prefix else f"{self.key}/", version_id=None)

    @property
    def parent(self) -> S3Uri:
        """The prefix that this is listed under; of a bucket, the bucket."""
        head, slash, _ = self.key.removesuffix("/").rpartition("/")
        return replace(self, key=head + slash, version_id=None)

    @property
    def name(self) -> str:
        """The last part of the key, without a closing ``/``; of a bucket, the bucket's name."""
        return self.key.removesuffix("/").rpartition("/")[2] if self.key else self.bucket


def parse(text: str, *, base: S3Uri | None = None, endpoint_url: str | None = None) -> S3Uri:
    """Return what `text` names.

    ``s3://bucket/key`` (also s3a, s3n), ``arn:aws:s3:::bucket/key``, access point ARNs (bare or after ``s3://``),
    the https forms of AWS and of the endpoint in use, and keys relative to `base`, put right after its prefix. A
    ``?versionId=ID`` at the very end is the version. Of a relative key only the beginning is special: ``.`` is `base`,
    a leading ``../`` goes to the prefix above it, once each, and a leading ``./`` is dropped: whatever follows it is
    a key, literally. A ``/`` alone is the top of the bucket.

    Args:
        text: What the user wrote.
        base: Where relative keys start, set by ``%s3cd``.
        endpoint_url: The S3 endpoint in use, when it is not AWS.

    Raises:
        UriError: It names no bucket; or it is relative and there is no `base`, or leads out of its bucket.
    """
    _check_text(text)
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _schemeless(text, base)
    name = scheme["scheme"].lower()
    if name in _S3_SCHEMES:
        return _absolute(text, text[scheme.end() :])
    if name in {"http", "https"}:
        return _checked(text, S3Uri(*url.read(text, endpoint_url=endpoint_url)))
    raise UriError(f"{in_quotes(text)} is on no S3: {name}:// is not read here. Write s3://bucket/key.")


def is_absolute(text: str) -> bool:
    """Return whether `text` is read without a base: it has a scheme, or is an ARN (or is meant so)."""
    return bool(_SCHEME.match(text) or _NEARLY_S3.match(text) or _NEARLY_ARN.match(text))


def is_all_buckets(text: str, *, base: S3Uri | None) -> bool:
    """Return whether `text` is what lies above all buckets: ``s3://``, or ``..`` at the top of the bucket of `base`.

    Without a `base` one is there already, and every way up or nowhere stays there.
    """
    if _ABOVE_BUCKETS.fullmatch(text):
        return True
    if base is None:
        return text in {"/", ".", "./"} or _WAY_UP.fullmatch(text) is not None
    return _WAY_UP.fullmatch(text) is not None and text.count("..") > base.as_prefix.key.count("/")


def _schemeless(text: str, base: S3Uri | None) -> S3Uri:
    if _NEARLY_S3.match(text):
        raise UriError(f"{in_quotes(text)} is no S3 URI: two slashes go after the colon. Write s3://bucket/key.")
    if _NEARLY_ARN.match(text):
        return _arn(text)
    if base is None:
        raise UriError(
            f"{in_quotes(text)} is no S3 URI. Write s3://bucket/key, "
            "or set the place where keys start: %s3cd s3://bucket/prefix/"
        )
    return _relative(text, base)


def _absolute(text: str, rest: str) -> S3Uri:
    key, version = _split_version(rest)
    if match := _ACCESS_POINT.fullmatch(key) or _BUCKET_ARN.fullmatch(key):
        return _from_arn(text, match, match["key"] or "", version)
    bucket, _, key = key.partition("/")
    return _checked(text, S3Uri(bucket, key, version))


def _arn(text: str) -> S3Uri:
    rest, version = _split_version(text)
    match = _ACCESS_POINT.fullmatch(rest)
    if match:
        # IAM writes objects behind an access point as `.../accesspoint/NAME/object/KEY`.
        return _from_arn(text, match, (match["key"] or "").removeprefix("object/"), version)
    match = _BUCKET_ARN.fullmatch(rest)
    if match is None:
        raise UriError(
            f"{in_quotes(text)} is no ARN of a bucket or an access point. Write arn:aws:s3:::bucket/key, "
            "arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/key or s3://bucket/key."
        )
    return _from_arn(text, match, match["key"] or "", version)


def _from_arn(text: str, match: re.Match[str], key: str, version: str | None) -> S3Uri:
    uri = S3Uri(match["bucket"], key, version, match.groupdict().get("region") or None)
    return uri if "region" in match.groupdict() else _checked(text, uri)


def _relative(text: str, base: S3Uri) -> S3Uri:
    rest, version = _split_version(text)
    place = base.as_prefix
    if rest == "/":
        return replace(place, key="", version_id=version)
    if rest in {".", "./"}:
        return replace(place, version_id=version)
    if rest.startswith("./"):
        return replace(place, key=place.key + rest[2:], version_id=version)
    while match := _UP.match(rest):
        if not place.key:
            raise UriError(f"{in_quotes(text)} leads out of the bucket, from {base}. Write s3://bucket/key.")
        place, rest = place.parent, rest[match.end() :]
    return replace(place, key=place.key + rest, version_id=version)


def _with_version(key: str, version_id: str | None) -> str:
    if version_id is None and not _VERSION.search(key):
        return key
    # An empty version closes a key that itself ends like one.
    return f"{key}?versionId={version_id or ''}"


def _split_version(text: str) -> tuple[str, str | None]:
    match = _VERSION.search(text)
    return (text[: match.start()], match["version"] or None) if match else (text, None)


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise UriError(f"An S3 URI is text, not {type(text).__name__}. Write 's3://bucket/key'.")
    if not text:
        raise UriError("The S3 URI is empty. Write s3://bucket/key.")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise UriError(f"{in_quotes(text)} holds half a character (a lone surrogate), which no key can.")


def _checked(text: str, uri: S3Uri) -> S3Uri:
    """Return `uri` if its bucket can be one; the message repeats nothing that may be a secret."""
    if uri.bucket.startswith("arn:") and _ACCESS_POINT.fullmatch(uri.bucket):
        return uri
    if not uri.bucket:
        raise UriError(f"{in_quotes(text)} names no bucket. Write s3://bucket/key.")
    bad = _NOT_IN_BUCKET.search(uri.bucket)
    if bad is None:
        return uri
    if bad[0] in ":@":
        raise UriError(
            "A bucket's name has no ':' or '@' in it. Credentials are never part of a URI: "
            "name a profile with --profile, and write s3://bucket/key."
        )
    if bad[0] in "*?[]":
        raise UriError(f"{in_quotes(text)} has a pattern for its bucket; only keys can have one. Name the bucket.")
    raise UriError(
        f"{in_quotes(text)} names no bucket: '{visible(bad[0])}' is in no bucket's name. Write s3://bucket/key."
    )
