"""Pages of listings that are read before botocore does it: what comes of them is what it makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.parsers import RestXMLParser
from botocore.session import get_session

from aios3_nb.s3.client import _timestamp
from aios3_nb.s3.pages import read_soon

SPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
ROW = (
    "<Contents><Key>a/{0}.pkl</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;{0}&quot;</ETag>"
    "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><Owner><ID>me</ID></Owner><Size>{0}</Size>"
    "<StorageClass>STANDARD</StorageClass></Contents>"
)
PAGES = {
    "rows": ROW.format(1) + ROW.format(2),
    "none": "<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated>",
    "more": ROW.format(1) + "<IsTruncated>true</IsTruncated><NextContinuationToken>a+/=</NextContinuationToken>",
    "folders": "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>b%2F</Prefix>"
    "</CommonPrefixes><EncodingType>url</EncodingType><Delimiter>/</Delimiter><Prefix></Prefix>",
    "bare rows": "<Contents><Key> a </Key><Size>5</Size></Contents><Contents><Key/><Size>0</Size><ETag/></Contents>",
    "odd times": "<Contents><Key>k</Key><LastModified>never</LastModified><Size>1</Size></Contents>",
}
LEFT = {
    "cut": "<ListBucketResult><Contents>",
    "nothing": "",
    "an error": "<Error><Code>SlowDown</Code></Error>",
    "no size": "<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>",
    "no number": "<ListBucketResult><Contents><Key>k</Key><Size>x</Size></Contents></ListBucketResult>",
    "no key": "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
}


def by_botocore(answer: dict[str, Any]) -> dict[str, Any]:
    shape = get_session().get_service_model("s3").operation_model("ListObjectsV2").output_shape
    return dict(RestXMLParser(timestamp_parser=_timestamp).parse(answer, shape))


def read(text: str, *, status: int = 200, operation: str = "ListObjectsV2") -> tuple[dict[str, Any], dict[str, Any]]:
    answer = {"status_code": status, "headers": {}, "body": text.encode()}
    page: dict[str, Any] = {}
    read_soon(operation, answer, page, _timestamp)
    return answer, page


def seen(page: dict[str, Any]) -> Any:
    """Return all of a page that is ever looked at."""
    fields = ("Key", "Size", "LastModified", "ETag", "StorageClass")
    rows = [[row.get(field) or None for field in fields] for row in page.get("Contents", ())]
    folders = [folder["Prefix"] for folder in page.get("CommonPrefixes", ())]
    rest = ("Delimiter", "EncodingType", "NextContinuationToken", "Prefix", "StartAfter")
    return rows, folders, page.get("IsTruncated", False), [page.get(name) for name in rest]


@pytest.mark.parametrize("space", [SPACE, ""], ids=["named", "bare"])
@pytest.mark.parametrize("content", PAGES.values(), ids=PAGES)
def test_a_page_is_what_botocore_makes_of_it(content: str, space: str) -> None:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult{space}>{content}</ListBucketResult>'
    answer, page = read(text)
    assert page
    assert b"Contents" not in answer["body"]  # botocore has nothing left to read
    assert seen(by_botocore(answer) | page) == seen(by_botocore(answer | {"body": text.encode()}))


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT)
def test_what_is_no_page_is_left_to_botocore(text: str) -> None:
    answer, page = read(text)
    assert (answer["body"], page) == (text.encode(), {})


def test_only_pages_of_listings_are_read() -> None:
    text = f"<ListBucketResult>{ROW.format(1)}</ListBucketResult>"
    assert read(text)[1]
    assert read(text, status=500)[1] == {}
    assert read(text, operation="ListBuckets")[1] == {}
