"""What is recognised but not loaded here, and who loads it from the file that `aios3_nb.open` returns."""

from __future__ import annotations

from collections.abc import Callable

from aios3_nb.formats.format import Format, begins_with

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def _zip_with(*parts: bytes) -> Callable[[bytes], bool]:
    """Return whether a head is of a zip file, one of whose first members has one of `parts` in its name."""

    def matches(head: bytes) -> bool:
        return head.startswith(_ZIP) and any(part in head[:1024] for part in parts)

    return matches


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


REFUSED = (
    Format(
        name="torch",
        suffixes=(".pt", ".pth", ".ckpt"),
        matches=_zip_with(b"data.pkl"),
        advice="This is a PyTorch file. Without running what it contains: "
        "torch.load(aios3_nb.open(uri), weights_only=True)",
    ),
    Format(
        name="excel",
        suffixes=(".xlsx", ".xlsm", ".xls"),
        matches=_zip_with(b"[Content_Types].xml", b"xl/"),
        advice="This is an Excel workbook: pandas.read_excel(aios3_nb.open(uri))",
    ),
    Format(
        name="zip",
        suffixes=(".zip",),
        matches=begins_with(*_ZIP),
        advice="This is a zip archive: zipfile.ZipFile(aios3_nb.open(uri))",
    ),
    Format(
        name="tar",
        suffixes=(".tar", ".tgz", ".tbz2", ".txz"),
        matches=_is_tar,
        advice="This is a tar archive: tarfile.open(fileobj=aios3_nb.open(uri))",
    ),
    Format(
        name="7z",
        suffixes=(".7z",),
        matches=begins_with(b"7z\xbc\xaf\x27\x1c"),
        advice="This is a 7z archive: py7zr.SevenZipFile(aios3_nb.open(uri))",
    ),
    Format(
        name="rar",
        suffixes=(".rar",),
        matches=begins_with(b"Rar!\x1a\x07"),
        advice="This is a RAR archive: rarfile.RarFile(aios3_nb.open(uri))",
    ),
    Format(
        name="snappy",
        suffixes=(".snappy", ".sz"),
        matches=begins_with(b"\xff\x06\0\0sNaPpY"),
        advice="This is compressed with Snappy, which is not expanded here: "
        "snappy.StreamDecompressor().decompress(aios3_nb.open(uri).read())",
    ),
    Format(
        name="brotli",
        suffixes=(".br",),
        advice="This is compressed with Brotli, which is not expanded here: "
        "brotli.decompress(aios3_nb.open(uri).read())",
    ),
    Format(
        name="lzo",
        suffixes=(".lzo",),
        matches=begins_with(b"\x89LZO\0\r\n\x1a\n"),
        advice="This is compressed by lzop, which is not expanded here. Save its bytes (--format bytes) to a file; "
        "then lzop -d",
    ),
    Format(
        name="compress",
        matches=begins_with(b"\x1f\x9d"),
        advice="This is compressed by Unix's compress, which is not expanded here: "
        "unlzw3.unlzw(aios3_nb.open(uri).read())",
    ),
    Format(
        name="hdf5",
        suffixes=(".h5", ".hdf5", ".hdf", ".h5ad", ".nc"),
        matches=begins_with(b"\x89HDF\r\n\x1a\n"),
        advice="This is an HDF5 file: h5py.File(aios3_nb.open(uri))",
    ),
    Format(
        name="r",
        suffixes=(".rds", ".rda", ".rdata"),
        matches=begins_with(b"X\n\0\0\0", b"RDX2\n", b"RDX3\n"),
        advice="This is a file of R's. Save its bytes (--format bytes) to a file; then pyreadr.read_r(path)",
    ),
    Format(
        name="pdf",
        suffixes=(".pdf",),
        matches=begins_with(b"%PDF"),
        advice="This is a PDF document: pypdf.PdfReader(aios3_nb.open(uri))",
    ),
    Format(
        name="orc",
        suffixes=(".orc",),
        matches=begins_with(b"ORC"),
        advice="This is an ORC file: pandas.read_orc(aios3_nb.open(uri))",
    ),
    Format(
        name="avro",
        suffixes=(".avro",),
        matches=begins_with(b"Obj\x01"),
        advice="This is an Avro file: list(fastavro.reader(aios3_nb.open(uri)))",
    ),
    Format(
        name="sqlite",
        suffixes=(".sqlite", ".sqlite3", ".db"),
        matches=begins_with(b"SQLite format 3\0"),
        advice="This is an SQLite database. Save its bytes (--format bytes) to a file; then sqlite3.connect(path)",
    ),
)
