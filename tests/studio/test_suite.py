"""Scenes and their plausible boxes in a folder, kept as the evaluation reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evaluation.suites.folders import LIST, read_items
from studio.areas import Unclear
from studio.suite import boxes_of, first_open, keep, lines_of, scenes

TEXTS = ("a photo of a bed", "a photo of a bed with a dog on it", "dog")
SIDES = st.tuples(st.integers(0, 40), st.integers(0, 30), st.integers(1, 24), st.integers(1, 18))


def pictures(folder: Path, *names: str) -> Path:
    for name in names:
        Image.new("RGB", (64, 48), "teal").save(folder / name)
    return folder


def test_a_folder_of_pictures_becomes_a_suite_that_the_evaluation_reads(tmp_path: Path) -> None:
    first, second = scenes(pictures(tmp_path, "bed.png", "table.jpg"))
    for scene in (first, second):
        keep(tmp_path, replace(scene, texts=TEXTS, boxes=((1, 2, 30, 40), (4, 5, 6, 7))))
    item, other = read_items(tmp_path)
    assert (item.name, item.image, item.subject) == ("bed", tmp_path / "bed.png", "dog")
    assert item.boxes == other.boxes
    assert [list(box) for box in item.boxes] == [[1, 2, 30, 40], [4, 5, 6, 7]]
    assert other.image == tmp_path / "table.jpg"


def test_what_else_an_entry_says_stays_and_a_shipped_list_finds_pictures_of_its_names(tmp_path: Path) -> None:
    known = {"src_prompt": TEXTS[0], "tgt_prompt": TEXTS[1], "subject_token": "dog", "seed": 7}
    entries = [{"name": "000", **known, "instruction": "Add a dog"}, {"name": "001", **known}]
    (tmp_path / LIST).write_text(json.dumps(entries))
    (tmp_path / "images").mkdir()
    pictures(tmp_path / "images", "000.png")
    (scene,) = scenes(tmp_path)
    assert (scene.name, scene.texts, scene.is_done) == ("000", TEXTS, False)
    keep(tmp_path, replace(scene, boxes=((0, 0, 8, 8),)))
    written = json.loads((tmp_path / LIST).read_text())
    assert written == [{**entries[0], "image": "images/000.png", "boxes": [[0, 0, 8, 8]]}, entries[1]]
    keep(tmp_path, replace(scene, boxes=()))
    assert "boxes" not in json.loads((tmp_path / LIST).read_text())[0]


def test_one_begins_where_something_is_left_to_do(tmp_path: Path) -> None:
    found = scenes(pictures(tmp_path, "a.png", "b.png", "c.png"))
    keep(tmp_path, replace(found[0], texts=TEXTS, boxes=((0, 0, 8, 8),)))
    keep(tmp_path, replace(found[1], boxes=((0, 0, 8, 8),)))
    assert [scene.is_done for scene in scenes(tmp_path)] == [True, False, False]
    assert first_open(scenes(tmp_path)) == 1
    assert first_open([]) == 0


@given(st.lists(SIDES, max_size=6))
def test_lines_are_boxes_and_boxes_lines(sides: list[tuple[int, int, int, int]]) -> None:
    boxes = tuple((left, top, left + across, top + down) for left, top, across, down in sides)
    assert boxes_of(lines_of(boxes), 64, 48) == boxes


@pytest.mark.parametrize(
    ("text", "reason"), [("1, 2, 3", "four numbers"), ("0 0 65 8", "outside"), ("-1 0 8 8", "outside")]
)
def test_what_is_no_box_of_the_picture_is_unclear(text: str, reason: str) -> None:
    with pytest.raises(Unclear, match=reason):
        boxes_of(text, 64, 48)


@pytest.mark.parametrize("text", ["{}", "[1]", "not json"])
def test_a_list_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / LIST).write_text(text)
    with pytest.raises(Unclear, match="no list of scenes"):
        scenes(tmp_path)
