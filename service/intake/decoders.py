"""A few prestarted decoder processes that take turns; one that overruns or dies is replaced."""

from __future__ import annotations

import contextlib
import hashlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import Refusal
from service.intake.sniff import sniff
from service.intake.wire import Reading, read_frame, write_frame

PROJECT = Path(__file__).parents[2]
MEMORY_BYTES = 2**30
"""Address space of a decoder: enough for 25 megapixels with orientation, profile and alpha."""


@dataclass(frozen=True)
class Picture:
    """A picture taken in: upright sRGB without metadata, as a PNG."""

    png: bytes
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """Of the PNG, in hex."""
        return hashlib.sha256(self.png).hexdigest()


class Decoders:
    """Takes pictures in, from any thread. Processes start with `start` or at their first picture.

    seconds: wall clock and CPU a picture may take; waiting for a free process counts separately.
    """

    def __init__(self, count: int, *, max_bytes: int, max_pixels: int, seconds: float) -> None:
        self.max_bytes, self.seconds = max_bytes, seconds
        self._command = [
            sys.executable,
            "-Esm",
            "service.intake.decoder",
            str(MEMORY_BYTES),
            str(seconds),
            str(max_pixels),
        ]
        self._idle: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)
        self._count = count

    def start(self) -> None:
        """Start every process now."""
        for _ in range(self._count):
            self._idle.get()
        for _ in range(self._count):
            self._idle.put(_Process(self._command))

    def close(self) -> None:
        """Stop every process; those at work finish their picture first."""
        for _ in range(self._count):
            process = self._idle.get()
            if process:
                process.close()
        for _ in range(self._count):
            self._idle.put(None)

    def take_in(self, data: bytes, reading: Reading = "picture") -> Picture:
        """Decode and redraw, or see where it is transparent. Raises `Refusal`: mostly of the picture,
        rate_limited when all are busy.
        """
        if len(data) > self.max_bytes:
            raise Refusal("image_too_large", f"It has {len(data)} bytes; at most {self.max_bytes} are taken.")
        if sniff(data) is None:
            raise Refusal("unsupported_image", "This is not a PNG, JPEG or WebP picture.")
        with self._borrow() as process:
            header, png = process.decode(data, reading, self.seconds)
        if "code" in header:
            raise Refusal(header["code"], header["detail"])
        return Picture(png, header["width"], header["height"])

    @contextlib.contextmanager
    def _borrow(self) -> Iterator[_Process]:
        try:
            process = self._idle.get(timeout=self.seconds)
        except queue.Empty:
            raise Refusal(
                "rate_limited", "Too many pictures are being taken in.", headers={"Retry-After": "1"}
            ) from None
        try:
            if process and not process.alive:
                process.close()
                process = None
            process = process or _Process(self._command)
            yield process
        except _Died as died:
            died.process.close()
            process = _Process(self._command)
            raise Refusal("invalid_image", "The picture could not be decoded within the limits.") from None
        finally:
            self._idle.put(process)


class _Died(Exception):
    """The process was killed, by its limits, by the clock or by the picture."""

    def __init__(self, process: _Process) -> None:
        super().__init__()
        self.process = process


class _Process:
    """One decoder. It gets an empty environment and no descriptor but its pipes."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(  # nosec B603 # our own decoder with numbers, no shell
            command,
            cwd=PROJECT,
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._stdin, self._stdout = self._process.stdin, self._process.stdout

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        """False once it was killed, by the clock after its answer or by the system while idle."""
        return self._process.poll() is None

    def decode(self, data: bytes, reading: Reading, seconds: float) -> tuple[dict[str, Any], bytes]:
        clock = threading.Timer(seconds, self._process.kill)
        clock.start()
        try:
            write_frame(self._stdin, reading.encode())
            write_frame(self._stdin, data)
            return json.loads(read_frame(self._stdout)), read_frame(self._stdout)
        except (OSError, EOFError):
            raise _Died(self) from None
        finally:
            clock.cancel()
            clock.join()

    def close(self) -> None:
        self._process.kill()
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._stdout.close()
        self._process.wait()
