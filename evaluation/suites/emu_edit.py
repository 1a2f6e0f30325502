"""The "add" items of Emu Edit's test set (Sheynin et al., arXiv 2311.10089; `facebook/emu_edit_test_set`).

Columns: instruction, image, task, split, idx, hash, input_caption, output_caption. Read from parquet files or
JSON lines, row by row, since the set is 1.9 GB. It names no subject: that is read off the sentences.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import fsspec
from PIL import Image

from api_schemas.sentences.errors import NotInferred
from api_schemas.sentences.inference import understand
from evaluation.errors import EvaluationError
from evaluation.suites.folders import write_items
from evaluation.suites.items import Item

HUB = "hf://datasets/facebook/emu_edit_test_set/data"
SPLIT = "validation"
"""The paper's subset is of this one."""
COLUMNS = ["instruction", "image", "task", "split", "idx", "input_caption", "output_caption"]
Row = dict[str, Any]


def import_emu_edit(place: str, folder: Path) -> int:
    """Write the "add" rows of `place` (a folder or an fsspec address such as `HUB`) as a suite; how many.

    Rows whose subject the sentences do not tell are left out. Raises `EvaluationError`.
    """
    items = [item for row in read_rows(place) if (item := to_item(row, place, folder)) is not None]
    if not items:
        raise EvaluationError(f"{place} has no row of task add in the {SPLIT} split that names its subject")
    write_items(items, folder)
    return len(items)


def read_rows(place: str) -> Iterator[Row]:
    """The rows of task "add", one after another. Raises `EvaluationError`."""
    for address in _files(place):
        rows = _parquet_rows(address) if address.endswith(".parquet") else _json_rows(address)
        yield from (row for row in rows if row["task"] == "add" and row.get("split", SPLIT) == SPLIT)


def to_item(row: Row, place: str, folder: Path) -> Item | None:
    """The row as an item, its picture written to the folder; None where it does not tell its subject."""
    before, after, instruction = (
        str(row[key]).strip() for key in ("input_caption", "output_caption", "instruction")
    )
    told = _subject(before, after, instruction)
    if told is None:
        return None
    prompt, subject = told
    name = f"{int(row['idx']):05d}"
    file = folder / "images" / f"{name}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    _open_picture(row["image"], place).convert("RGB").save(file)
    return Item(name, before, prompt, subject, instruction, seed=int(row["idx"]), image=file)


def _subject(before: str, after: str, instruction: str) -> tuple[str, str] | None:
    """The target's prompt and, in its words, the one new thing: by both captions, else by the order."""
    named = _inferred(before, after)
    if named is not None:
        return after, named[1]
    ordered = _inferred(before, instruction)
    if ordered is None:
        return None
    prompt, subject = ordered
    return (after if subject.lower() in after.lower() else prompt), subject


def _inferred(before: str, told: str) -> tuple[str, str] | None:
    """The prompt that a caption or an order amounts to, and its subject; None where that is not one thing."""
    try:
        understood = understand(before, told)
    except NotInferred:
        return None
    return (understood.prompt, understood.subjects[0]) if len(understood.subjects) == 1 else None


def _files(place: str) -> list[str]:
    """Addresses of the set's files."""
    try:
        system, path = fsspec.core.url_to_fs(place)
        found = [str(name) for kind in ("parquet", "jsonl") for name in system.glob(f"{path}/**/*.{kind}")]
    except ImportError as error:
        raise EvaluationError(f"{place} needs another package: {error}") from error
    if not found:
        raise EvaluationError(f"{place} holds neither *.parquet nor *.jsonl")
    return [str(system.unstrip_protocol(name)) for name in sorted(found)]


def _json_rows(address: str) -> Iterator[Row]:
    with fsspec.open(address, "rt", encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def _parquet_rows(address: str) -> Iterator[Row]:
    """Row groups are read one by one; those without an "add" row give up their pictures unread."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        message = f"{address} is a parquet file: `pip install pyarrow`, or give a folder of *.jsonl"
        raise EvaluationError(message) from error
    with fsspec.open(address, "rb") as stream:
        file = parquet.ParquetFile(stream)
        for group in range(file.num_row_groups):
            if "add" in file.read_row_group(group, ["task"]).column("task").to_pylist():
                yield from file.read_row_group(group, COLUMNS).to_pylist()


def _open_picture(image: Any, place: str) -> Image.Image:
    """As `datasets` stores it: {"bytes": …, "path": …}; or a file's name in the set's folder."""
    if isinstance(image, dict) and image.get("bytes"):
        return Image.open(BytesIO(image["bytes"]))
    name = image["path"] if isinstance(image, dict) else image
    with fsspec.open(f"{place.rstrip('/')}/{name}", "rb") as stream:
        picture = Image.open(stream)
        picture.load()
        return picture
