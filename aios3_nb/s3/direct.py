"""Further GetObject requests of a bucket, made from the first one: a third of the time of aiobotocore's own.

aiobotocore resolves the endpoint, finds the credentials and puts a bucket's first request together, and that request
is kept. Those after it differ in key, range, ``If-Match`` and version alone; they are signed as the client's own
signer has signed the first one, or by it, sent through its own session, and of the answer only the headers are read
that are used here. What is not as expected goes the long way, and so does what somebody else watches, and a request
that the store answers with a redirect or calls malformed: botocore may find another region then.

::

    get_object ──> as kept for the bucket ──> signed ──> the session ──> 200, 206: headers and body
                   └ nothing kept: aiobotocore (which is kept)           └ else: botocore's own parser and error
"""

from __future__ import annotations

import contextvars
import functools
import uuid
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from aios3_nb.s3.foreign import refuse_page
from aios3_nb.s3.hooks import has_handlers, is_wrapped
from aios3_nb.s3.signature import Signature, credentials_of, learned
from aios3_nb.s3.transport import Received, receive

_VARYING = {
    "Range": "Range",
    "IfMatch": "If-Match",
    "IfNoneMatch": "If-None-Match",
    "ChecksumMode": "x-amz-checksum-mode",
}
"""Argument -> header. ``Key`` and ``VersionId`` vary too, in the address; all other arguments are a bucket's own."""

_ADDRESS = ("Key", "VersionId")
_COMMON = ("user-agent", "x-amz-request-payer")
"""Headers that are the same in all requests of a bucket; any other may belong to one call alone."""

_LONG_WAY = frozenset((301, 302, 303, 307, 308, 400))

_Arguments = Mapping[str, str]
_Converters = Mapping[str, tuple[str, Callable[[str], Any]]]

_sent: contextvars.ContextVar[list[Any] | None] = contextvars.ContextVar("aios3_nb_sent", default=None)
"""Where the request that aiobotocore is making now is put down, when somebody wants to see it."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the requests of one bucket have in common."""

    method: str
    address: str
    auth_path: str | None
    headers: tuple[tuple[str, str], ...]
    context: Mapping[str, Any]
    signature: Signature | None = None


_kept: weakref.WeakKeyDictionary[Any, dict[tuple[tuple[str, str], ...], _Kept]] = weakref.WeakKeyDictionary()


def watch(client: Any) -> None:
    """Have `client`, which is this package's own, make requests from earlier ones; not if somebody else watches."""
    if has_handlers(client):
        return
    _kept[client] = {}
    client.meta.events.register_last("before-sign.s3.GetObject", _note)
    client.meta.events.register_last("before-send.s3.GetObject", _note_sent)


async def get_object(client: Any, arguments: _Arguments) -> dict[str, Any]:
    """Return the answer that ``client.get_object(**arguments)`` gives, as far as this package reads it.

    Raises:
        botocore.exceptions.ClientError: As from the client itself; and aiobotocore's other errors.
    """
    kept = _kept.get(client)
    if kept is None or is_wrapped(client):
        return await _long_way(client, arguments)
    common = tuple(item for item in arguments.items() if item[0] not in _VARYING and item[0] not in _ADDRESS)
    template = kept.get(common)
    if template is None:
        requests: list[Any] = []
        token = _sent.set(requests)
        try:
            answer = await _long_way(client, arguments)
        finally:
            _sent.reset(token)
        if requests and (template := _template(requests[-1], arguments)):
            try:
                kept[common] = await _learned(client, template, arguments, requests[-1].sent)
            except BaseException:
                answer["Body"].close()
                raise
        return answer
    response = await _send(client, template, arguments)
    if 200 <= response.status < 300:  # proxies that change something say 203
        return _answer(client, response)
    if response.status in _LONG_WAY:
        response.raw.close()
        kept.pop(common, None)
        return await _long_way(client, arguments)
    return await _refused(client, response)


async def _long_way(client: Any, arguments: _Arguments) -> dict[str, Any]:
    answer: dict[str, Any] = await client.get_object(**arguments)
    return answer


def _note(request: Any, **_: Any) -> None:
    requests = _sent.get()
    if requests is not None:
        requests.append(_copied(request))


def _note_sent(request: Any, **_: Any) -> None:
    requests = _sent.get()
    if requests:
        requests[-1].sent = _texts(request.headers)


def _texts(headers: Any) -> dict[str, str]:
    return {name: text if isinstance(text, str) else text.decode() for name, text in headers.items()}


def _copied(request: Any) -> SimpleNamespace:
    """Return what the request is before it is signed and sent, which changes it."""
    context = dict(request.context)
    if "retries" in context:
        context["retries"] = dict(context["retries"])
    return SimpleNamespace(
        method=request.method,
        url=request.url,
        params=request.params,
        data=request.data,
        headers=tuple(request.headers.items()),
        auth_path=request.auth_path,
        context=context,
        sent={},
    )


