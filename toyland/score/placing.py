"""Whether a subject can be told where to be: the same insertions with and without each lever, judged.

A task counts where the world would put its subject into either half of the picture. Asked for is the half
where the edit without a lever did not put it, so that no lever gets anything for nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import mean

from toyland.placement import Box
from toyland.plausible import Places, places_for
from toyland.score.modes import PRESET, edit_of
from toyland.score.places import boxes_of
from toyland.score.tasks import InsertionTask, insertion_tasks, source_sample
from toyland.workshop import SHIPPED, Workshop
from toyland.world import Sample, World
from workers.addit.config import AdditConfig
from workers.addit.edits import Edit
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.placing import Area, Placing
from workers.addit.source_memory import SourceMemories
from workers.models.loading import load
from workers.models.profiles import embedded_profile
from workers.models.toyland.detector import Detector, load_detector

ROOM = 0.25
"""Share of the plausible pixels that a half needs to count as a place of its own."""
SHIFT = 4.0
"""Cells that the source is moved by."""
LOOKED_AT = 4
"""Tasks looked at for every one that is wanted."""


Lever = tuple[Placing | None, AdditConfig]


@dataclass(frozen=True)
class Outcome:
    """One insertion.

    middle: (x, y) of the surest box that the detector gives the subject, None without one
    holds: whether that box is at a plausible place
    """

    middle: tuple[float, float] | None
    holds: bool = False


@dataclass(frozen=True)
class Comparison:
    """An insertion by a lever beside the one without, and the half that was asked for, in a picture `width`
    pixels wide."""

    plain: Outcome
    told: Outcome
    right: bool
    width: int

    @property
    def obeys(self) -> bool:
        """Whether the subject is seen in the half asked for."""
        return self.told.middle is not None and is_right(self.told.middle, self.width) == self.right

    @property
    def moved(self) -> float | None:
        """Pixels towards the half asked for, None where either insertion lacks its subject."""
        if self.plain.middle is None or self.told.middle is None:
            return None
        return (self.told.middle[0] - self.plain.middle[0]) * (1 if self.right else -1)


@dataclass(frozen=True)
class Judge:
    """What an insertion is made with and judged by."""

    models: Models
    detector: Detector
    memories: SourceMemories

    def __call__(self, edit: Edit, places: Places) -> Outcome:
        """Insert and look."""
        picture = insert(self.models, edit, memories=self.memories).pictures[0]
        boxes = boxes_of(self.detector.detect(picture), edit.subjects[0], picture)
        return Outcome(middle_of(boxes[0]), places.holds(boxes[0])) if boxes else Outcome(None)


def middle_of(box: Box) -> tuple[float, float]:
    """(x, y)."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def is_right(middle: tuple[float, float], width: int) -> bool:
    """Whether a point lies in the right half of a picture."""
    return middle[0] >= width / 2


def two_sided_tasks(world: World, wanted: int) -> Iterator[tuple[InsertionTask, Sample, Places]]:
    """Held-out tasks whose subject has room in both halves."""
    for task in insertion_tasks(world, "trained", LOOKED_AT * wanted):
        sample = source_sample(world, task.scene, task.index, task.count)
        places = places_for(sample, task.subject)
        assert places is not None, "a task's subject has a place"
        left = places.region[:, : places.region.shape[1] // 2].sum() / places.region.sum()
        if ROOM <= left <= 1 - ROOM:
            yield task, sample, places


def half(right: bool, width: int, height: int) -> Area:
    """The left or the right half of a picture."""
    return Area(box=(width / 2, 0, width, height) if right else (0, 0, width / 2, height))


def levers(config: AdditConfig, right: bool, width: int, height: int) -> dict[str, Lever]:
    """Everything that is to bring the subject into one half, by name."""
    region, avoid = Placing(region=half(right, width, height)), Placing(avoid=half(not right, width, height))
    mask_alone = replace(config, placing_strength=0.0)
    shifted = replace(config, source_shift=(0.0, SHIFT if right else -SHIFT))
    return {
        "region, subject map alone": (region, mask_alone),
        "region, attention too": (region, config),
        "avoid, subject map alone": (avoid, mask_alone),
        "avoid, attention too": (avoid, config),
        f"source shifted {SHIFT:g} cells": (None, shifted),
    }


def measure_placing(workshop: Workshop, scenes: int) -> dict[str, dict[str, float]]:
    """By lever: shares of subjects that are seen, that are in the half asked for, and at plausible places;
    pixels moved towards that half."""
    profile = embedded_profile()
    config, models = profile.presets[PRESET], load(profile)
    memories = models.new_memories()
    judge = Judge(models, load_detector(SHIPPED / "detector"), memories)
    rows: dict[str, list[Comparison]] = {}
    for task, sample, places in islice(two_sided_tasks(workshop.world, scenes), scenes):
        edit, (width, height) = edit_of(task, sample, config), sample.picture.size
        plain = judge(edit, places)
        right = plain.middle is None or not is_right(plain.middle, width)
        rows.setdefault("nothing", []).append(Comparison(plain, plain, right, width))
        for name, (placing, told) in levers(config, right, width, height).items():
            outcome = judge(replace(edit, placing=placing, config=told), places)
            rows.setdefault(name, []).append(Comparison(plain, outcome, right, width))
    return {name: summary(of) for name, of in rows.items()}


def summary(rows: Sequence[Comparison]) -> dict[str, float]:
    """Means over the tasks; `moved` over those that can be compared."""
    moved = [row.moved for row in rows if row.moved is not None]
    return {
        "included": mean(float(row.told.middle is not None) for row in rows),
        "obeys": mean(float(row.obeys) for row in rows),
        "holds": mean(float(row.told.holds) for row in rows),
        "moved": mean(moved) if moved else 0.0,
    }
