"""The decoder processes: what they refuse, what they survive, what they are allowed."""

from __future__ import annotations

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
from tests.service import pictures
from tests.service.pictures import encoded, gradient

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


@pytest.mark.fault(40)
def test_bombs_are_refused_in_flat_memory(decoders: Decoders) -> None:
    decoders.take_in(encoded(gradient()))
    before = peak_bytes(pid_of(decoders))
    for make in pictures.TOO_LARGE.values():
        assert code_of(decoders, make()) == "image_too_large"
    assert code_of(decoders, pictures.text_bomb()) == "invalid_image"
    assert peak_bytes(pid_of(decoders)) - before < 200 * MEGABYTE


def test_the_largest_picture_fits_into_the_limits(decoders: Decoders) -> None:
    exif = gradient().getexif()
    exif[0x0112] = 6
    large = gradient((250, 250)).convert("RGBA").resize((5000, 5000))
    data = encoded(large, "PNG", compress_level=1, exif=exif, icc_profile=pictures.swapped_profile())
    assert decoders.take_in(data).width == 5000


def test_a_picture_of_too_many_bytes(decoders: Decoders) -> None:
    assert code_of(decoders, encoded(gradient()) + b"\0" * 25 * MEGABYTE) == "image_too_large"


@pytest.mark.fault(41)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_mutations_are_taken_or_refused(decoders: Decoders, kind: str) -> None:
    dice = random.Random(41)
    seed = encoded(gradient(), kind)
    for _ in range(100):
        data = bytearray(seed)
        for _ in range(dice.randint(1, 8)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        cut = dice.choice((len(data), dice.randint(1, len(data))))
        assert outcome(decoders, bytes(data[:cut])) in (201, 422)


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
