"""What listings and single answers say, in the words of fsspec."""

from __future__ import annotations

from typing import Any

from aios3_nb.address import S3Uri, parse
from aios3_nb.s3 import Entry

_SCHEMES = ("aios3", "s3", "s3a", "s3n")


def path_of(uri: S3Uri) -> str:
    """Return the path that names `uri`: its bucket, and its key without a closing ``/``."""
    return str(uri).removeprefix("s3://").rstrip("/")


def uri_of(path: str) -> S3Uri:
    """Return what `path` names, literally; nothing but ``?versionId=`` at its end is special."""
    return parse(f"s3://{path}")


def stripped(path: str) -> str:
    """Return `path` without its scheme and without a closing ``/``."""
    for scheme in _SCHEMES:
        for mark in ("://", "::"):
            path = path.removeprefix(f"{scheme}{mark}")
    return path.rstrip("/")


def folder(path: str) -> dict[str, Any]:
    """Return what is said of a bucket, or of a prefix."""
    return {"name": path, "size": 0, "type": "directory", "StorageClass": "DIRECTORY"}


def described(entry: Entry) -> dict[str, Any]:
    """Return what is said of one line of a listing."""
    if entry.is_prefix:
        return folder(path_of(entry.uri))
    return {
        "name": path_of(entry.uri),
        "size": entry.size,
        "type": "file",
        "ETag": entry.etag,
        "LastModified": entry.last_modified,
        "StorageClass": entry.storage_class,
    }


def answered(path: str, answer: Any) -> dict[str, Any]:
    """Return what is said of the object at `path`, by the answer to its HEAD."""
    version = answer.get("VersionId")
    return {
        "name": path,
        "size": int(answer["ContentLength"]),
        "type": "file",
        "ETag": answer.get("ETag", ""),
        "LastModified": answer.get("LastModified"),
        "StorageClass": answer.get("StorageClass", "STANDARD"),
        "ContentType": answer.get("ContentType", ""),
        "VersionId": None if version == "null" else version,
    }
