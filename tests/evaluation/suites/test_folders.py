"""Any folder of pictures and a JSON list is a suite; what is written is read back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.errors import EvaluationError
from evaluation.suites.folders import LIST, read_items, write_items
from evaluation.suites.items import Item

TOLD = Item("a", "a bed", "a bed with a dog", "dog", "add a dog", seed=3)


def drawn(folder: Path) -> Item:
    """The item with a picture, a mask and boxes."""
    image, region = folder / "images" / "a.png", folder / "regions" / "a.png"
    for file, colour in ((image, "teal"), (region, "white")):
        file.parent.mkdir(parents=True)
        Image.new("RGB", (6, 4), colour).save(file)
    return replace(TOLD, image=image, region=region, boxes=((0.0, 1.0, 2.0, 3.5),))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    items = [drawn(tmp_path), replace(TOLD, name="b", relation="left of", anchor="bed")]
    write_items(items, tmp_path)
    assert read_items(tmp_path) == items
    assert read_items(tmp_path / LIST) == items


def test_pictures_and_masks_open(tmp_path: Path) -> None:
    item = drawn(tmp_path)
    picture, region = item.open_picture(), item.open_region()
    assert picture is not None
    assert region is not None
    assert picture.shape == (4, 6, 3)
    assert region.all()
    assert (TOLD.open_picture(), TOLD.open_region()) == (None, None)


def test_the_papers_three_fields_are_enough(tmp_path: Path) -> None:
    entry = {"src_prompt": "a bed", "tgt_prompt": "a bed with a dog", "subject_token": "dog"}
    (tmp_path / LIST).write_text(json.dumps([entry]))
    assert read_items(tmp_path) == [Item("000", "a bed", "a bed with a dog", "dog", "add dog")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no JSON", "no suite"),
        ('[{"src_prompt": "a"}]', "tgt_prompt"),
        ('[{"src_prompt": "a", "tgt_prompt": "b", "subject_token": "c", "boxes": [[3, 0, 1, 1]]}]', "left"),
        ('[{"src_prompt": "a", "tgt_prompt": "b", "subject_token": "c", "relation": "over"}]', "over"),
        ('[{"src_prompt": "a", "tgt_prompt": "b", "subject_token": "c", "name": "1"},'
         ' {"src_prompt": "a", "tgt_prompt": "b", "subject_token": "c", "name": "1"}]', "differ"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / LIST).write_text(text)
    with pytest.raises(EvaluationError, match=said):
        read_items(tmp_path)


def test_black_is_no_place(tmp_path: Path) -> None:
    file = tmp_path / "region.png"
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(file)
    region = replace(TOLD, region=file).open_region()
    assert region is not None
    assert region.tolist() == [[False, True]]
