"""A job's share done, over all the insertions that it takes."""

from __future__ import annotations

from workers.step_reports import on_step_at, ticker


def test_the_looks_of_a_request_follow_one_another_to_its_end() -> None:
    told: list[tuple[str, int, int, float]] = []
    for look in range(2):
        tick = ticker(lambda *step: told.append(step), look, 2)
        tick("source", 1, 4)
        tick("localize", 4, 4)
    assert told == [
        ("source", 1, 4, 12.5),
        ("denoise", 4, 4, 50.0),
        ("source", 1, 4, 62.5),
        ("denoise", 4, 4, 100.0),
    ]


def test_steps_that_nobody_foresaw_do_not_move_it() -> None:
    told: list[tuple[str, int, int, float]] = []
    on_step_at(lambda *step: told.append(step), 99.0, "denoise", 3, 9, 20.0)
    assert told == [("denoise", 3, 9, 99.0)]
