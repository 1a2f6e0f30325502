"""When an engine must die."""

from __future__ import annotations

import pytest

from workers.messages import StopReason
from workers.watch import ANSWER_SECONDS, Watch


def test_an_engine_that_keeps_stepping_may_go_on() -> None:
    watch = Watch(step_seconds=2, round_seconds=1)
    for _ in range(100):
        watch.pass_time(0.9)
        watch.pass_time(0.9)
        assert watch.verdict() is None
        watch.beat()


def test_a_step_without_end_is_a_hang() -> None:
    watch = Watch(step_seconds=2, round_seconds=1)
    for _ in range(2):
        watch.pass_time(1)
        assert watch.verdict() is None
    watch.pass_time(0.1)
    assert watch.verdict() == "hang"


def test_a_pause_of_the_machine_is_not_held_against_the_engine() -> None:
    watch = Watch(step_seconds=2, round_seconds=1)
    watch.pass_time(3600)
    assert watch.verdict() is None


@pytest.mark.parametrize("reason", ["canceled", "deadline", "superseded"])
@pytest.mark.parametrize(("step_seconds", "patience"), [(1.0, 1.0), (120.0, ANSWER_SECONDS)])
def test_a_stop_must_be_answered_even_by_an_engine_that_steps(
    reason: StopReason, step_seconds: float, patience: float
) -> None:
    watch = Watch(step_seconds, round_seconds=1)
    watch.pass_time(0.5)
    assert watch.ask(reason)
    assert not watch.ask("canceled")
    for _ in range(int(patience)):
        watch.beat()
        watch.pass_time(1)
        assert watch.verdict() is None
    watch.beat()
    watch.pass_time(0.1)
    assert watch.verdict() == reason


def test_steps_of_another_in_turns_say_that_the_own_turn_comes() -> None:
    watch = Watch(step_seconds=2, round_seconds=1)
    watch.ask("canceled")
    for _ in range(10):
        watch.pass_time(1)
        watch.pass_time(1)
        assert watch.verdict() is None
        watch.company_beat()
    for _ in range(3):
        watch.pass_time(1)
    assert watch.verdict() == "canceled"
