"""One request becomes one judged answer.

In come an address, settings and what is asked. Out comes S3's answer, or an error of this package that says what went
wrong; besides that the listing of a prefix, and one object stored whole or not at all. The room must not know in what
order an object's bytes are wanted, nor what they mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.s3.client import (
        client_for as client_for,
        forget_client as forget_client,
        forget_refused as forget_refused,
        gate_for as gate_for,
    )
    from aios3_nb.s3.clock import Ticker as Ticker, deadline as deadline
    from aios3_nb.s3.copying import copy_object as copy_object
    from aios3_nb.s3.crc import Crc as Crc, crc_named as crc_named
    from aios3_nb.s3.direct import get_object as get_object
    from aios3_nb.s3.endpoint import endpoint_of as endpoint_of
    from aios3_nb.s3.failures import (
        EXPIRED as EXPIRED,
        BodyEndedError as BodyEndedError,
        SilenceError as SilenceError,
        UnfitAnswerError as UnfitAnswerError,
        code_of as code_of,
        is_transient as is_transient,
        status_of as status_of,
    )
    from aios3_nb.s3.find import base_of as base_of, list_entries as list_entries, list_matching as list_matching
    from aios3_nb.s3.foreign import check_answer as check_answer
    from aios3_nb.s3.listing import (
        Entry as Entry,
        Listing as Listing,
        Page as Page,
        list_buckets as list_buckets,
        list_page as list_page,
        walk as walk,
    )
    from aios3_nb.s3.redact import stripped as stripped
    from aios3_nb.s3.removal import remove_objects as remove_objects
    from aios3_nb.s3.request import RetryBudget as RetryBudget, ask as ask
    from aios3_nb.s3.retired import has_ended as has_ended
    from aios3_nb.s3.scheme import check_scheme as check_scheme
    from aios3_nb.s3.signing import signed_url as signed_url
    from aios3_nb.s3.store import Body as Body, Upload as Upload, save as save
    from aios3_nb.s3.wording import explained as explained, gave_up as gave_up, waited_enough as waited_enough
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        client="client_for forget_client forget_refused gate_for",
        clock="Ticker deadline",
        copying="copy_object",
        crc="Crc crc_named",
        direct="get_object",
        endpoint="endpoint_of",
        failures="EXPIRED BodyEndedError SilenceError UnfitAnswerError code_of is_transient status_of",
        find="base_of list_entries list_matching",
        foreign="check_answer",
        listing="Entry Listing Page list_buckets list_page walk",
        redact="stripped",
        removal="remove_objects",
        request="RetryBudget ask",
        retired="has_ended",
        scheme="check_scheme",
        signing="signed_url",
        store="Body Upload save",
        wording="explained gave_up waited_enough",
    )
