"""The suites' twins in the world of Toyland, where every place is known exactly and everything runs on a CPU.

Tasks are those of `python -m toyland score`; another world seed gives a validation set of the same kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from evaluation.suites.folders import write_items
from evaluation.suites.items import RELATIONS, Item, Relation
from toyland.captions import insertion_prompts
from toyland.phrases import INSIDE_PHRASES, place_phrases, with_article
from toyland.plausible import Places, places_for
from toyland.score.tasks import InsertionTask, insertion_tasks, source_sample
from toyland.world import HELD_OUT_SEED, Sample, World
from toyland.zones import Zone

FIRST_RELATION = 700_000
"""Sample numbers from here on are sources of relations."""
RELATION_SAMPLES = 40
"""Looked at for every item that is wanted."""
FURNITURE = frozenset({Zone.TABLE, Zone.SHELF, Zone.BED})
LEVEL = frozenset({Zone.GROUND, Zone.ROAD, Zone.FLOOR, Zone.WATER})
"""Where one thing can be beside or behind another."""


@dataclass(frozen=True)
class Twin:
    """A suite of `count` insertions of the world's set `seed`; `pictured`: the source is drawn by the world,
    not by the model."""

    count: int
    pictured: bool
    seed: int = HELD_OUT_SEED

    def write(self, world: World, folder: Path) -> None:
        """Draw it into the folder."""
        tasks = insertion_tasks(world, "trained", self.count, self.seed)
        write_items([self._item(world, task, folder) for task in tasks], folder)

    def _item(self, world: World, task: InsertionTask, folder: Path) -> Item:
        name = f"{task.index:06d}"
        told = Item(name, task.source_prompt, task.prompt, task.subject, _order(task.subject), seed=task.seed)
        if not self.pictured:
            return told
        sample = source_sample(world, task.scene, task.index, task.count, self.seed)
        places = places_for(sample, task.subject)
        assert places is not None, "the task was chosen for its places"
        return _pictured(told, sample, places, folder)


def write_relations(world: World, folder: Path, count: int) -> None:
    """`count` items of every relation, each in a scene with one thing in it, or none for "two of".

    The closed vocabulary says "next to", on what a thing stands, and "a dog and a dog"; it has no word for
    left or behind: there the plain prompt is given, and the figure is what comes out by chance.
    """
    write_items([item for relation in RELATIONS for item in _related(world, relation, count, folder)], folder)


def _related(world: World, relation: Relation, count: int, folder: Path) -> Iterator[Item]:
    first = FIRST_RELATION + 10_000 * RELATIONS.index(relation)
    samples = (
        (index, world.draw(HELD_OUT_SEED, index, count=0 if relation == "two of" else 1))
        for index in range(first, first + RELATION_SAMPLES * count)
    )
    items = (_relation_item(world, relation, index, sample, folder) for index, sample in samples)
    return islice((item for item in items if item is not None), count)


def _relation_item(world: World, relation: Relation, index: int, sample: Sample, folder: Path) -> Item | None:
    """None where the scene does not have what the relation needs."""
    if len(sample.placed) != (0 if relation == "two of" else 1):
        return None
    for number in np.random.default_rng((HELD_OUT_SEED, index)).permutation(len(world.objects)):
        subject = world.objects[number].name
        places = None if subject in sample.objects else places_for(sample, subject)
        if places is not None and _fits(relation, sample, places):
            before, prompt = _sentences(relation, sample, subject, places)
            anchor = None if relation in ("two of", "on") else sample.objects[0]
            order = _order(subject) if anchor is None else f"{_order(subject)} {relation} the {anchor}"
            item = Item(
                f"{index:06d}", before, prompt, subject, order, index, relation=relation, anchor=anchor
            )
            return _pictured(item, sample, places, folder)
    return None


def _fits(relation: Relation, sample: Sample, places: Places) -> bool:
    zones = set(places.zones)
    if relation == "on":
        return zones <= FURNITURE
    standing = zones <= LEVEL and all(pose.zone in LEVEL for pose in sample.poses)
    return standing or relation == "two of"


def _sentences(relation: Relation, sample: Sample, subject: str, places: Places) -> tuple[str, str]:
    """Source prompt and prompt."""
    before, after = insertion_prompts(sample.label, subject, places.zones[0])
    match relation:
        case "two of":
            return before, f"{after} and {with_article(subject)}"
        case "next to":
            pair = f"{with_article(subject)} next to {with_article(sample.objects[0])}"
            return before, f"a photo of {pair} {INSIDE_PHRASES[sample.scene]}"
        case "on":
            place = place_phrases(sample.scene, places.zones[0])[0]
            return (
                before,
                f"a photo of {with_article(subject)} {place} with {with_article(sample.objects[0])}",
            )
        case _:
            return before, after


def _pictured(item: Item, sample: Sample, places: Places, folder: Path) -> Item:
    """The item with its picture and the mask of its places, both written to the folder."""
    image, region = (folder / kind / f"{item.name}.png" for kind in ("images", "regions"))
    for file in (image, region):
        file.parent.mkdir(parents=True, exist_ok=True)
    sample.picture.save(image)
    Image.fromarray(places.region).save(region)
    return replace(item, image=image, region=region)


def _order(subject: str) -> str:
    return f"add {with_article(subject)}"
