"""The https forms of S3 addresses that people paste: object URLs, presigned ones, pages of the AWS console.

Each is read into bucket, key, version and region. Nothing else of it is kept: the query of a presigned URL is a
credential.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from aios3_nb.errors import UriError
from aios3_nb.text import in_quotes, without_secrets

# The endpoints: https://docs.aws.amazon.com/general/latest/gr/s3.html; `s3-REGION` is the form before 2019.
_REGION = r"(?P<region>[a-z][a-z-]*-\d+)"
_AMAZON = r"\.amazonaws\.com(?:\.cn)?"
_OBJECT_HOST = re.compile(
    rf"(?:(?P<bucket>.+)\.)?s3(?:-fips|-accelerate)?(?:[.-]dualstack)?(?:[.-]{_REGION})?{_AMAZON}"
)
_ACCESS_POINT_HOST = re.compile(
    rf"(?P<name>[a-z0-9-]+)-(?P<account>\d{{12}})\.s3-accesspoint(?:-fips)?(?:\.dualstack)?\.{_REGION}{_AMAZON}"
)
_WEBSITE_HOST = re.compile(rf".*\.s3-website[.-].*{_AMAZON}")
_CONSOLE_HOST = re.compile(r"(?:.+\.)?console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)")
_CONSOLE_PATH = re.compile(r"/s3/(?:object|buckets)/(?P<bucket>[^/]+)/?(?P<key>.*)", re.DOTALL)
_LEGACY_REGIONS = {"external-1": "us-east-1"}
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


class Address(NamedTuple):
    """What a URL says of an object; `key` is empty when it names a bucket."""

    bucket: str
    key: str
    version_id: str | None = None
    region: str | None = None


def read(text: str, *, endpoint_url: str | None = None) -> Address:
    """Return what the URL `text` names, percent-decoded; the bucket is empty when it names none.

    Args:
        text: A URL with the scheme http or https.
        endpoint_url: The S3 endpoint in use, when it is not the default of AWS.

    Raises:
        UriError: It is no S3 URL, or one on another store than the endpoint in use.
    """
    url = _split(text)
    endpoint = urlsplit(endpoint_url or "")
    address = _on_endpoint(url, endpoint)
    if address is not None:
        return address
    address = _on_amazon(text, url)
    if address is None:
        raise _error(text, "is on no S3 that is known here; if it is one, name it with --endpoint-url")
    if endpoint_url and not _is_amazon(endpoint):
        # The same bucket and key on the store in use would be another object.
        raise _error(text, f"is on AWS, and the endpoint in use is {without_secrets(endpoint_url)}")
    return address


def _split(text: str) -> SplitResult:
    # urlsplit would drop these without a word, and what is left is another key.
    if any(char in text for char in "\t\r\n"):
        raise _error(text, "has a tab or line break in it; a URL writes it as %09 or %0A")
    try:
        url = urlsplit(text)
        _ = url.port
        unquote(url.path, errors="strict")
    except UnicodeDecodeError as exc:
        raise _error(text, "is not UTF-8 once percent-decoded") from exc
    except ValueError as exc:
        raise _error(text, "is no URL") from exc
    return url


def _on_endpoint(url: SplitResult, endpoint: SplitResult) -> Address | None:
    """Read `url` as an object on `endpoint`: path style, else with the bucket in front of the host."""
    host, endpoint_host = url.hostname or "", endpoint.hostname or ""
    root = endpoint.path.rstrip("/")
    if _port(url) != _port(endpoint) or not url.path.startswith(f"{root}/") or _OBJECT_HOST.fullmatch(host):
        return None
    path = url.path.removeprefix(root)
    if host == endpoint_host:
        return _path_style(path, url)
    if endpoint_host and host.endswith(f".{endpoint_host}"):
        return Address(host.removesuffix(f".{endpoint_host}"), unquote(path[1:]), _version(url))
    return None


def _on_amazon(text: str, url: SplitResult) -> Address | None:
    host = url.hostname or ""
    # AWS reads `+` in a path as a space, and its console writes spaces so:
    # https://github.com/s3tools/s3cmd/issues/554
    path = url.path.replace("+", " ")
    if _WEBSITE_HOST.fullmatch(host):
        raise _error(text, "is the address of a website on S3, not of an object")
    if _CONSOLE_HOST.fullmatch(host):
        return _console(text, url)
    if match := _ACCESS_POINT_HOST.fullmatch(host):
        return Address(_access_point(match), unquote(path[1:]), _version(url), match["region"])
    match = _OBJECT_HOST.fullmatch(host)
    if match is None:
        return None
    region = _LEGACY_REGIONS.get(match["region"], match["region"])
    if match["bucket"]:
        return Address(match["bucket"], unquote(path[1:]), _version(url), region)
    return _path_style(path, url)._replace(region=region)


def _path_style(path: str, url: SplitResult) -> Address:
    # Split first: the ARN of an access point has a slash in it, percent-encoded.
    bucket, _, key = path[1:].partition("/")
    return Address(unquote(bucket), unquote(key), _version(url))


def _access_point(match: re.Match[str]) -> str:
    """See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html."""
    region = match["region"]
    partition = next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")
    return f"arn:{partition}:s3:{region}:{match['account']}:accesspoint/{match['name']}"


def _console(text: str, url: SplitResult) -> Address:
    match = _CONSOLE_PATH.fullmatch(url.path)
    if match is None:
        raise _error(text, "is a page of the AWS console, but not that of an object, folder or bucket")
    try:
        query = parse_qs(url.query, errors="strict")
    except UnicodeDecodeError as exc:
        raise _error(text, "is not UTF-8 once percent-decoded") from exc
    key = query.get("prefix", [unquote(match["key"])])[0]
    return Address(unquote(match["bucket"]), key, _version(url), query.get("region", [None])[0])


def _version(url: SplitResult) -> str | None:
    return parse_qs(url.query).get("versionId", [None])[0]


def _port(url: SplitResult) -> int:
    return url.port or (80 if url.scheme == "http" else 443)


def _is_amazon(url: SplitResult) -> bool:
    return (url.hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _error(text: str, reason: str) -> UriError:
    return UriError(f"{in_quotes(text)} {reason}. Write s3://bucket/key.")
