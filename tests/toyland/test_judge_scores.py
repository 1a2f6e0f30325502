"""How judges are judged."""

import pytest

from toyland.judge_scores import best_threshold, count_right, detector_f1, false_positive_share
from workers.models.toyland.detector import Detection

DOG, CAT = ("dog", (0, 0, 20, 20)), ("cat", (40, 40, 60, 60))


def claim(name: str, score: float, left: float, top: float) -> Detection:
    """A box of 20 px."""
    return Detection(name, score, (left, top, left + 20, top + 20))


RIGHT_DOG, RIGHT_CAT = claim("dog", 0.9, 2, 0), claim("cat", 0.6, 40, 43)
STRAY = claim("cat", 0.4, 0, 0)


def test_right_is_the_name_at_the_place_once() -> None:
    assert count_right([RIGHT_DOG, RIGHT_CAT, STRAY], [DOG, CAT]) == 2
    assert count_right([RIGHT_DOG, RIGHT_DOG], [DOG, CAT]) == 1
    assert count_right([claim("dog", 0.9, 15, 0)], [DOG]) == 0


def test_f1_counts_what_is_missed_and_what_is_invented() -> None:
    found = [[RIGHT_DOG, RIGHT_CAT, STRAY], []]
    contents = [[DOG, CAT], [DOG]]
    assert detector_f1(found, contents) == pytest.approx(2 * 2 / (3 + 3))
    assert detector_f1(found, contents, threshold=0.5) == pytest.approx(2 * 2 / (2 + 3))


def test_false_positives_are_pictures() -> None:
    assert false_positive_share([[RIGHT_DOG, STRAY], []]) == 0.5
    assert false_positive_share([[STRAY], []], threshold=0.5) == 0


def test_the_best_threshold_is_quiet_first_and_right_second() -> None:
    found, contents = [[RIGHT_DOG, RIGHT_CAT]], [[DOG, CAT]]
    assert best_threshold(found, contents, [[]]) <= 0.6
    assert best_threshold(found, contents, [[claim("cat", 0.7, 0, 0)]]) > 0.7
