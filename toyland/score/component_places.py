"""The judge of places in unknown pictures by itself: whether it says of drawn ones what is known of them."""

from dataclasses import replace

import numpy as np

from toyland.placement import Box
from toyland.plausible import places_for
from toyland.score.instruments import Instruments
from toyland.score.samples import samples_of
from toyland.score.statistics import Rows
from toyland.score.tasks import SCORE_SEED
from workers.addit.localizers import Picture
from workers.models.toyland.detector import Detection


def measure_places(instruments: Instruments, chunk: int) -> dict[str, Rows]:
    """Whether the judge of places in unknown pictures is right about true and about displaced boxes."""
    numbers: dict[str, Rows] = {"places.true_agreement": [], "places.displaced_agreement": []}
    rng = np.random.default_rng((SCORE_SEED, chunk))
    for sample in samples_of(instruments, chunk):
        picture = np.asarray(sample.picture)
        found = [Detection(thing.name, 1.0, _floats(thing.box)) for thing in sample.placed]
        for index, thing in enumerate(sample.placed[-1:], len(sample.placed) - 1):
            before = replace(sample, placed=sample.placed[:index], poses=sample.poses[:index])
            places = places_for(before, thing.name)
            assert places is not None, "it was put there"
            for name, box in (("true", thing.box), ("displaced", displaced(thing.box, picture, rng))):
                judged = instruments.library.judge(picture, sample.scene, found, thing.name, [box])
                numbers[f"places.{name}_agreement"].append([float(judged.holds == places.holds(box))])
    return numbers


def displaced(box: Box, picture: Picture, rng: np.random.Generator) -> Box:
    """A box of the same size anywhere in the picture."""
    width, height = box[2] - box[0], box[3] - box[1]
    left = int(rng.integers(0, max(1, picture.shape[1] - width)))
    top = int(rng.integers(0, max(1, picture.shape[0] - height)))
    return left, top, left + width, top + height


def _floats(box: Box) -> tuple[float, float, float, float]:
    left, top, right, bottom = map(float, box)
    return left, top, right, bottom
