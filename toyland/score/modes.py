"""The price of block caches: the same insertions in every mode, judged, beside the exact picture."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np

from toyland.plausible import places_for
from toyland.score.places import boxes_of, judge_boxes
from toyland.score.tasks import InsertionTask, insertion_tasks, source_sample
from toyland.workshop import SHIPPED, Workshop
from toyland.world import Sample
from workers.addit.config import AdditConfig
from workers.addit.late_cache import Mode, block_cache, first_cached_step, late_cache, offered_modes
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.pipeline import Edit, PictureSource, insert
from workers.compositing import psnr
from workers.models.loading import load
from workers.models.profiles import embedded_profile
from workers.models.toyland.detector import Detector, load_detector

PRESET = "paper-real"


@dataclass(frozen=True)
class Outcome:
    """One insertion.

    included: the subject is there; holds: at a plausible place, by half its area
    psnr: dB against the exact picture; passes: those that ran to the last block
    """

    included: bool
    holds: bool
    psnr: float
    passes: int
    seconds: float


def measure_modes(workshop: Workshop, scenes: int) -> dict[Mode, dict[str, float]]:
    """Shares of included and well-placed subjects, mean PSNR, passes and seconds, by mode."""
    profile, world = embedded_profile(), workshop.world
    models, config = load(profile), profile.presets[PRESET]
    detector = load_detector(SHIPPED / "detector")
    modes = offered_modes(models.pipe.transformer)
    outcomes: dict[Mode, list[Outcome]] = {mode: [] for mode in modes}
    for task in insertion_tasks(world, "trained", scenes):
        sample = source_sample(world, task.scene, task.index, task.count)
        exact: Picture | None = None
        for mode in modes:
            picture, passes, seconds = make(models, edit_of(task, sample, config), mode)
            exact = picture if exact is None else exact
            included, holds = judge(detector, sample, task, picture)
            outcomes[mode].append(Outcome(included, holds, psnr(picture, exact), passes, seconds))
    return {mode: summary(made) for mode, made in outcomes.items()}


def edit_of(task: InsertionTask, sample: Sample, config: AdditConfig) -> Edit:
    """The task in the method's terms."""
    source = PictureSource(np.asarray(sample.picture), task.source_prompt, task.seed)
    return Edit(source, task.prompt, (task.subject,), (task.seed,), config)


def make(models: Models, edit: Edit, mode: Mode) -> tuple[Picture, int, float]:
    """The picture, passes that ran to the last block, seconds."""
    transformer = models.pipe.transformer
    cache = block_cache(mode, edit.config, transformer.dtype, None)
    began = time.perf_counter()
    with counted(transformer) as count, late_cache(transformer, cache, first_cached_step(edit.config)):
        picture = insert(models, edit).pictures[0]
    return picture, count[0], time.perf_counter() - began


@contextmanager
def counted(transformer: Any) -> Iterator[list[int]]:
    """How often the last block's attention runs."""
    count = [0]

    def note(module: Any, args: Any) -> None:
        count[0] += 1

    handle = transformer.single_transformer_blocks[-1].attn.register_forward_pre_hook(note)
    try:
        yield count
    finally:
        handle.remove()


def judge(detector: Detector, sample: Sample, task: InsertionTask, picture: Picture) -> tuple[bool, bool]:
    """Whether the subject is there, and whether one of its boxes is at a plausible place."""
    found = detector.detect(picture)
    boxes = boxes_of(found, task.subject, picture)
    return bool(boxes), judge_boxes(places_for(sample, task.subject), boxes).holds


def summary(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Means over the tasks."""
    return {
        name: mean(float(getattr(outcome, name)) for outcome in outcomes)
        for name in ("included", "holds", "psnr", "passes", "seconds")
    }
