"""Emu Edit's rows become items: by their captions, else by the instruction, lazily, from files."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from PIL import Image

from evaluation.errors import EvaluationError
from evaluation.suites.emu_edit import import_emu_edit
from evaluation.suites.folders import read_items

ROWS = [
    ("add", "Add a dog on the sofa", "a photo of a sofa", "a photo of a sofa with a dog"),
    ("remove", "Remove the cat", "a cat on a sofa", "a sofa"),
    ("add", "add a hat to the man", "a man", "a man, who wears a hat and smiles"),
    ("add", "do something", "a man", "a man"),
]


def write_rows(folder: Path) -> None:
    Image.new("RGB", (8, 8), "teal").save(folder / "picture.png")
    rows = [
        {"task": task, "instruction": order, "input_caption": before, "output_caption": after,
         "image": "picture.png", "idx": index, "split": "validation"}
        for index, (task, order, before, after) in enumerate(ROWS)
    ]  # fmt: skip
    rows.append(rows[0] | {"split": "test", "idx": 9})
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))


def test_additions_of_the_validation_split_become_a_suite(tmp_path: Path) -> None:
    write_rows(tmp_path)
    assert import_emu_edit(str(tmp_path), tmp_path / "suite") == 2
    first, second = read_items(tmp_path / "suite")
    assert (first.name, first.subject, first.prompt) == ("00000", "dog", ROWS[0][3])
    assert first.instruction == ROWS[0][1]
    assert second.subject == "hat"
    for item in (first, second):
        assert item.subject in item.prompt
        picture = item.open_picture()
        assert picture is not None
        assert picture.shape == (8, 8, 3)


def test_an_empty_folder_says_what_it_should_hold(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="parquet"):
        import_emu_edit(str(tmp_path), tmp_path / "suite")


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is not None, reason="pyarrow is installed here")
def test_parquet_files_need_a_package_and_say_so(tmp_path: Path) -> None:
    (tmp_path / "0.parquet").write_bytes(b"PAR1")
    with pytest.raises(EvaluationError, match="pip install pyarrow"):
        import_emu_edit(str(tmp_path), tmp_path / "suite")
