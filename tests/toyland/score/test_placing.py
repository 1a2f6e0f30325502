"""How obedience is counted: what is asked for, in which half something is, how far it moved."""

from __future__ import annotations

from itertools import islice

import pytest

from toyland.score.placing import (
    ROOM,
    Comparison,
    Outcome,
    half,
    is_right,
    levers,
    middle_of,
    summary,
    two_sided_tasks,
)
from toyland.world import World
from workers.addit.config import PAPER_REAL

LEFT, RIGHT, NOWHERE = Outcome((40, 100), True), Outcome((200, 90)), Outcome(None)


def test_tasks_have_room_on_both_sides(world: World) -> None:
    tasks = list(islice(two_sided_tasks(world, 3), 3))
    assert len(tasks) == 3
    for _, _, places in tasks:
        left = places.region[:, : places.region.shape[1] // 2].sum() / places.region.sum()
        assert ROOM <= left <= 1 - ROOM


@pytest.mark.parametrize("right", [False, True])
def test_every_lever_pulls_to_the_half_asked_for(right: bool) -> None:
    asked = levers(PAPER_REAL, right, 256, 128)
    for placing, config in asked.values():
        if placing is None:
            assert (config.source_shift[1] > 0) == right
        else:
            here, away = half(right, 256, 128), half(not right, 256, 128)
            assert (placing.region, placing.avoid) in [(here, None), (None, away)]
    assert {config.placing_strength for _, config in asked.values()} == {0.0, PAPER_REAL.placing_strength}


def test_halves_meet_in_the_middle() -> None:
    assert half(False, 256, 128).box == (0, 0, 128, 128)
    assert half(True, 256, 128).box == (128, 0, 256, 128)
    assert is_right(middle_of((120, 0, 140, 10)), 256)
    assert not is_right(middle_of((100, 0, 140, 10)), 256)


def test_obedience_and_way_are_counted_towards_the_half_asked_for() -> None:
    to_the_right = Comparison(LEFT, RIGHT, right=True, width=256)
    assert (to_the_right.obeys, to_the_right.moved) == (True, 160)
    stays = Comparison(RIGHT, RIGHT, right=False, width=256)
    assert (stays.obeys, stays.moved) == (False, 0)
    lost = Comparison(LEFT, NOWHERE, right=True, width=256)
    assert (lost.obeys, lost.moved) == (False, None)
    assert summary([to_the_right, stays, lost]) == {
        "included": pytest.approx(2 / 3),
        "obeys": pytest.approx(1 / 3),
        "holds": 0.0,
        "moved": 80.0,
    }
