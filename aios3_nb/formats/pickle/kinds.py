"""What else ends in ``.pkl``, told by its first bytes, and what to do with it."""

from __future__ import annotations

from collections.abc import Collection

_COMPRESSED = "it is compressed ({}). Name it so (model.pkl{}), or expand it first."
_TORCH = "Load it with: torch.load(aios3_nb.open(URI), weights_only=True)"

_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", _COMPRESSED.format("gzip", ".gz")),
    (b"BZh", _COMPRESSED.format("bzip2", ".bz2")),
    (b"\xfd7zXZ\x00", _COMPRESSED.format("xz", ".xz")),
    (b"\x28\xb5\x2f\xfd", _COMPRESSED.format("zstandard", ".zst")),
    (b"\x04\x22\x4d\x18", _COMPRESSED.format("lz4", ".lz4")),
    (b"PK\x03\x04", f"it is a zip archive, as PyTorch and numpy.savez write. {_TORCH}, or numpy.load(...)"),
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", f"it is PyTorch's old format. {_TORCH}"),
    (b"\x89HDF\r\n\x1a\n", "it is HDF5. Open it with: h5py.File(aios3_nb.open(URI))"),
    (b"\x93NUMPY", "it is a numpy array (.npy). Load it with: numpy.load(aios3_nb.open(URI))"),
    (b"PAR1", "it is Parquet. Load it with: pandas.read_parquet(aios3_nb.open(URI))"),
    (b"ARROW1", "it is an Arrow file. Load it with: pyarrow.feather.read_table(aios3_nb.open(URI))"),
    (b"SQLite format 3\x00", "it is an SQLite database; download it to open it."),
    (b"\x7fELF", "it is a program."),
    (b"%PDF", "it is a PDF document."),
    (b"version https://git-lfs", "it is a Git LFS pointer; the data itself was not uploaded."),
)
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_JOBLIB = "joblib.numpy_pickle"


def other_kind(head: bytes) -> str:
    """Return what a file that begins with `head` is, if it is known not to be a pickle; else nothing."""
    for magic, text in _KINDS:
        if head.startswith(magic):
            return text
    if head.startswith(_ZLIB):
        return f"it is compressed (zlib), as joblib.dump(..., compress=True) writes. {joblib_text()}"
    start = head.lstrip()[:64].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is an HTML or XML page, perhaps what a server says instead of the object."
    # '{' is no opcode, and '[' none that a pickle begins with.
    if start.startswith((b"{", b"[")):
        return "it looks like JSON. Try --format json."
    return ""


def is_joblib(names: Collection[str]) -> bool:
    """Return whether a pickle with these dotted names comes from joblib, with arrays between its opcodes."""
    return any(name.startswith(_JOBLIB) for name in names)


def joblib_text() -> str:
    """Return how to load what joblib wrote."""
    return "If you trust whoever wrote it (it can run anything): joblib.load(aios3_nb.open(URI))"
