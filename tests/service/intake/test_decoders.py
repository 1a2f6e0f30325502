"""The decoder processes: what they refuse, what they survive, what they are allowed."""

from __future__ import annotations

import gzip
import io
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from service.errors import Refusal
from service.intake.decoders import Decoders
from tests.figures import Figure
from tests.service import pictures
from tests.service.pictures import encoded, gradient, mutated

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    pool = Decoders(1, max_bytes=25 * MEGABYTE, max_pixels=25_000_000, seconds=20)
    pool.start()
    yield pool
    pool.close()


def code_of(decoders: Decoders, data: bytes) -> str:
    """Why it is refused; the process must still be able to serve the next picture."""
    with pytest.raises(Refusal) as refusal:
        decoders.take_in(data)
    assert decoders.take_in(encoded(gradient())).width == gradient().width
    return refusal.value.code


def outcome(decoders: Decoders, data: bytes) -> int:
    """The status an upload of this would have."""
    try:
        decoders.take_in(data)
    except Refusal as refusal:
        return refusal.status
    return 201


def pid_of(decoders: Decoders) -> int:
    with decoders._borrow() as process:
        return process.pid


def peak_bytes(pid: int) -> int:
    """The most memory a process ever had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise AssertionError


@pytest.mark.fault(45)
@pytest.mark.parametrize("name", pictures.FOREIGN)
def test_other_formats_never_reach_a_process(name: str) -> None:
    unstarted = Decoders(0, max_bytes=MEGABYTE, max_pixels=100, seconds=1)
    with pytest.raises(Refusal) as refusal:
        unstarted.take_in(pictures.FOREIGN[name]())
    assert refusal.value.code == "unsupported_image"


@pytest.mark.fault(41)
@pytest.mark.parametrize("name", pictures.BROKEN)
def test_broken_pictures(decoders: Decoders, name: str) -> None:
    assert code_of(decoders, pictures.BROKEN[name]()) == "invalid_image"


@pytest.mark.fault(42)
@pytest.mark.parametrize("name", pictures.UNSUPPORTED)
def test_pictures_of_the_wrong_kind(decoders: Decoders, name: str) -> None:
    assert code_of(decoders, pictures.UNSUPPORTED[name]()) == "unsupported_image"


BOMBS: pictures.Corpus = {
    **pictures.TOO_LARGE,
    "16384x16384 WebP": pictures.BROKEN["16384x16384 WebP"],
    "9000x9000 WebP": lambda: pictures.webp_header(9_000, 9_000),
    "comment": pictures.text_bomb,
    "profile": lambda: pictures.with_chunk(b"iCCP", b"sRGB\0\0" + pictures.unfolding()),
    "unicode comment": lambda: pictures.with_chunk(b"iTXt", b"Comment\0\1\0\0\0" + pictures.unfolding()),
    "301 frames": pictures.UNSUPPORTED["301 frames"],
    "gzip": lambda: gzip.compress(bytes(10**8)),
    "PNG in gzip": lambda: gzip.compress(encoded(gradient())),
    "pixels of a GIF": lambda: b"GIF89a\xff\xff\xff\xff" + bytes(1000),
}


@pytest.mark.fault(40)
def test_bombs_are_refused_in_flat_memory(decoders: Decoders, figure: Figure) -> None:
    decoders.take_in(encoded(gradient()))
    pid = pid_of(decoders)
    before = peak_bytes(pid)
    statuses = [outcome(decoders, make()) for make in BOMBS.values()]
    figure(40, "inputs", len(statuses))
    figure(40, "answers other than 422", sum(status != 422 for status in statuses))
    assert outcome(decoders, pictures.mpo_with_a_bomb()) == 201  # the JPEG it starts with is harmless
    figure(40, "memory added to the decoder", (peak_bytes(pid) - before) / MEGABYTE)
    assert pid_of(decoders) == pid
    for make in pictures.TOO_LARGE.values():
        assert code_of(decoders, make()) == "image_too_large"


def test_the_largest_picture_fits_into_the_limits(decoders: Decoders) -> None:
    exif = gradient().getexif()
    exif[0x0112] = 6
    large = gradient((250, 250)).convert("RGBA").resize((5000, 5000))
    data = encoded(large, "PNG", compress_level=1, exif=exif, icc_profile=pictures.swapped_profile())
    assert decoders.take_in(data).width == 5000


def test_a_picture_of_too_many_bytes(decoders: Decoders) -> None:
    assert code_of(decoders, encoded(gradient()) + b"\0" * 25 * MEGABYTE) == "image_too_large"


@pytest.mark.fault(41)
def test_mutations_are_taken_or_refused(decoders: Decoders, figure: Figure) -> None:
    dice = random.Random(41)
    seeds = [
        make() for corpus in (pictures.TAKEN, pictures.FOREIGN, pictures.BROKEN) for make in corpus.values()
    ]
    seeds = [seed for seed in seeds if 0 < len(seed) < MEGABYTE // 8]
    outcomes = [outcome(decoders, mutated(dice, seed)) for seed in seeds * (300 // len(seeds) + 1)]
    assert set(outcomes) == {201, 422}
    figure(41, "inputs", len(outcomes))
    figure(41, "5xx", sum(status >= 500 for status in outcomes))
    assert decoders.take_in(encoded(gradient())).width == gradient().width


def test_an_overrunning_process_is_replaced() -> None:
    pool = Decoders(1, max_bytes=MEGABYTE, max_pixels=10**6, seconds=0.5)
    pool.start()
    try:
        stuck = pid_of(pool)
        os.kill(stuck, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(Refusal) as refusal:
            pool.take_in(encoded(gradient()))
        assert refusal.value.code == "invalid_image"
        assert time.monotonic() - began < 5
        assert pid_of(pool) != stuck
    finally:
        pool.close()


def test_a_process_that_died_idle_costs_no_picture(decoders: Decoders) -> None:
    pid = pid_of(decoders)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert decoders.take_in(encoded(gradient())).height == gradient().height
    assert pid_of(decoders) != pid


@pytest.mark.fault(54)
def test_a_process_knows_no_secret(decoders: Decoders) -> None:
    pid = pid_of(decoders)
    assert Path(f"/proc/{pid}/environ").read_bytes() == b""
    targets = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    assert sorted(target.split(":")[0] for target in targets) == ["/dev/null", "pipe", "pipe"]


def test_a_picture_is_read_as_its_opening_when_that_is_asked(decoders: Decoders) -> None:
    picture = gradient().convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 20, 30))
    opened = Image.open(io.BytesIO(decoders.take_in(encoded(picture), "opening").png))
    assert sorted(opened.getcolors() or ()) == [(600, (0, 0, 0)), (600, (255, 255, 255))]
    assert decoders.take_in(encoded(picture)).width == 40
    with pytest.raises(Refusal, match="nowhere transparent"):
        decoders.take_in(encoded(gradient()), "opening")
