"""Affordance as the paper defines it, and relations between boxes."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.metrics.placing import affordance, related
from evaluation.suites.items import Relation
from workers.addit.boxes import Box

PLAUSIBLE: list[Box] = [(0, 0, 10, 10), (10, 0, 20, 10)]


def test_half_of_the_area_inside_one_box_is_enough() -> None:
    assert affordance([(5, 0, 15, 10)], PLAUSIBLE[:1], None) == 1.0
    assert affordance([(6, 0, 16, 10)], PLAUSIBLE[:1], None) == 0.0


def test_a_single_box_must_hold_it() -> None:
    third: list[Box] = [(0, 0, 4, 10), (4, 0, 8, 10), (8, 0, 12, 10)]
    assert affordance([(0, 0, 12, 10)], third, None) == 0.0


def test_it_is_a_share_of_the_added_objects() -> None:
    assert affordance([(0, 0, 5, 5), (50, 50, 60, 60)], PLAUSIBLE, None) == 0.5


def test_nothing_added_counts_nothing_and_no_places_are_not_judged() -> None:
    assert affordance([], PLAUSIBLE, None) == 0.0
    assert affordance([(0, 0, 1, 1)], [], None) is None


def test_an_exact_region_is_asked_pixel_by_pixel() -> None:
    region = np.zeros((20, 20), bool)
    region[:, 10:] = True
    assert affordance([(5, 0, 15, 20)], [], region) == 1.0
    assert affordance([(4, 0, 14, 20)], [], region) == 0.0
    assert affordance([(15, 0, 30, 20)], [], region) == 0.0  # two thirds lie beyond the picture


@pytest.mark.parametrize(
    ("relation", "box", "holds"),
    [
        ("left of", (0, 40, 18, 60), True),
        ("left of", (62, 40, 80, 60), False),
        ("behind", (45, 20, 55, 50), True),
        ("behind", (45, 20, 55, 70), False),
        ("behind", (0, 20, 10, 50), False),
        ("on", (35, 25, 45, 45), True),
        ("on", (35, 45, 45, 65), False),
        ("next to", (62, 40, 80, 60), True),
        ("next to", (95, 40, 99, 60), False),
    ],
)
def test_relations_by_boxes(relation: Relation, box: Box, holds: bool) -> None:
    assert related(relation, [box], [(30, 40, 60, 60)], None) is holds


def test_two_are_two_and_on_may_be_known_by_the_place() -> None:
    box: Box = (0, 0, 1, 1)
    assert not related("two of", [box], [], None)
    assert related("two of", [box, box], [], None)
    assert related("on", [box], [], 1.0)
    assert not related("on", [box], [], 0.0)
    assert not related("next to", [], [box], None)
