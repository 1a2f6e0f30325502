"""Add-it: whether the subject was added, where it may be, and what happened to the rest of the picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from toyland.plausible import places_for
from toyland.score.clip_metrics import clip_metrics
from toyland.score.instruments import Instruments
from toyland.score.ledger import Record, key_of
from toyland.score.made import Made, make_once
from toyland.score.measures import squared_error
from toyland.score.places import Verdict, boxes_of, judge_boxes, to_box
from toyland.score.tasks import FIRST_INSERTION, InsertionTask, source_sample
from toyland.score.versions import Versions
from toyland.world import Sample
from workers.addit.config import AdditConfig
from workers.addit.edits import Edit, PictureSource, PromptSource
from workers.addit.localizers import Picture
from workers.addit.masks import resize
from workers.addit.pipeline import insert
from workers.addit.results import Insertion
from workers.addit.source_memory import SourceMemories
from workers.compositing import composite, soft_mask
from workers.models.toyland.detector import Detection

REAL = ("paper-real", "reference-real")
"""Presets whose source is a picture; the others make theirs."""


COUNTED = FIRST_INSERTION
"""Task whose every edit is made with nothing known of its source: settings' forwards can be compared."""


@dataclass(frozen=True)
class InsertionJob:
    """One subject added once, with a preset's settings or others, and judged."""

    task: InsertionTask
    preset: str
    config: AdditConfig
    versions: Versions

    @property
    def made_key(self) -> str:
        """Of the pictures alone."""
        versions = self.versions
        models = (versions.method, versions.pipeline, versions.segmenter)
        return key_of(self.task, self.real, self.config, *models, versions.pictures)

    @property
    def key(self) -> str:
        """Of the pictures and their judges."""
        return key_of(self.made_key, self.versions.detector, self.versions.clip, self.versions.places)

    @property
    def real(self) -> bool:
        """Whether the source is a picture of the world."""
        return self.preset in REAL

    def run(self, instruments: Instruments) -> Record:
        """Verdicts and errors of the pictures, made now or before."""
        task, sample = self.task, self._sample(instruments)
        memories = None if task.index == COUNTED else instruments.memories
        made = make_once(instruments.made, self.made_key, lambda: self.make(instruments, memories))
        assert made.source is not None
        before = instruments.detector.detect(made.source)
        after = instruments.detector.detect(made.picture)
        there = [thing for thing in after if thing.name == task.subject]
        verdict = self._verdict(instruments, sample, made, after)
        record = {
            "included": bool(there) and all(thing.name != task.subject for thing in before),
            "score": max((thing.score for thing in there), default=0.0),
            "holds": verdict.holds,
            "supports": verdict.supports,
            "located": made.mask is not None and bool(made.mask.any()),
            "background_error": background_error(made, changed(made, there)),
            "unmasked_error": background_error(
                made, made.mask if made.mask is not None else changed(made, there)
            ),
            "forwards": None if made.forwards is None else float(made.forwards),
        }
        record |= clip_metrics(instruments.clip, made.source, made.picture, task.source_prompt, task.prompt)
        if self.config.strict_background:
            record["untouched"] = untouched(
                made, np.asarray(sample.picture), instruments.models.size_multiple
            )
        return record

    def _sample(self, instruments: Instruments) -> Sample:
        task = self.task
        return source_sample(instruments.world, task.scene, task.index, task.count)

    def make(self, instruments: Instruments, memories: SourceMemories | None = None) -> Made:
        """The insertion itself. memories: what is known of sources; None: nothing"""
        edit = self.edit(instruments, self._sample(instruments))
        return to_made(insert(instruments.models, edit, memories=memories))

    def edit(self, instruments: Instruments, sample: Sample) -> Edit:
        """The task in the method's terms."""
        task, side = self.task, instruments.side
        source = (
            PictureSource(np.asarray(sample.picture), task.source_prompt, task.seed)
            if self.real
            else PromptSource(task.source_prompt, task.seed, side, side)
        )
        return Edit(source, task.prompt, (task.subject,), (task.seed,), self.config)

    def _verdict(
        self, instruments: Instruments, sample: Sample, made: Made, after: list[Detection]
    ) -> Verdict:
        """By the world's own places in a scene that it drew, by the most alike scenes in another."""
        subject, boxes = self.task.subject, boxes_of(after, self.task.subject, made.picture)
        if self.real:
            return judge_boxes(places_for(sample, subject), boxes)
        return instruments.library.judge(made.picture, self.task.scene, after, subject, boxes)


def to_made(done: Insertion) -> Made:
    """The first seed's picture with its masks; its forwards where nothing was known of the source."""
    cells = mask = None
    if done.located is not None and done.cells is not None:
        height, width = done.source.shape[:2]
        mask = resize(done.located[0][0].mask, height, width).numpy() > 0.5
        cells = done.cells[0].cpu().numpy() > 0
    forwards = None if done.source_known else done.forwards.total
    return Made(done.pictures[0], done.source, cells, mask, forwards)


def changed(made: Made, found: list[Detection]) -> NDArray[np.bool_]:
    """(H, W): pixels of the latent cells that were the target's; without a blend, of the subject's boxes."""
    height, width = made.picture.shape[:2]
    if made.cells is not None:
        grown = Image.fromarray(made.cells).resize((width, height), Image.Resampling.NEAREST)
        return np.asarray(grown, bool)
    inside = np.zeros((height, width), bool)
    for thing in found:
        left, top, right, bottom = to_box(thing, made.picture)
        inside[top:bottom, left:right] = True
    return inside


def background_error(made: Made, mask: NDArray[np.bool_]) -> float | None:
    """Mean squared difference, in grey levels, from the decoded source outside the mask; None where that is
    everything."""
    assert made.source is not None
    outside = ~mask
    return squared_error(made.picture[outside], made.source[outside]) if outside.any() else None


def untouched(made: Made, given: Picture, size_multiple: int) -> bool:
    """Whether what the service gives back is the given picture bit for bit, wherever its mask is 0."""
    if made.cells is None:
        return False
    size = (given.shape[1], given.shape[0])
    mask = soft_mask(made.cells.astype(np.float32), size, size_multiple / 4)  # as workers/insertion.py does
    whole = composite(Image.fromarray(given), Image.fromarray(made.picture), mask)
    outside = np.asarray(mask) == 0
    return bool((np.asarray(whole)[outside] == given[outside]).all())
