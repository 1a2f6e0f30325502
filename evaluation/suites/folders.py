"""A suite on disk: `items.json` in the paper's field names, pictures and masks in files beside it.

    [{"name": "000", "src_prompt": "A photo of a bed", "tgt_prompt": "A photo of a bed with a dog on it",
      "subject_token": "dog", "instruction": "Add a dog on the bed", "image": "images/000.png",
      "boxes": [[40, 60, 120, 128]]}]

`name` falls back to the entry's number, `instruction` to "add" and the subject; the rest after the first
three may be left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from evaluation.errors import EvaluationError
from evaluation.suites.items import RELATIONS, Item

LIST = "items.json"


def read_items(file: Path) -> list[Item]:
    """The items of a JSON file, or of a folder's `items.json`. Raises `EvaluationError`."""
    file = file / LIST if file.is_dir() else file
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{file} is no suite: {error}") from error
    items = [_to_item(entry, number, file) for number, entry in enumerate(entries)]
    if len({item.name for item in items}) != len(items):
        raise EvaluationError(f"{file}: names must differ from each other")
    return items


def write_items(items: Iterable[Item], folder: Path) -> None:
    """What `read_items` reads. Pictures and masks must lie in the folder already."""
    entries = [_to_entry(item, folder) for item in items]
    lines = ",\n".join(f" {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{LIST}.part"
    part.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    part.replace(folder / LIST)  # its presence says that the suite is whole


def _to_item(entry: dict[str, Any], number: int, file: Path) -> Item:
    try:
        source, prompt, subject = (str(entry[key]) for key in ("src_prompt", "tgt_prompt", "subject_token"))
    except (KeyError, TypeError) as error:
        raise EvaluationError(f"{file}: entry {number} lacks {error}") from error
    relation = entry.get("relation")
    if relation not in (None, *RELATIONS):
        raise EvaluationError(f"{file}: entry {number}: {relation!r} is none of {', '.join(RELATIONS)}")
    return Item(
        name=str(entry.get("name", f"{number:03d}")),
        source_prompt=source,
        prompt=prompt,
        subject=subject,
        instruction=str(entry.get("instruction", f"add {subject}")),
        seed=int(entry.get("seed", 0)),
        image=_beside(file, entry.get("image")),
        boxes=_to_boxes(entry.get("boxes", ()), number, file),
        region=_beside(file, entry.get("region")),
        relation=relation,
        anchor=entry.get("anchor"),
    )


def _beside(file: Path, name: str | None) -> Path | None:
    return None if name is None else file.parent / name


def _to_boxes(
    boxes: Sequence[Sequence[float]], number: int, file: Path
) -> tuple[tuple[float, float, float, float], ...]:
    found = []
    for box in boxes:
        left, top, right, bottom = map(float, box) if len(box) == 4 else (0.0, 0.0, 0.0, 0.0)
        if not (left < right and top < bottom):
            raise EvaluationError(f"{file}: entry {number}: {list(box)} is not left, top, right, bottom")
        found.append((left, top, right, bottom))
    return tuple(found)


def _to_entry(item: Item, folder: Path) -> dict[str, object]:
    entry: dict[str, object] = {
        "name": item.name,
        "src_prompt": item.source_prompt,
        "tgt_prompt": item.prompt,
        "subject_token": item.subject,
        "instruction": item.instruction,
        "seed": item.seed,
    }
    files = {"image": item.image, "region": item.region}
    entry |= {key: file.relative_to(folder).as_posix() for key, file in files.items() if file is not None}
    if item.boxes:
        entry["boxes"] = [list(box) for box in item.boxes]
    return entry | {
        key: value for key, value in (("relation", item.relation), ("anchor", item.anchor)) if value
    }
