"""The price of block caches: the same insertions in every mode, judged, beside the exact picture."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np

from toyland.plausible import places_for
from toyland.score.instruments import Finder, Instruments, profile_of
from toyland.score.ledger import Record, key_of
from toyland.score.measuring import Laboratory
from toyland.score.places import boxes_of, judge_boxes
from toyland.score.tasks import InsertionTask, source_sample
from toyland.score.versions import Versions
from toyland.world import Sample
from workers.addit.config import AdditConfig
from workers.addit.edits import Edit, PictureSource
from workers.addit.late_cache import Mode, block_cache, first_cached_step, late_cache, offered_modes
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.compositing import psnr

PRESET = "paper-real"


@dataclass(frozen=True)
class ModesJob:
    """One insertion in every mode."""

    task: InsertionTask
    config: AdditConfig
    versions: Versions

    @property
    def key(self) -> str:
        """Of the pictures and their judges."""
        versions = self.versions
        models = versions.method, versions.pipeline, versions.segmenter, versions.detector
        return key_of("modes", self.task, self.config, *models, versions.pictures, versions.places)

    def run(self, instruments: Instruments) -> Record:
        """By mode: whether the subject is there, and at a plausible place by half its area; dB against the
        exact picture; passes that ran to the last block; seconds."""
        task, models = self.task, instruments.models
        sample = source_sample(instruments.world, task.scene, task.index, task.count)
        exact: Picture | None = None
        record: Record = {}
        for mode in offered_modes(models.pipe.transformer):
            picture, passes, seconds = make(models, edit_of(task, sample, self.config), mode)
            exact = picture if exact is None else exact
            included, holds = judge(instruments.detector, sample, task, picture)
            record[mode] = {
                "included": included,
                "holds": holds,
                "psnr": psnr(picture, exact),
                "passes": passes,
                "seconds": seconds,
            }
        return record


def measure_modes(laboratory: Laboratory, scenes: int) -> dict[str, dict[str, float]]:
    """Shares of included and well-placed subjects, mean PSNR, passes and seconds, by mode."""
    config = profile_of(laboratory.weights).presets[PRESET]
    tasks = laboratory.insertions("trained", scenes)
    jobs = [ModesJob(task, config, laboratory.versions) for task in tasks]
    ledger = laboratory.measure(jobs, "modes")
    records = [ledger[job.key] for job in jobs]
    return {mode: summary([record[mode] for record in records]) for mode in records[0]}


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


def judge(finder: Finder, sample: Sample, task: InsertionTask, picture: Picture) -> tuple[bool, bool]:
    """Whether the subject is there, and whether one of its boxes is at a plausible place."""
    boxes = boxes_of(finder.detect(picture), task.subject, picture)
    return bool(boxes), judge_boxes(places_for(sample, task.subject), boxes).holds


def summary(outcomes: Sequence[Record]) -> dict[str, float]:
    """Means over the tasks."""
    return {name: mean(float(outcome[name]) for outcome in outcomes) for name in outcomes[0]}
