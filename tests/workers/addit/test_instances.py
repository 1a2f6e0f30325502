from __future__ import annotations

import pytest
import torch

from workers.addit.boxes import Detection
from workers.addit.instances import (
    Instances,
    is_instance,
    may_show,
    new_detections,
    without_instances,
)

OLD = torch.zeros(64, 96, dtype=torch.bool)
OLD[16:40, 8:40] = True
ALREADY = Instances(((8.0, 16.0, 40.0, 40.0),), (OLD,))


def two_blobs(old: float, new: float) -> torch.Tensor:
    """An (8, 12) map with a peak inside `OLD` and one outside."""
    attention = torch.full((8, 12), 0.01)
    attention[2:5, 1:5], attention[5:7, 8:11] = old, new
    return attention


@pytest.mark.parametrize(
    ("prompt", "subject", "shown"),
    [
        ("A dog on a beach.", "another dog", True),
        ("two dogs on a beach", "dog", True),
        ("a beach with a hot dog stand", "dog", True),
        ("a beach with a dogma", "dog", False),
        ("a beach", "dog", False),
    ],
)
def test_words_tell_whether_the_source_may_show_one(prompt: str, subject: str, shown: bool) -> None:
    assert may_show(prompt, subject) is shown


def test_a_detection_at_an_old_place_is_dropped_and_the_order_kept() -> None:
    moved = Detection((9.0, 17.0, 41.0, 40.0), 0.9)
    fresh, faint = Detection((50.0, 16.0, 80.0, 40.0), 0.8), Detection((0.0, 0.0, 9.0, 9.0), 0.3)
    assert new_detections([moved, fresh, faint], ALREADY) == [fresh, faint]
    assert new_detections([moved, fresh], Instances()) == [moved, fresh]
    assert new_detections([], ALREADY) == []


def test_the_map_loses_the_old_thing_and_spans_0_to_1_again() -> None:
    rest = without_instances(two_blobs(old=1.0, new=0.6), ALREADY)
    assert not rest[2:5, 1:5].any()
    assert (rest[5:7, 8:11] == 1).all()
    assert float(rest.min()) == 0


def test_nothing_is_left_where_only_the_old_thing_drew_attention() -> None:
    assert not without_instances(two_blobs(old=1.0, new=0.1), ALREADY).any()


def test_without_old_things_the_map_stays() -> None:
    attention = two_blobs(old=1.0, new=0.6)
    assert torch.equal(without_instances(attention, Instances()), attention)


def test_one_thing_more_is_known_by_its_mask_and_its_box_where_it_has_one() -> None:
    apart = OLD.roll(40, dims=1)
    more = ALREADY.and_one(apart, None)
    assert more.boxes == ALREADY.boxes
    assert is_instance(apart, more)
    assert (
        new_detections([Detection((48.0, 16.0, 80.0, 40.0), 0.9)], ALREADY.and_one(apart, (48, 16, 80, 40)))
        == []
    )


def test_a_mask_is_the_old_thing_when_they_agree_well() -> None:
    shifted, apart = OLD.roll(3, dims=1), OLD.roll(40, dims=1)
    assert is_instance(shifted, ALREADY)
    assert not is_instance(apart, ALREADY)
    assert not is_instance(torch.zeros_like(OLD), Instances())
