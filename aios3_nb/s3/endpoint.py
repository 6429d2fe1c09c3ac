"""Whose server a client asks: AWS's own, or another one."""

from __future__ import annotations

import functools
from typing import Any

from aios3_nb.address import server_of


def endpoint_of(client: Any) -> str:
    """Return the endpoint that `client` asks, wherever it was set; empty for AWS's own S3 in the client's region.

    It is AWS only when it is, to the letter, a host that botocore's own data give for the region when nothing overrides
    them. Everything else under ``amazonaws.com`` can be anybody's: a bucket, a gateway, a machine.

    Raises:
        OptionError: It is no plain URL of a server.
    """
    url = str(client.meta.endpoint_url)
    server = server_of(url)
    ours = server.scheme == "https" and server.port == 443 and not server.path
    return "" if ours and server.host in _hosts_of_aws(client.meta.region_name) else url


@functools.cache
def _hosts_of_aws(region: str | None) -> frozenset[str]:
    resolver = _resolver()
    hosts = set()
    for dualstack in (False, True):
        for fips in (False, True):
            found = resolver.construct_endpoint("s3", region, use_dualstack_endpoint=dualstack, use_fips_endpoint=fips)
            hosts.add((found or {}).get("hostname"))
    if region == "us-east-1":
        hosts.add("s3.amazonaws.com")  # what its clients ask
    return frozenset(host for host in hosts if host)


@functools.cache
def _resolver() -> Any:
    """Return botocore's endpoints as it brings them: ``AWS_DATA_PATH`` and ``~/.aws/models`` could hold others."""
    from botocore.loaders import Loader
    from botocore.regions import EndpointResolver

    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    return EndpointResolver(loader.load_data("endpoints"))
