"""Whether the seeds that `keep_best` would finish are right.

Some seeds of every task, all finished. What every seed promised at the blend is compared with the verdict on
its picture; a random choice and a perfect one stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import comb
from statistics import mean

import torch

from toyland.score.modes import PRESET, edit_of
from toyland.score.tasks import insertion_tasks, source_sample
from toyland.workshop import Workshop
from toyland.world import World
from workers.addit.edits import Edit
from workers.addit.guesses import Guesses
from workers.addit.latents import LatentGrid
from workers.addit.masks import resize
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.verdicts import contrast, foresee, judge, seen_there
from workers.models.loading import load
from workers.models.profiles import embedded_profile

SEEDS = 4
USED = "all three, as used"


@dataclass(frozen=True)
class Seed:
    """What it promised, by sign, and whether the subject was in its picture."""

    promised: Mapping[str, float]
    added: bool


@torch.inference_mode()
def finish_all(models: Models, edit: Edit) -> list[Seed]:
    """Every seed of an edit, finished, with what was known of it at the first blend."""
    assert models.detector is not None
    (subject,) = edit.subjects
    done = insert(models, edit)
    blend, (height, width) = done.blends[0], done.source.shape[:2]
    guesses = Guesses(models, LatentGrid.of_image(height, width, models.pipe.vae_scale_factor))
    seeds = []
    for row, ((located,), picture) in enumerate(zip(blend.located, done.pictures, strict=True)):
        inside = resize(located.mask, height, width) > 0.5
        seen = seen_there(models.detector(guesses(blend.x0, row), subject), inside)
        promised = {
            "segmenter's score": 0.0 if located.missing else located.score or 0.0,
            "contrast of attention": contrast(located),
            "both": foresee(located).confidence,
            "detector on the clean guess": seen,
            USED: foresee(located, seen).confidence,
        }
        detections = models.detector(picture, subject)
        seeds.append(Seed(promised, judge(done.source, picture, located, detections, None).added))
    return seeds


def ranked_right(scenes: Sequence[Sequence[Seed]], sign: str) -> float:
    """Of pairs of one scene's seeds, one with the subject and one without, the share whose better one
    promised more; equal promises count half."""
    pairs = [(yes, no) for seeds in scenes for yes in seeds for no in seeds if yes.added and not no.added]
    gaps = [yes.promised[sign] - no.promised[sign] for yes, no in pairs]
    return mean((gap > 0) + (gap == 0) / 2 for gap in gaps) if gaps else float("nan")


def kept_added(scenes: Sequence[Sequence[Seed]], sign: str, keep: int) -> float:
    """The share of scenes in which one of the `keep` seeds that promised most has the subject."""
    best = [sorted(seeds, key=lambda seed: -seed.promised[sign])[:keep] for seeds in scenes]
    return mean(any(seed.added for seed in kept) for kept in best)


def picked_added(scenes: Sequence[Sequence[Seed]], keep: int) -> float:
    """The same share where the seeds are picked at random, in expectation."""
    without = [(len(seeds), sum(not seed.added for seed in seeds)) for seeds in scenes]
    return mean(1 - comb(no, keep) / comb(seeds, keep) for seeds, no in without)


def insertions(world: World, count: int) -> Iterator[list[Seed]]:
    """`SEEDS` seeds each of the world's first so many tasks."""
    profile = embedded_profile()
    models, config = load(profile), profile.presets[PRESET]
    for task in insertion_tasks(world, "trained", count):
        edit = edit_of(task, source_sample(world, task.scene, task.index, task.count), config)
        yield finish_all(models, replace(edit, seeds=tuple(task.seed + i for i in range(SEEDS))))


def measure_dropping(workshop: Workshop, count: int) -> dict[str, dict[str, float]]:
    """Of the world's first so many tasks, see `rate`."""
    return rate(list(insertions(workshop.world, count)))


def rate(scenes: Sequence[Sequence[Seed]]) -> dict[str, dict[str, float]]:
    """Signs, and no sign at all, by how often they are right."""
    values = {
        sign: {
            "ranked_right": ranked_right(scenes, sign),
            "best_one": kept_added(scenes, sign, 1),
            "best_two": kept_added(scenes, sign, 2),
        }
        for sign in scenes[0][0].promised
    }
    values["at random"] = {
        "ranked_right": 0.5,
        "best_one": picked_added(scenes, 1),
        "best_two": picked_added(scenes, 2),
    }
    values["all finished"] = {
        "best_one": picked_added(scenes, SEEDS),
        "best_two": picked_added(scenes, SEEDS),
    }
    return values
