"""Two subjects at once against one after the other: the same scenes, both ways, judged alike."""

from dataclasses import dataclass, replace
from itertools import islice
from statistics import mean

import numpy as np
from PIL import Image

from toyland.captions import insertion_prompts
from toyland.label import Label, Thing
from toyland.plausible import places_for
from toyland.score.places import boxes_of, judge_boxes
from toyland.score.tasks import FIRST_INSERTION, GIVEN_UP, SCORE_SEED, source_sample, subjects_that_belong
from toyland.workshop import SHIPPED, Workshop
from toyland.world import Sample, World
from toyland.zones import CARRIED
from workers.addit.config import AdditConfig
from workers.addit.edits import Edit, PictureSource
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.models.loading import load
from workers.models.profiles import embedded_profile
from workers.models.toyland.detector import Detector, load_detector

PRESET = "paper-real"
WAYS = ("together", "one by one")
Made = tuple[Picture, float]
Measured = list[tuple["PairTask", Picture, dict[str, "Outcome"]]]


@dataclass(frozen=True)
class PairTask:
    """Two subjects that belong into a sample and are not there; the sample's address as in `InsertionTask`.

    prompts: of the source, with the first subject, with both
    """

    scene: str
    index: int
    count: int
    subjects: tuple[str, str]
    prompts: tuple[str, str, str]


@dataclass(frozen=True)
class Outcome:
    """One task, one way. included, holds: how many subjects are there, and at a plausible place; `both`:
    whether two are there."""

    included: int
    holds: int
    both: bool
    forwards: float
    picture: Picture


def pair_tasks(world: World, wanted: int) -> list[PairTask]:
    """Scenes in turn, empty or with a thing, each with two subjects that stand there by themselves."""
    indices = range(FIRST_INSERTION, FIRST_INSERTION + GIVEN_UP * wanted)
    tasks = (task for index in indices if (task := _pair_task(world, index)))
    return list(islice(tasks, wanted))


def _pair_task(world: World, index: int) -> PairTask | None:
    rng = np.random.default_rng((SCORE_SEED, index))
    scene, things = list(world.scenes)[index % len(world.scenes)], int(rng.integers(2))
    source = source_sample(world, scene, index, things)
    belonging = subjects_that_belong(world, source, "trained", rng)
    chosen = list(islice((one for one in belonging if one[1] not in CARRIED), 2))
    if len(chosen) < 2:
        return None
    (first, zone), (second, other) = chosen
    before, one = insertion_prompts(source.label, first, zone)
    label = Label(source.scene, (*source.label.things, Thing(first, zone)))
    _, both = insertion_prompts(label, second, other)
    return PairTask(scene, index, things, (first, second), (before, one, both))


def measure_pairs(workshop: Workshop, scenes: int) -> Measured:
    """Every task with its source's picture and what came of it, by way."""
    profile = embedded_profile()
    models, config = load(profile), profile.presets[PRESET]
    config = replace(config, strict_background=True)
    detector, measured = load_detector(SHIPPED / "detector"), Measured()
    for task in pair_tasks(workshop.world, scenes):
        sample = source_sample(workshop.world, task.scene, task.index, task.count)
        first, second = task.subjects
        made = (
            add(models, config, task, sample, task.subjects),
            add(models, config, task, sample, (first,), (second,)),
        )
        judged = (judge(detector, sample, task, *result) for result in made)
        outcomes = dict(zip(WAYS, judged, strict=True))
        measured.append((task, np.asarray(sample.picture), outcomes))
    return measured


def add(models: Models, config: AdditConfig, task: PairTask, sample: Sample, *turns: tuple[str, ...]) -> Made:
    """The subjects added turn by turn, each turn's to the result of the last: picture and forwards.

    A turn goes on from the latents of the last one, so that nothing is lost by encoding again.
    """
    source, forwards = PictureSource(np.asarray(sample.picture), task.prompts[0], task.index), 0.0
    told = 0
    for subjects in turns:
        told += len(subjects)
        edit = Edit(source, task.prompts[told], subjects, (task.index,), config)
        done = insert(models, edit)
        source = PictureSource(done.pictures[0], edit.prompt, task.index, done.latents)
        forwards += done.forwards.total
    return source.picture, forwards


def judge(detector: Detector, sample: Sample, task: PairTask, picture: Picture, forwards: float) -> Outcome:
    """What is in the last picture."""
    found = detector.detect(picture)
    boxes = [boxes_of(found, name, picture) for name in task.subjects]
    places = [
        judge_boxes(places_for(sample, name), at) for name, at in zip(task.subjects, boxes, strict=True)
    ]
    held = sum(place.holds for place in places)
    return Outcome(sum(map(bool, boxes)), held, all(boxes), forwards, picture)


def summary(outcomes: list[Outcome]) -> dict[str, float]:
    """Means: shares of subjects that are there and well placed, of tasks with both, forwards."""
    return {
        "included": mean(one.included / 2 for one in outcomes),
        "holds": mean(one.holds / 2 for one in outcomes),
        "both": mean(one.both for one in outcomes),
        "forwards": mean(one.forwards for one in outcomes),
    }


def sheet(measured: Measured) -> list[Image.Image]:
    """Row by row: source, together, one by one."""
    return [
        Image.fromarray(picture)
        for _, source, outcomes in measured
        for picture in (source, *(outcomes[way].picture for way in WAYS))
    ]
