"""What was made is kept whole, and made once."""

from pathlib import Path

import numpy as np

from toyland.score.made import Made, make_once

PICTURE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


def test_all_of_it_comes_back(tmp_path: Path) -> None:
    cells = np.eye(2, dtype=bool)
    kept = make_once(tmp_path, "a", lambda: Made(PICTURE, PICTURE + 1, cells, forwards=43.5))
    assert (kept.picture == PICTURE).all()
    assert kept.source is not None
    assert (kept.source == PICTURE + 1).all()
    assert kept.cells is not None
    assert (kept.cells == cells).all()
    assert kept.mask is None
    assert kept.forwards == 43.5


def test_the_second_time_nothing_is_made(tmp_path: Path) -> None:
    make_once(tmp_path, "a", lambda: Made(PICTURE))
    again = make_once(tmp_path, "a", lambda: Made(PICTURE + 1))
    assert (again.picture == PICTURE).all()
    assert again.forwards is None
