"""A told suite's sources as pictures in its folder: what people need before they can draw boxes in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image
from rich.progress import track

from evaluation.methods.method import Workbench
from evaluation.sourcing import source_of
from evaluation.suites.folders import write_items
from evaluation.suites.items import Item


def write_pictures(bench: Workbench, items: Sequence[Item], folder: Path) -> int:
    """Draw the source of every item that has no picture and list all in the folder's `items.json`; how many
    were drawn."""
    missing = [item for item in items if item.image is None]
    drawn = {item.name: _drawn(bench, item, folder) for item in track(missing, "sources")}
    write_items([drawn.get(item.name, item) for item in items], folder)
    return len(drawn)


def _drawn(bench: Workbench, item: Item, folder: Path) -> Item:
    file = folder / "images" / f"{item.name}.png"
    if not file.exists():
        picture = source_of(bench, item, item.seed, folder / "made").picture
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(file)
    return replace(item, image=file)
