"""Presigned URLs: whoever has one may read the object until it expires, without credentials."""

from __future__ import annotations

from aios3_nb.address import S3Uri
from aios3_nb.errors import OptionError, S3Error
from aios3_nb.s3.client import client_for
from aios3_nb.s3.redact import stripped
from aios3_nb.s3.wording import explained
from aios3_nb.settings import Settings

LONGEST = 7 * 24 * 3600
"""Seconds. See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html"""


async def signed_url(uri: S3Uri, settings: Settings, *, expires: float) -> str:
    """Return a URL that reads the object for `expires` seconds; nothing is sent, also not to see if there is one.

    Raises:
        CredentialsError: There are none to sign with.
        OptionError: `expires` does not fit, or requests are not to be signed.
    """
    if not 1 <= expires <= LONGEST:
        raise OptionError(f"expires={expires!r} does not fit: from 1 to {LONGEST:,} seconds (7 days) are possible.")
    if settings.no_sign_request:
        raise OptionError("Without credentials (--no-sign-request) no URL can be signed.")
    named = {"Bucket": uri.bucket, "Key": uri.key}
    if uri.version_id:
        named["VersionId"] = uri.version_id
    if settings.request_payer:
        named["RequestPayer"] = settings.request_payer
    try:
        connection = await client_for(settings)
        url = await connection.generate_presigned_url("get_object", Params=named, ExpiresIn=int(expires))
    except S3Error:
        raise
    except Exception as exc:
        raise explained(exc, uri, settings) from stripped(exc)
    return str(url)
