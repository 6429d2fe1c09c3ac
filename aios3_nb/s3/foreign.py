"""Answers of something that is no S3: the console's port, a login page, a portal, a proxy's or an API's error.

They are judged by the first one: asking again would bring the same page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PAGE = re.compile(rb"\s*(?:<\?xml[^>]*>\s*|<!--[\s\S]*?-->\s*)*<(?:!doctype\s+html|html|head|body|script)\b", re.I)
_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})", re.I)
_HTML, _JSON = "an HTML page", "JSON"
_TYPES = {"text/html": _HTML, "application/xhtml+xml": _HTML, "application/json": _JSON}
_NAMED_PAGE = re.compile(r"\.x?html?\Z", re.I)
_BUSY = (408, 429)
"""Besides these, 500 and more also pass: balancers and proxies say so, with a page, in front of a real S3."""


class ForeignAnswerError(Exception):
    """No S3 answered; the text says what did.

    Attributes:
        status: Of the answer.
    """

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text, status)
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


def refuse_page(response_dict: Mapping[str, Any], operation_model: Any = None, **event: Any) -> None:
    """Look at an answer before it is parsed; a handler of botocore's event ``before-parse``.

    Raises:
        ForeignAnswerError: Its body is an HTML page or JSON. S3 says all it has to say in XML. Or it says that the
            bucket is elsewhere and not where, which botocore would ask again for, until Python's stack is full.
    """
    status, body = response_dict["status_code"], response_dict["body"]
    is_lost = operation_model is not None and operation_model.name == "HeadBucket" and status in (301, 307)
    if is_lost and "x-amz-bucket-region" not in response_dict["headers"]:
        raise ForeignAnswerError(f"it answered that the bucket is elsewhere, and not in which region ({status})")
    if not isinstance(body, bytes) or status in _BUSY or status >= 500 or 300 <= status < 400:
        return
    kind = _kind(body.removeprefix(b"\xef\xbb\xbf"))
    if not body and status >= 400:  # to a HEAD
        kind = _announced(response_dict["headers"])
    if kind:
        raise ForeignAnswerError(f"it answered {kind} ({_status(status, body)})", status)


def check_answer(answer: Mapping[str, Any], key: str) -> None:
    """Look at what S3 should have said of an object: its bytes are not there yet, or there are none.

    Raises:
        ForeignAnswerError: It calls itself a page, though no store would say so of the object `key`.
    """
    metadata = answer.get("ResponseMetadata", {})
    headers = metadata.get("HTTPHeaders", {})
    known = "etag" in headers or "last-modified" in headers
    kind = _announced(headers)
    if kind and not (known and (kind == _JSON or _NAMED_PAGE.search(key))):
        raise ForeignAnswerError(f"it answered {kind} ({metadata.get('HTTPStatusCode')})")


def _announced(headers: Mapping[str, str]) -> str:
    """Return what an answer calls itself; empty when it comes with a header of S3's own."""
    named = {name.lower(): value for name, value in headers.items()}
    if any(name.startswith(("x-amz-", "x-goog-")) for name in named):
        return ""
    return _TYPES.get(named.get("content-type", "").partition(";")[0].strip().lower(), "")


def _kind(body: bytes) -> str:
    if _PAGE.match(body[:4096]):
        return _HTML
    return _JSON if body.lstrip()[:1] in (b"{", b"[") else ""


def _status(status: int, body: bytes) -> str:
    title = _TITLE.search(body[:16384])
    return f"{status}, {title[1].decode('utf-8', 'replace').strip()!r}" if title else str(status)
