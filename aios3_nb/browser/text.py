"""The words of the bucket browser: what state it is in, and the way on from there.

Everything that comes from S3 passes through `visible` here, on its way to a widget.
"""

from __future__ import annotations

import datetime

from aios3_nb.address import S3Uri, quote
from aios3_nb.browser.model import Contents, Question
from aios3_nb.errors import CredentialsError, EndpointError, ObjectNotFoundError, S3Error
from aios3_nb.text import counted, is_visible, visible


def place_text(where: S3Uri | None) -> str:
    """Return the address as it stands in the field for it; empty for the buckets."""
    return "" if where is None else visible(str(where))


def told(error: Exception | None) -> str:
    """Return what the panel says of an error: it speaks as lines of magics do, which is what it offers to run."""
    return error.said if isinstance(error, S3Error) else str(error)


def copied_text(uri: S3Uri) -> str:
    """Return the address to be copied; quoted as the magics read it where a text field would lose characters."""
    return str(uri) if all(map(is_visible, str(uri))) else quote(str(uri))


def age_text(moment: datetime.datetime, now: datetime.datetime) -> str:
    """Return how long ago that was: ``"just now"``, ``"5 minutes ago"``, ``"3 days ago"``."""
    seconds = (now - moment).total_seconds()
    for unit, name in ((365 * 86400, "year"), (30 * 86400, "month"), (86400, "day"), (3600, "hour"), (60, "minute")):
        if (number := int(seconds // unit)) >= 1:
            return f"{number} {name}{'s' if number > 1 else ''} ago"
    return "just now"


def status_text(contents: Contents) -> str:
    """Return what is listed, or what is going on; one or two sentences."""
    match contents.state:
        case "loading":
            return f"Listing {_asked(contents.question)} …"
        case "searching":
            return f"{_searched(contents)}, nothing found yet …"
        case "empty":
            return _nothing(contents)
        case "denied" | "error":
            return f"{_of_error(contents)}\n{_way_on(contents)}"  # some end in a command to copy
        case _:
            return _found(contents)


def title_text(contents: Contents) -> str:
    """Return what stands in the place of the rows when there are none, in two or three words."""
    error = contents.error
    if isinstance(error, CredentialsError):
        return "No credentials"
    if isinstance(error, EndpointError):
        return "The endpoint is out of reach"
    if contents.state == "denied":
        return "Buckets may not be listed" if contents.question.where is None else "Access denied"
    if error is not None:
        return "This could not be listed"
    return "No match" if contents.question.is_filtered else "Nothing here"


def _asked(question: Question) -> str:
    if question.where is None:
        return "the buckets"
    begun = f", names that begin with '{visible(question.prefix, most=40)}'" if question.prefix else ""
    return f"{visible(str(question.where), most=100)}{begun}"


def _searched(contents: Contents) -> str:
    return f"Looked at {counted(contents.looked, 'key')} for '{visible(contents.question.needle, most=40)}'"


def _found(contents: Contents) -> str:
    if contents.question.is_search:
        hint = " …" if contents.busy else ". Search on: there are more keys" if contents.token else ", all there are"
        return f"{_searched(contents)}: {contents.count:,} found{hint}."
    text = counted(contents.count, *(("bucket",) if contents.question.where is None else ("entry", "entries")))
    if not contents.complete:
        text += " so far"
        if contents.sort != "name" or contents.descending:
            text += f"; the order by {contents.sort} covers only these"
    return f"{text}{' …' if contents.busy else '.'}"


def _nothing(contents: Contents) -> str:
    question = contents.question
    if contents.listed_at is None:
        return "Stopped before anything came. Press Refresh to list it again."
    if question.is_search:
        rest = "Search on: there are more keys." if contents.token else "That is all there is; try another text."
        return f"{_searched(contents)}: none has it. {rest}"
    if question.prefix or question.needle:
        return f"Nothing in {_asked(question)}. Clear the filter, or search with 'contains'."
    if question.where is None:
        return "These credentials have no buckets. Type an address such as s3://bucket/ above to open another's."
    return f"{_asked(question)} is empty. Upload something, or go up."


def _of_error(contents: Contents) -> str:
    if contents.state == "denied" and contents.question.where is None:
        return "These credentials may not list buckets; they may still open some."
    return told(contents.error)


def _way_on(contents: Contents) -> str:
    error = contents.error
    if contents.state == "denied":
        if contents.question.where is None:
            return "Type one above, such as s3://bucket/folder/, and press Enter."
        return "Type a folder that you may list, or choose another profile above."
    if isinstance(error, CredentialsError):
        return "Then press Refresh, or choose another profile above."
    if isinstance(error, EndpointError):
        return "The endpoint can be changed above."
    if isinstance(error, ObjectNotFoundError):
        return "Go up, or type another address above."
    return "Press Refresh to try again." + (" What was listed before it stays." if contents.count else "")
