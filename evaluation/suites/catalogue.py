"""The suites by name, and where each comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation.errors import EvaluationError
from evaluation.suites.folders import LIST, read_items
from evaluation.suites.items import Item
from evaluation.suites.toyland_twins import Twin, write_relations
from toyland.world import VALIDATION_SEED, World

DATA = Path(__file__).parent / "data"
ADDING, PLACES, PER_RELATION = 100, 200, 12
"""Items of the paper's two benchmarks and so of their twins; of every relation in Toyland."""


@dataclass(frozen=True)
class Suite:
    """about: for people; data: a list of prompts that is shipped; draw: makes the suite's folder"""

    about: str
    data: Path | None = None
    draw: Callable[[World, Path], None] | None = None


SUITES: Mapping[str, Suite] = {
    "additing": Suite("100 prompt pairs; sources are drawn by the model", DATA / "additing.json"),
    "affordance": Suite(
        "200 scenes told by prompts; boxes are drawn by people, see docs/evaluation.md",
        DATA / "affordance.json",
    ),
    "relations": Suite(
        "40 prompt pairs: left of, behind, on, two of, next to; sources are drawn by the model",
        DATA / "relations.json",
    ),
    "toyland-additing": Suite(
        "100 tasks of Toyland's world; sources are drawn by the model",
        draw=lambda world, folder: Twin(ADDING, pictured=False).write(world, folder),
    ),
    "toyland-affordance": Suite(
        "200 pictures of Toyland's world with every plausible place known",
        draw=lambda world, folder: Twin(PLACES, pictured=True).write(world, folder),
    ),
    "toyland-affordance-validation": Suite(
        "60 further ones, to tune on",
        draw=lambda world, folder: Twin(60, pictured=True, seed=VALIDATION_SEED).write(world, folder),
    ),
    "toyland-relations": Suite(
        "12 pictures of Toyland's world for each relation",
        draw=lambda world, folder: write_relations(world, folder, PER_RELATION),
    ),
}
IMPORTED = "emu-edit-add"
"""Written by `python -m evaluation import-emu-edit`."""


def open_suite(name: str, folder: Path, world: Callable[[], World]) -> list[Item]:
    """A suite by its name, or any folder or JSON file of items. What has to be drawn is kept in the folder.

    Raises `EvaluationError`.
    """
    kept = folder / name
    suite = SUITES.get(name)
    if suite is None:
        place = next((place for place in (kept, Path(name)) if place.exists()), None)
        if place is None:
            raise EvaluationError(f"no suite {name!r}; there are {', '.join(SUITES)}, or give a folder")
        return read_items(place)
    if suite.data is not None:
        return [*map(_with_boxes(kept), read_items(suite.data))]
    if not (kept / LIST).exists():
        assert suite.draw is not None
        suite.draw(world(), kept)
    return read_items(kept)


def _with_boxes(kept: Path) -> Callable[[Item], Item]:
    """Adds what people drew: pictures and boxes of a shipped list lie in its folder, under the same names."""
    drawn = {item.name: item for item in read_items(kept)} if (kept / LIST).exists() else {}

    def drawn_over(item: Item) -> Item:
        known = drawn.get(item.name)
        return item if known is None else replace(item, image=known.image, boxes=known.boxes)

    return drawn_over
