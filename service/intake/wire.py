"""The frames between the gateway and a decoder process: a length and that many bytes, over a pipe."""

from __future__ import annotations

import struct
from typing import IO, Literal

Reading = Literal["picture", "opening"]
"""What a picture is to be read as: itself, or where it is transparent."""
LENGTH = struct.Struct(">I")


def write_frame(pipe: IO[bytes], data: bytes) -> None:
    """Send `data` (below 4 GiB) whole. Raises `OSError` when the other side is gone."""
    pipe.write(LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> bytes:
    """The next frame. Raises `EOFError` when the other side is gone, mid-frame included."""
    (size,) = LENGTH.unpack(_exactly(pipe, LENGTH.size))
    return _exactly(pipe, size)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) != size:
        raise EOFError
    return data
