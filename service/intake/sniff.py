"""Which of the three taken formats some bytes claim to be. Reads twelve bytes; enters no parser."""

from __future__ import annotations

from typing import Literal

PictureFormat = Literal["png", "jpeg", "webp"]


def sniff(data: bytes) -> PictureFormat | None:
    """The format by magic bytes, None for anything else, whatever its name or media type says."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return None
