"""What the hub says a file contains: SHA-256 of large files, git's blob name of small ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

BLOCK = 2**22
"""Bytes read at a time."""


def agrees(file: Path, etag: str) -> bool:
    """Whether a file's content is that of an etag: 64 hex digits of SHA-256 or 40 of a git blob."""
    return digest(file, "sha256" if len(etag) == 64 else "git") == etag


def digest(file: Path, kind: str = "sha256") -> str:
    """Hex digits of a file's SHA-256, or of the name that git gives such a blob."""
    if kind == "sha256":
        hashed = hashlib.sha256()
    else:
        hashed = hashlib.sha1(b"blob %d\0" % file.stat().st_size, usedforsecurity=False)
    with file.open("rb") as content:
        while block := content.read(BLOCK):
            hashed.update(block)
    return hashed.hexdigest()
