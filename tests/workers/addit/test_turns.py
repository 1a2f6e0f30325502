"""Jobs that take turns: never two at once, answered together, each with an end of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from workers.addit.stage_clock import StageClock, seconds_away
from workers.addit.turns import Ask, take_turns


@dataclass(frozen=True)
class Number:
    value: int
    rows: int = 1


def doubled(asked: Sequence[Number]) -> list[int]:
    return [2 * one.value for one in asked]


def counting(times: int, value: int = 1) -> Callable[[Ask[Number]], int]:
    """A job that asks so often."""

    def job(ask: Ask[Number]) -> int:
        return sum(ask(Number(value)) for _ in range(times))

    return job


def test_those_that_wait_are_answered_together() -> None:
    rounds = list[int]()

    def answer(asked: Sequence[Number]) -> list[int]:
        rounds.append(len(asked))
        return doubled(asked)

    assert take_turns([counting(3), counting(1, value=5), counting(0)], answer) == [6, 10, 0]
    assert rounds == [2, 1, 1]


def test_no_two_run_at_once() -> None:
    running, most = 0, 0

    def job(ask: Ask[Number]) -> None:
        nonlocal running, most
        for _ in range(5):
            running += 1
            most = max(most, running)
            time.sleep(0.001)
            running -= 1
            ask(Number(1))

    take_turns([job] * 3, doubled)
    assert most == 1


def test_who_joins_shares_from_then_on() -> None:
    rounds, comers = list[int](), [[], [counting(2, value=3)]]

    def answer(asked: Sequence[Number]) -> list[int]:
        rounds.append(len(asked))
        return doubled(asked)

    assert take_turns([counting(4)], answer, lambda: comers.pop(0) if comers else []) == [8, 12]
    assert rounds == [1, 2, 2, 1]


def test_who_joins_may_go_on_after_the_first_has_ended() -> None:
    comers: list[list[Any]] = [[counting(5)]]
    assert take_turns([counting(1)], doubled, lambda: comers.pop() if comers else []) == [2, 10]


def test_what_a_job_raises_or_is_answered_is_its_own_end_alone() -> None:
    def fails(ask: Ask[Number]) -> int:
        ask(Number(1))
        raise KeyError("it broke")

    def answer(asked: Sequence[Number]) -> list[Any]:
        return [ValueError("odd") if one.value == 7 else 2 * one.value for one in asked]

    broken, refused, fine = take_turns([fails, counting(1, value=7), counting(3)], answer)
    assert (repr(broken), repr(refused), fine) == ("KeyError('it broke')", "ValueError('odd')", 6)


def test_nobody_is_left_running_where_answering_breaks() -> None:
    def breaks(asked: Sequence[Number]) -> list[int]:
        raise RuntimeError("no answer")

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="no answer"):
        take_turns([counting(1), counting(2)], breaks)
    assert threading.active_count() == before


def test_clocks_count_own_turns_and_the_own_part_of_what_is_done_for_all() -> None:
    def job(ask: Ask[Number], rows: int, own: float) -> tuple[float, float]:
        clock, began = StageClock(), time.perf_counter()
        with clock("denoise"):
            time.sleep(own)
            ask(Number(1, rows))
        return clock.seconds["denoise"], time.perf_counter() - began - seconds_away()

    def answer(asked: Sequence[Number]) -> list[int]:
        time.sleep(0.2)
        return doubled(asked)

    jobs = [lambda ask: job(ask, 3, 0.0), lambda ask: job(ask, 1, 0.1)]
    (most, _), (least, told) = take_turns(jobs, answer)  # type: ignore[misc]
    assert most >= 0.75 * 0.2
    assert least >= 0.1 + 0.25 * 0.2
    assert told == pytest.approx(least, abs=0.05)
    assert seconds_away() == 0


def test_together_they_count_no_more_than_went_by() -> None:
    def job(ask: Ask[Number]) -> float:
        clock = StageClock()
        with clock("denoise"):
            for _ in range(3):
                time.sleep(0.01)
                ask(Number(1))
        return clock.seconds["denoise"]

    def answer(asked: Sequence[Number]) -> list[int]:
        time.sleep(0.02)
        return doubled(asked)

    began = time.perf_counter()
    counted = take_turns([job, job], answer)
    assert sum(counted) <= time.perf_counter() - began  # type: ignore[arg-type]
