"""Captions are judged by scene, by objects, and by who carries what."""

import pytest

from toyland.captions import plain_label_caption
from toyland.score.captioning import caption_shares, captioned_samples, judge_caption
from toyland.world import World


def test_true_captions_are_right(world: World) -> None:
    samples = list(captioned_samples(world, 12))
    told = iter([plain_label_caption(sample.label) for sample in samples])
    shares = caption_shares(lambda picture: next(told), samples)
    assert (shares.scene, shares.objects, shares.whole, shares.wording) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("scene", "count", "caption", "verdict"),
    [
        ("room", 0, "a photo of a table in a room", (True, True, True, True)),
        ("room", 0, "a photo of a table in a room with a cup", (True, False, False, False)),
        ("bedroom", 0, "a photo of a table in a room", (False, True, False, False)),
    ],
)
def test_what_is_wrong_is_told_apart(
    world: World, scene: str, count: int, caption: str, verdict: tuple[bool, ...]
) -> None:
    assert judge_caption(caption, world.draw(1, 0, scene=scene, count=count)) == verdict


def test_samples_are_the_same_again(world: World) -> None:
    first, again = ([sample.caption for sample in captioned_samples(world, 3)] for _ in range(2))
    assert first == again