def _template(request: Any, arguments: _Arguments) -> _Kept | None:
    """Return what is common to the bucket's requests; None when `request` is not of the form known here."""
    address, _, query = request.url.partition("?")
    key, version = _encoded(arguments["Key"]), arguments.get("VersionId", "")
    auth_path = request.auth_path
    if request.data or request.params or f"?{query}".rstrip("?") != _query(version) or not address.endswith("/" + key):
        return None
    if auth_path is not None and not auth_path.endswith("/" + key):
        return None
    varying = {header.lower() for argument, header in _VARYING.items() if argument in arguments}
    if any(name.lower() not in (*_COMMON, *varying) for name, _ in request.headers):
        return None
    return _Kept(
        method=request.method,
        address=address[: len(address) - len(key)],
        auth_path=None if auth_path is None else auth_path[: len(auth_path) - len(key)],
        headers=tuple(item for item in request.headers if item[0].lower() not in varying),
        context=request.context,
    )


def _encoded(key: str) -> str:
    """Return `key` as botocore writes it into an address."""
    return quote(key.encode(), safe="/~")


def _query(version: str) -> str:
    return f"?versionId={quote(version.encode(), safe='-._~')}" if version else ""


async def _learned(client: Any, template: _Kept, arguments: _Arguments, sent: Mapping[str, str]) -> _Kept:
    """Return `template` with how its requests are signed, as the one whose headers were `sent`."""
    key, query = _encoded(arguments["Key"]), _query(arguments.get("VersionId", ""))
    own = frozenset(header.lower() for header in _VARYING.values())
    signature = await learned(client, template.method, template.address, key, query[1:], sent, own)
    return replace(template, signature=signature)


async def _send(client: Any, template: _Kept, arguments: _Arguments) -> Received:
    key, query = _encoded(arguments["Key"]), _query(arguments.get("VersionId", ""))
    varying = {header: arguments[argument] for argument, header in _VARYING.items() if argument in arguments}
    signature = template.signature
    by = None if signature is None else await credentials_of(client)
    if signature is None or by is None:
        headers = await _signed(client, template, key, query, varying)
    else:
        headers = signature.headers(key, query[1:], varying, by)
    http_session = client._endpoint.http_session  # noqa: SLF001  # it has no public name
    return await receive(http_session, template.method, template.address + key + query, headers)


async def _signed(client: Any, template: _Kept, key: str, query: str, varying: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a request that the client's own signer has signed."""
    request = _bodiless()(
        method=template.method,
        url=template.address + key + query,
        headers={**dict(template.headers), **varying},
        auth_path=None if template.auth_path is None else template.auth_path + key,
        stream_output=True,
    )
    request.context = dict(template.context)
    if retries := request.context.get("retries"):
        request.context["retries"] = retries | {"invocation-id": str(uuid.uuid4())}
    # What listens here signs the request, and numbers the attempts.
    await client.meta.events.emit("request-created.s3.GetObject", request=request, operation_name="GetObject")
    return _texts(request.headers)


@functools.cache
def _bodiless() -> type[Any]:
    """Return the class of requests without a body; signers ask for that, and botocore's own prepares all to tell."""
    from botocore.awsrequest import AWSRequest

    class Bodiless(AWSRequest):  # type: ignore[misc]  # botocore is not typed
        body = None

    return Bodiless


_converters: weakref.WeakKeyDictionary[Any, _Converters] = weakref.WeakKeyDictionary()


def _answer(client: Any, response: Received) -> dict[str, Any]:
    known = _converters.get(client)
    if known is None:
        known = _converters[client] = _headers_read(client)
    answer: dict[str, Any] = {}
    for header, value in response.headers.items():
        if header in known:
            name, convert = known[header]
            answer[name] = convert(value)
    answer["Body"] = SimpleNamespace(raw_stream=response.raw)
    answer["ResponseMetadata"] = {"HTTPStatusCode": response.status, "HTTPHeaders": response.headers}
    return answer


def _headers_read(client: Any) -> _Converters:
    """Return header -> (member, how its text is read), by the service model of botocore."""
    shape = client.meta.service_model.operation_model("GetObject").output_shape
    parser = client._endpoint._response_parser_factory.create_parser("rest-xml")  # noqa: SLF001
    kinds: dict[str, Callable[[str], Any]] = {
        "string": str,
        "integer": int,
        "long": int,
        "boolean": lambda text: text.lower() == "true",
        "timestamp": parser._timestamp_parser,  # noqa: SLF001
    }
    return {
        member.serialization["name"].lower(): (name, kinds[member.type_name])
        for name, member in shape.members.items()
        if member.serialization.get("location") == "header" and member.type_name in kinds
    }


async def _refused(client: Any, response: Received) -> dict[str, Any]:
    """Raise what the client itself raises for an answer that is an error."""
    from aiobotocore.awsrequest import AioAWSResponse
    from aiobotocore.endpoint import convert_to_response_dict

    model = client.meta.service_model.operation_model("GetObject")
    parser = client._endpoint._response_parser_factory.create_parser("rest-xml")  # noqa: SLF001
    answer = AioAWSResponse("", response.status, response.headers, response.raw)
    said = await convert_to_response_dict(answer, model)
    refuse_page(said)
    parsed = parser.parse(said, model.output_shape)
    if not isinstance(parsed, dict):  # a coroutine, from aiobotocore 2.20 on
        parsed = await parsed
    raise client.exceptions.from_code(parsed.get("Error", {}).get("Code"))(parsed, "GetObject")
