"""The rules of placement, for one box and for many at once."""

import numpy as np

from toyland.hosts import HOSTS
from toyland.placement import Pose, carried_box, find_box, is_free
from toyland.zones import Band, Zone


def pose(name: str, zone: Zone, box: tuple[int, int, int, int]) -> Pose:
    """A thing in its own colours."""
    return Pose(name, zone, box, "", "")


COW = pose("cow", Zone.GROUND, (100, 100, 200, 200))


def test_a_nearer_thing_may_hide_a_quarter() -> None:
    assert is_free((180, 150, 280, 250), Zone.GROUND, [COW])
    assert not is_free((120, 120, 220, 220), Zone.GROUND, [COW])


def test_things_side_by_side_do_not_stand_in_each_other() -> None:
    assert not is_free((190, 100, 290, 202), Zone.GROUND, [COW])
    assert is_free((200, 100, 300, 202), Zone.GROUND, [COW])


def test_nothing_flies_before_anything() -> None:
    assert not is_free((190, 60, 290, 110), Zone.SKY, [COW])
    assert is_free((190, 40, 290, 100), Zone.SKY, [COW])


def test_many_boxes_are_judged_as_one_by_one() -> None:
    lefts = np.arange(0, 156)
    many = is_free((lefts, 150, lefts + 100, 250), Zone.GROUND, [COW])
    one_by_one = [is_free((x, 150, x + 100, 250), Zone.GROUND, [COW]) for x in lefts.tolist()]
    assert many.tolist() == one_by_one


def test_things_shrink_towards_the_horizon() -> None:
    band = Band(100, 200, 0, 256, far=0.5)
    assert (band.scale(200), band.scale(150), band.scale(100)) == (1.0, 0.75, 0.5)


def test_a_thing_too_large_for_its_zone_is_not_put_there() -> None:
    rng = np.random.default_rng(0)
    assert find_box((40, 60), Zone.SKY, Band(10, 60, 0, 256), 60, rng) is None
    assert find_box((90, 20), Zone.SHELF, Band(80, 82, 10, 90), 80, rng) is None
    assert find_box((80, 20), Zone.SHELF, Band(80, 82, 10, 90), 80, rng) == (10, 60, 90, 80)


def test_a_hat_sits_on_the_head() -> None:
    dog = pose("dog", Zone.GROUND, (0, 100, 100, 190))
    left, top, right, bottom = carried_box("hat", Zone.HEAD, dog, aspect=0.9, factor=1.0, usual=40)
    head = HOSTS["dog"].head
    assert abs((left + right) / 2 - 100 * head[0]) <= 1
    assert abs(bottom - (100 + 90 * head[1])) <= 1
    assert top < 130
