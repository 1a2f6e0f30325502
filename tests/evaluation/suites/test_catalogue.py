"""The shipped lists are what they say, and the folders that are drawn stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from evaluation.errors import EvaluationError
from evaluation.suites.catalogue import open_suite
from evaluation.suites.folders import read_items, write_items
from evaluation.suites.items import RELATIONS
from tests.evaluation.samples import no_world


@pytest.mark.parametrize(("name", "count"), [("additing", 100), ("affordance", 200), ("relations", 40)])
def test_shipped_items_name_their_subject_in_the_prompt(tmp_path: Path, name: str, count: int) -> None:
    items = open_suite(name, tmp_path, no_world)
    assert len(items) == count
    for item in items:
        assert item.subject in item.prompt
        assert f" {item.subject} " not in f"{item.source_prompt} "
        assert item.prompt != item.source_prompt
        assert item.instruction


def test_prompt_pairs_differ_from_each_other(tmp_path: Path) -> None:
    for name in ("additing", "affordance", "relations"):
        items = open_suite(name, tmp_path, no_world)
        assert len({item.prompt for item in items}) == len(items)


def test_relations_are_all_there(tmp_path: Path) -> None:
    items = open_suite("relations", tmp_path, no_world)
    assert {item.relation for item in items} == set(RELATIONS)
    assert all((item.anchor is None) == (item.relation == "two of") for item in items)


def test_boxes_that_people_drew_join_the_shipped_list(tmp_path: Path) -> None:
    first = open_suite("affordance", tmp_path, no_world)[0]
    kept = tmp_path / "affordance"
    kept.mkdir()
    Image.new("RGB", (16, 16)).save(kept / "000.png")
    entry = '[{"name": "000", "src_prompt": "", "tgt_prompt": "", "subject_token": "", "image": "000.png",'
    (kept / "items.json").write_text(entry + ' "boxes": [[1, 2, 3, 4]]}]')
    opened = open_suite("affordance", tmp_path, no_world)
    assert opened[0].boxes == ((1.0, 2.0, 3.0, 4.0),)
    assert opened[0].prompt == first.prompt
    assert opened[1].boxes == ()


def test_any_folder_is_a_suite(tmp_path: Path) -> None:
    items = open_suite("additing", tmp_path, no_world)[:2]
    write_items(items, tmp_path / "mine")
    assert open_suite(str(tmp_path / "mine"), tmp_path, no_world) == items
    assert read_items(tmp_path / "mine") == items
    with pytest.raises(EvaluationError, match="additing"):
        open_suite("nothing", tmp_path, no_world)
