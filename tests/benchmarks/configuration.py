"""What nginx is told, so that it answers like S3: the configuration, and what it looks up in it.

It serves a folder ``bucket/key`` as S3 does: path style, ranges, If-Match, ETag, and the stored CRC32 of an object
where a plain GET or a HEAD asks for it. Of an object that was uploaded in parts (`PARTS`) that is the checksum of the
parts' CRC32Cs, or there is only the ETag of their MD5s; and a HEAD tells the length of the first part. It accepts every
signature. A Lua line holds each answer back for as long as S3 takes to its first byte, and ``limit_rate`` lets one
connection have no more than S3 gives one.
"""

from __future__ import annotations

import base64
import os
import subprocess
import zlib
from pathlib import Path

from tests.benchmarks.samples import PART, PARTS
from tests.faults.store import composite_of, etag_of

BUCKET = "bench"
MODULES = Path("/usr/lib/nginx/modules")

FIRST_BYTE = 0.030
"""Seconds that the S3-like server takes before it answers; S3 itself: 100 to 200 ms from outside, 10 to 40 inside.

See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html
"""
SLOW_ONE = 10
"""Of so many connections to the server ``straggler`` one is slow: it brings 1 MB per second."""

RATE = "90m"
"""Bytes per second of one connection; the same page says 85 to 90 MB/s."""

_PAGE = 1000

_CONFIGURATION = """
load_module {modules}/ndk_http_module.so;
load_module {modules}/ngx_http_lua_module.so;
daemon off;
{user}
worker_processes 2;
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    log_format line escape=json '{{"port": $server_port, "method": "$request_method", "key": "$uri", '
        '"status": $status, "bytes": $body_bytes_sent, "range": "$http_range", '
        '"connection": $connection, "end": $msec, "took": $request_time}}';
    access_log {home}/access.log line;
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000;
    open_file_cache max=2000;
    map_hash_bucket_size 256;
    map_hash_max_size 8192;
    map $uri $stored_crc32 {{ include {home}/crc32.map; }}
    # S3 sends a checksum only when it is asked to, and never with a range.
    map "$http_x_amz_checksum_mode|$http_range" $crc32 {{ "ENABLED|" $stored_crc32; default ""; }}
    map $uri $stored_crc32c {{ default ""; include {home}/crc32c.map; }}
    map "$http_x_amz_checksum_mode|$http_range" $crc32c {{ "ENABLED|" $stored_crc32c; default ""; }}
    map "$crc32|$crc32c" $checksum_type {{ "|" ""; "~^[|]" "COMPOSITE"; default "FULL_OBJECT"; }}
    map $uri $etag_of_parts {{ default ""; include {home}/etag.map; }}
    ssl_certificate {home}/certificate.pem;
    ssl_certificate_key {home}/key.pem;
    {servers}
}}
"""

_SERVER = """
    server {{
        listen 127.0.0.1:{listen};
        root {root};
        {limits}
        add_header x-amz-checksum-crc32 $crc32;
        add_header x-amz-checksum-crc32c $crc32c;
        rewrite_by_lua_block {{
            if ngx.var.etag_of_parts ~= "" then ngx.req.clear_header("If-Match") end  -- nginx knows its own ETag only
        }}
        header_filter_by_lua_block {{
            local etag = ngx.var.etag_of_parts
            if etag == "" then return end
            ngx.header["ETag"] = '"' .. etag .. '"'
            if ngx.var.arg_partNumber == "1" then
                ngx.header["Content-Length"] = "{part}"
                ngx.header["x-amz-mp-parts-count"] = etag:match("-(%d+)$")
            end
        }}
        add_header x-amz-checksum-type $checksum_type;
        add_header x-amz-request-id benchmark;
        location = /{bucket} {{ types {{ }} default_type application/xml; rewrite_by_lua_block {{ {listing} }} }}
        location = /{bucket}/ {{ types {{ }} default_type application/xml; rewrite_by_lua_block {{ {listing} }} }}
        location / {{ }}
        error_page 404 @missing;
        location @missing {{
            types {{ }} default_type application/xml; return 404 "<Error><Code>NoSuchKey</Code></Error>";
        }}
    }}
"""


_LISTING = """
    local asked = ngx.req.get_uri_args()
    local folder = string.match(asked["prefix"] or "", "^[^/]+") or "small"
    ngx.req.set_uri("/" .. folder .. "-" .. (asked["continuation-token"] or "0") .. ".xml", false)
"""
"""Lua that answers a listing of a folder with the page that was written for it."""


