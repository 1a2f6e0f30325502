"""The decoder process: one picture after the other under hard limits. Holds no secret, opens no file.

Started as `python -m service.intake.decoder MAX_BYTES CPU_SECONDS MAX_PIXELS`. For each two frames on stdin,
how to read (see `READINGS`) and the file, two on stdout: a JSON header (`{"width", "height"}` or `{"code",
"detail"}`) and the PNG (empty when refused).
"""

from __future__ import annotations

import io
import json
import math
import resource
import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

from PIL import Image

from service.intake.pixels import Refused, encode_png, opening, redraw
from service.intake.wire import Reading, read_frame, write_frame

READINGS: Mapping[Reading, Callable[[bytes, int], Image.Image]] = {"picture": redraw, "opening": opening}


def decode(data: bytes, max_pixels: int, reading: Reading = "picture") -> tuple[dict[str, Any], bytes]:
    """(header, PNG) of one picture; anything Pillow trips over is a refusal with a code."""
    try:
        image = READINGS[reading](data, max_pixels)
        return {"width": image.width, "height": image.height}, encode_png(image)
    except Refused as refused:
        return {"code": refused.code, "detail": str(refused)}, b""
    except MemoryError:
        return {"code": "image_too_large", "detail": "The picture needs too much memory."}, b""
    except Exception:  # whatever a broken file makes a parser raise
        return {"code": "invalid_image", "detail": "The picture is damaged or incomplete."}, b""


def main(max_bytes: int, cpu_seconds: float, max_pixels: int) -> None:
    """Serve until the gateway closes the pipe."""
    _limit(max_bytes)
    _warm_up()
    while True:
        try:
            reading, data = read_frame(sys.stdin.buffer).decode(), read_frame(sys.stdin.buffer)
        except EOFError:
            return
        _allow_cpu(cpu_seconds)
        header, png = decode(data, max_pixels, cast(Reading, reading))
        write_frame(sys.stdout.buffer, json.dumps(header).encode())
        write_frame(sys.stdout.buffer, png)


def _limit(max_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (max_bytes, max_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow_cpu(seconds: float) -> None:
    """CPU time is counted over a process's life: allow this much more, SIGXCPU beyond."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(usage.ru_utime + usage.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _warm_up() -> None:
    """Meet Pillow's lazy imports before the first caller does."""
    out = io.BytesIO()
    Image.new("RGB", (16, 16)).save(out, "JPEG")
    decode(out.getvalue(), 256)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
