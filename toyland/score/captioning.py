"""How often the captioner names a held-out picture right: its scene, its objects, and who carries what."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from toyland.captions import plain_label_caption
from toyland.phrases import SCENE_PHRASES
from toyland.score.tasks import SCORE_SEED
from toyland.world import Sample, World
from workers.addit.localizers import Picture

FIRST_CAPTIONED = 500_000  # sample numbers from here on


@dataclass(frozen=True)
class CaptionShares:
    """Shares of pictures, 0..1. whole: scene and objects; wording: also what is worn and held."""

    scene: float
    objects: float
    whole: float
    wording: float


def captioned_samples(world: World, count: int) -> Iterable[Sample]:
    """Held-out samples that no other score looks at."""
    return (world.draw(SCORE_SEED, FIRST_CAPTIONED + index, pairs="any") for index in range(count))


def caption_shares(captioner: Callable[[Picture], str], samples: Iterable[Sample]) -> CaptionShares:
    """Over all samples, of which there is at least one."""
    verdicts = [judge_caption(captioner(np.asarray(sample.picture)), sample) for sample in samples]
    scene, objects, whole, wording = np.mean(verdicts, axis=0)
    return CaptionShares(float(scene), float(objects), float(whole), float(wording))


def judge_caption(caption: str, sample: Sample) -> tuple[bool, bool, bool, bool]:
    """Whether scene, objects, both and the wording are right; the order of objects does not matter."""
    told, true = caption.split(), plain_label_caption(sample.label).split()
    scene = f"of {SCENE_PHRASES[sample.scene]} " in f"{caption} "
    objects = _names(told) == _names(true)
    return scene, objects, scene and objects, sorted(told) == sorted(true)


def _names(words: list[str]) -> list[str]:
    """The objects among the words after "with": before it stands the scene, "a table in a room"."""
    listed = words[words.index("with") :] if "with" in words else []
    fillers = {"a", "an", "with", "and", "wearing", "holding"}
    return sorted(word for word in listed if word not in fillers)
