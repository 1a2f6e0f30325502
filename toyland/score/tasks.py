"""What is measured: fixed lists of sentences to draw and of subjects to add, the same for the same world."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from toyland.captions import HELD_OUT_TEMPLATES, caption, insertion_prompts
from toyland.held_out import HELD_OUT_PAIRS
from toyland.plausible import places_for
from toyland.world import HELD_OUT_SEED, Sample, World
from toyland.zones import Zone

SCORE_SEED = HELD_OUT_SEED
FIRST_INSERTION = 100_000  # sample numbers from here on are sources of insertions
SOURCE_COUNTS = (0, 0, 1, 1, 2)  # things that a source may show, each as likely
GIVEN_UP = 40  # samples looked at for every one that is wanted

Pairs = Literal["trained", "held_out"]
Subset = Literal["one", "two", "held_out_pairs", "held_out_templates"]


@dataclass(frozen=True)
class DrawingTask:
    """A sentence to draw from noise `seed`; it names `subject` among the things `names` of a scene."""

    subset: Subset
    caption: str
    scene: str
    subject: str
    names: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class InsertionTask:
    """A `subject` to add to a sample that does not show it; noise `seed` is the target's, and the source's
    where that is generated. Scene, index and count are the sample's address in the held-out set."""

    pairs: Pairs
    scene: str
    index: int
    count: int
    subject: str
    source_prompt: str
    prompt: str
    seed: int


Task = TypeVar("Task", DrawingTask, InsertionTask)


def kept_tasks(file: Path, kind: type[Task], make: Callable[[], list[Task]]) -> list[Task]:
    """The tasks of a file, or those made now and written there."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([asdict(task) for task in make()], indent=1), encoding="utf-8")
    return [_to_task(kind, entry) for entry in json.loads(file.read_text(encoding="utf-8"))]


def _to_task(kind: type[Task], entry: dict[str, Any]) -> Task:
    """JSON has no tuples."""
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()
    }
    return kind(**fields)


def drawing_tasks(world: World, subset: Subset, wanted: int) -> list[DrawingTask]:
    """Every object in turn as the subject, in scenes the world chooses for it."""
    tasks = list[DrawingTask]()
    for index in range(GIVEN_UP * wanted):
        if len(tasks) == wanted:
            break
        sample, subject = _sample_to_draw(world, subset, index)
        if subset != "two" or len(sample.objects) == 2:
            text = _words(sample, subset, index)
            tasks.append(DrawingTask(subset, text, sample.scene, subject, sample.objects, index))
    return tasks


def _sample_to_draw(world: World, subset: Subset, index: int) -> tuple[Sample, str]:
    """A sample and which of its things is meant: the one new to its scene, or the object whose turn it is."""
    if subset == "held_out_pairs":
        sample = world.draw(SCORE_SEED, index, count=1, pairs="held_out")
        return sample, next(name for name in sample.objects if (name, sample.scene) in HELD_OUT_PAIRS)
    subject = world.objects[index % len(world.objects)].name
    things = 2 if subset == "two" else 1
    return world.draw(SCORE_SEED, index, count=things, subject=subject, pairs="trained"), subject


def _words(sample: Sample, subset: Subset, index: int) -> str:
    if subset != "held_out_templates":
        return sample.caption
    return caption(sample.label, np.random.default_rng((SCORE_SEED, index)), HELD_OUT_TEMPLATES)


def insertion_tasks(
    world: World, pairs: Pairs, wanted: int, world_seed: int = SCORE_SEED
) -> list[InsertionTask]:
    """Scenes in turn, each with a subject that belongs there and is not there yet."""
    scenes, tasks = list(world.scenes), list[InsertionTask]()
    for index in range(FIRST_INSERTION, FIRST_INSERTION + GIVEN_UP * wanted):
        if len(tasks) == wanted:
            break
        rng = np.random.default_rng((world_seed, index))
        things, scene = int(rng.choice(SOURCE_COUNTS)), scenes[index % len(scenes)]
        source = source_sample(world, scene, index, things, world_seed)
        chosen = next(subjects_that_belong(world, source, pairs, rng), None)
        if chosen is not None:
            before, after = insertion_prompts(source.label, *chosen)
            tasks.append(InsertionTask(pairs, scene, index, things, chosen[0], before, after, seed=index))
    return tasks


def source_sample(world: World, scene: str, index: int, things: int, world_seed: int = SCORE_SEED) -> Sample:
    """The sample at an insertion task's address."""
    return world.draw(world_seed, index, scene=scene, count=things, pairs="trained")


def subjects_that_belong(
    world: World, source: Sample, pairs: Pairs, rng: np.random.Generator
) -> Iterator[tuple[str, Zone]]:
    """Objects with a place in the source that it does not show, in random order, each with a zone for it."""
    for number in rng.permutation(len(world.objects)):
        name = world.objects[number].name
        unseen = (name, source.scene) in HELD_OUT_PAIRS
        if name in source.objects or unseen != (pairs == "held_out"):
            continue
        places = places_for(source, name)
        if places is not None:
            yield name, places.zones[int(rng.integers(len(places.zones)))]
