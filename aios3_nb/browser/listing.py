"""Questions of the bucket browser, answered page by page: one request gives one batch."""

from __future__ import annotations

from dataclasses import replace

from aios3_nb.address import S3Uri
from aios3_nb.browser.model import Batch, Question
from aios3_nb.s3 import Entry, client_for, list_buckets, list_page
from aios3_nb.settings import Settings

SEARCH_PAGES = 20
"""Requests of one search before it asks whether to go on: 20,000 keys, 2 to 4 s on AWS."""

_RETRIES = 2
"""Somebody is waiting in front of the panel: an error now is better than one after a minute."""


async def batch(question: Question, settings: Settings, *, token: str = "") -> Batch:
    """Return the next part of the answer to `question`, with one request.

    Raises:
        S3Error: AccessDeniedError when this may not be listed.
    """
    settings = replace(settings, retries=min(settings.retries, _RETRIES))
    if question.where is None:
        found = await list_buckets(settings)
        return Batch(tuple(entry for entry in found if _fits(entry, question)), looked=len(found))
    if question.is_search:
        page = await list_page(question.where, settings, token=token, delimiter="")
        return Batch(tuple(e for e in page.entries if _fits(e, question)), page.token, len(page.entries))
    prefix = replace(question.where, key=question.where.key + question.prefix)
    page = await list_page(prefix, settings, token=token)
    # A console's "new folder" is an empty object with the folder's own key: nothing in the folder.
    entries = tuple(e for e in page.entries if e.uri.key != question.where.key or e.size)
    return Batch(entries, page.token, len(page.entries))


def question_for(address: S3Uri | None) -> Question:
    """Return the question for what a user typed: the folder, and what is begun of a name in it."""
    if address is None or address.is_prefix:
        return Question(address)
    return Question(address.parent, prefix=address.key[len(address.parent.key) :])


def folder_meant(question: Question, found: Batch) -> S3Uri | None:
    """Return the folder that was typed without its ``/``, when nothing else was found; None otherwise."""
    if not question.prefix or question.where is None or found.token or len(found.entries) != 1:
        return None
    only = found.entries[0].uri
    return only if only.key == f"{question.where.key}{question.prefix}/" else None


def _fits(entry: Entry, question: Question) -> bool:
    if question.where is None:
        return entry.uri.bucket.startswith(question.prefix) and question.needle.casefold() in entry.uri.bucket
    return question.needle.casefold() in entry.uri.key[len(question.where.key) :].casefold()


def profiles() -> list[str]:
    """Return the profiles of the AWS configuration files; it reads them, so not on a loop."""
    import botocore.exceptions
    import botocore.session

    try:
        return list(botocore.session.Session().available_profiles)
    except botocore.exceptions.BotoCoreError:
        return []  # a file that cannot be read; whoever connects will say so


async def endpoint(settings: Settings) -> str:
    """Return the endpoint that these settings lead to, also when a configuration file or variable names it."""
    return str((await client_for(settings)).meta.endpoint_url)
