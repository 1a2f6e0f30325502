"""What becomes of seeds that their caller drops."""

from __future__ import annotations

import pytest
from PIL import Image

from api_schemas.jobs import Cost, Timings
from workers.dropping import left, told, until
from workers.runner import NothingLeft, OutputImage, RunOutput

COST = Cost(forwards=1, gpu_seconds=1, source_memory="none")


def image(seed: int, begun_with: int | None = None) -> OutputImage:
    tries = {} if begun_with is None else {"tries": [{"seed": begun_with}, {"seed": seed}]}
    return OutputImage(Image.new("RGB", (8, 8)), {"seed": seed, **tries})


def test_what_was_dropped_after_its_last_step_is_told_in_place_of_being_given() -> None:
    one, two, other = image(1), image(2), image(9, begun_with=3)
    output = RunOutput((one, two, other), Timings(), COST, dropped=(told(4),))
    assert left(output, []) == output
    assert left(output, [2]).images == (one, other)
    assert left(output, [3, 4]).images == (one, two)
    assert left(output, [3, 4]).dropped == (told(4), told(3))
    with pytest.raises(NothingLeft):
        left(output, [1, 2, 3])


def test_rows_stay_once_blocks_are_cached() -> None:
    assert [until(5, lambda: {7})(step) for step in (4, 5, 6)] == [{7}, (), ()]
    assert until(None, lambda: {7})(29) == {7}
