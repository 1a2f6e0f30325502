from __future__ import annotations

import pytest

from workers.addit.stage_clock import StageClock, heard_laps


def test_time_counts_for_the_innermost_stage() -> None:
    now = iter([0.0, 1.0, 4.0, 10.0, 20.0, 22.0])
    clock = StageClock(lambda: next(now))
    with clock("denoise"), clock("localize"):
        pass
    with clock("decode"):
        pass
    assert clock.seconds == {"localize": 3.0, "denoise": 7.0, "decode": 2.0}


def test_a_failed_stage_is_counted_too() -> None:
    now = iter([0.0, 2.0])
    clock = StageClock(lambda: next(now))
    with pytest.raises(ValueError, match="stop"), clock("encode"):
        raise ValueError("stop")
    assert clock.seconds == {"encode": 2.0}


def test_a_listener_hears_of_every_stage_in_full_the_innermost_first() -> None:
    heard: list[tuple[str, float]] = []
    now = iter([0.0, 1.0, 4.0, 10.0, 20.0, 22.0])
    clock = StageClock(lambda: next(now))
    with heard_laps(lambda stage, seconds: heard.append((stage, seconds))):
        with clock("denoise"), clock("localize"):
            pass
    with clock("decode"):
        pass
    assert heard == [("localize", 3.0), ("denoise", 10.0)]
