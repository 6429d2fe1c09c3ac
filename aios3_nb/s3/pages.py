"""A page of a listing, read from its XML in a quarter of the time that botocore takes, which is most of what it costs.

botocore parses it twice, and turns each element into a value by the description of the service. A listing is a
thousand times the same few elements, so they are read here as they stand; what is not as expected is left to
botocore, errors too.

See: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html#API_ListObjectsV2_ResponseSyntax
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

_OPERATION = "ListObjectsV2"
_READ = b"<ListBucketResult/>"
"""What is left to botocore, which takes an empty body for an error."""

_PLAIN = frozenset({"Delimiter", "EncodingType", "NextContinuationToken", "Prefix", "StartAfter"})
"""What is read of a page besides its rows; botocore decodes those that it asked to be encoded."""


def read_soon(
    operation: str,
    response_dict: dict[str, Any],
    customized_response_dict: dict[str, Any],
    timestamp: Callable[[Any], Any],
) -> None:
    """Read the page before botocore does, and leave it nothing to read; as of botocore's event ``before-parse``.

    Args:
        operation: What was asked for; all but listings are left alone.
        response_dict: The answer.
        customized_response_dict: What becomes of it goes in here.
        timestamp: Reads a time.
    """
    if operation != _OPERATION or response_dict["status_code"] != 200:
        return
    try:
        root = ElementTree.fromstring(response_dict["body"])  # noqa: S314 - with the parser that botocore uses, too
        page = _page(root, timestamp)
    except (ElementTree.ParseError, KeyError, TypeError, ValueError):
        return  # botocore says what is wrong with it
    if page is not None:
        customized_response_dict.update(page)
        response_dict["body"] = _READ


def _page(root: ElementTree.Element, timestamp: Callable[[Any], Any]) -> dict[str, Any] | None:
    # Stores other than AWS may leave the name space out; it is the same on all elements.
    space, _, name = root.tag.rpartition("}")
    space = space and f"{space}}}"
    if name != "ListBucketResult":
        return None
    page: dict[str, Any] = {"IsTruncated": root.findtext(f"{space}IsTruncated") == "true"}
    for each in _PLAIN:
        if (text := root.findtext(space + each)) is not None:
            page[each] = text
    page["Contents"] = [_row(each, len(space), timestamp) for each in root.iterfind(f"{space}Contents")]
    page["CommonPrefixes"] = [
        {"Prefix": each.findtext(f"{space}Prefix") or ""} for each in root.iterfind(f"{space}CommonPrefixes")
    ]
    return page


def _row(element: ElementTree.Element, begin: int, timestamp: Callable[[Any], Any]) -> dict[str, Any]:
    found: dict[str, Any] = {each.tag[begin:]: each.text or "" for each in element}
    # A row that has no key or no size is not taken: a KeyError, and botocore judges it.
    found |= {"Key": found["Key"], "Size": int(found["Size"])}
    if "LastModified" in found:
        found["LastModified"] = timestamp(found["LastModified"])
    return found