def prepare(home: Path, root: Path) -> None:
    """Write to `home` and `root` what nginx looks up while it serves what is in ``root/BUCKET`` now."""
    _write_certificate(home)
    _write_checksums(home, root)
    for folder in (path for path in (root / BUCKET).iterdir() if path.is_dir()):
        _write_listing(root, folder)


_WAIT = f"ngx.sleep({FIRST_BYTE})"
_A_SLOW_ONE = f'if tonumber(ngx.var.connection) % {SLOW_ONE} == 3 then ngx.var.rate = "1m" end'

# In pieces of 11 ms at full rate: nginx sends a piece at once, and waits afterwards for as long as it was worth.
_LIMITS = {
    "s3": f"access_by_lua_block {{ {_WAIT} }} limit_rate {RATE}; sendfile_max_chunk 1m;",
    # nginx numbers connections one by one; which of them is slow is the same in every run.
    "straggler": f"set $rate {RATE}; access_by_lua_block {{ {_WAIT} {_A_SLOW_ONE} }} "
    "limit_rate $rate; sendfile_max_chunk 256k;",
    "even": f"access_by_lua_block {{ {_WAIT} }} limit_rate {RATE}; sendfile_max_chunk 256k;",
    "thin": f"access_by_lua_block {{ {_WAIT} }} limit_rate 1200k; sendfile_max_chunk 128k;",
    "plain": "sendfile_max_chunk 2m;",
    "tls": "ssl_protocols TLSv1.2 TLSv1.3; ssl_buffer_size 16k;",
}
"""By name of the server; ``even`` is ``straggler`` without the slow connections, ``thin`` a link of 1.2 MB/s each."""

SERVERS = tuple(_LIMITS)


def configuration(home: Path, root: Path, ports: dict[str, int]) -> str:
    """Return what nginx is to be told, with a server for each of `ports`."""
    servers = "".join(
        _SERVER.format(
            listen=f"{port} ssl" if name == "tls" else port,
            limits=_LIMITS[name],
            root=root,
            bucket=BUCKET,
            part=PART,
            listing=_LISTING,
        )
        for name, port in ports.items()
    )
    user = "user root;" if os.geteuid() == 0 else ""  # the workers would be nobody, and see no temporary folder
    return _CONFIGURATION.format(modules=MODULES, user=user, home=home, servers=servers, bucket=BUCKET)


def _write_certificate(home: Path) -> None:
    files = ["-keyout", str(home / "key.pem"), "-out", str(home / "certificate.pem")]
    who = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *who], check=True, capture_output=True
    )


def _write_checksums(home: Path, root: Path) -> None:
    """Write what nginx is to say of each object: its CRC32, or what those in parts have instead."""
    lines: dict[str, list[str]] = {"crc32": [], "crc32c": [], "etag": []}
    for path in sorted(path for path in (root / BUCKET).rglob("*") if path.is_file()):
        if path.name in PARTS:
            data = path.read_bytes()
            parts = (*[PART] * ((len(data) - 1) // PART), (len(data) - 1) % PART + 1)
            found = {"etag": etag_of(data, parts).strip('"')}
            if PARTS[path.name]:
                found[PARTS[path.name]] = composite_of(PARTS[path.name], data, parts)[1]
        else:
            found = {"crc32": base64.b64encode(crc32_of(path).to_bytes(4, "big")).decode()}
        for name, value in found.items():
            lines[name].append(f'"/{path.relative_to(root)}" "{value}";\n')
    for name, each in lines.items():
        (home / f"{name}.map").write_text("".join(each))


def crc32_of(path: Path) -> int:
    """Return the CRC32 of a file."""
    crc = 0
    with path.open("rb") as file:
        while block := file.read(8 << 20):
            crc = zlib.crc32(block, crc)
    return crc


def _write_listing(root: Path, folder: Path) -> None:
    """Write the answers of ListObjectsV2 for what is in `folder`, a thousand in each."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for first in range(0, max(1, len(paths)), _PAGE):
        page, following = paths[first : first + _PAGE], first + _PAGE
        rows = "".join(_row(path, folder.parent) for path in page)
        more = following < len(paths)
        token = f"<NextContinuationToken>{following}</NextContinuationToken>" if more else ""
        (root / f"{folder.name}-{first}.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><Prefix>{folder.name}/</Prefix><KeyCount>{len(page)}</KeyCount>"
            f"<MaxKeys>{_PAGE}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
        )


def _row(path: Path, bucket: Path) -> str:
    about = path.stat()
    etag = f'"{int(about.st_mtime):x}-{about.st_size:x}"'  # as nginx makes it
    return (
        f"<Contents><Key>{path.relative_to(bucket)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
        f"<ETag>{etag}</ETag><Size>{about.st_size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
    )
