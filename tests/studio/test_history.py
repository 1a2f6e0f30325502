"""A scene as a strip."""

from __future__ import annotations

from api_schemas.scenes import FIRST
from studio.history import here, stops
from tests.studio.samples import scene, step


def test_steps_stand_in_order_with_the_variation_that_was_built_upon() -> None:
    built = scene("b", 5, step("a", FIRST, "sheep", 1, 2), step("b", "a", "dog", 5, parent_seed=2))
    found = stops(built)
    assert [(one.step, one.seed) for one in found] == [(FIRST, None), ("a", 2), ("b", 5)]
    assert [one.caption for one in found] == ["0 · start", "1 · sheep", "▸ 2 · dog"]
    assert here(built) == "The next object goes into step 2, with dog."


def test_a_branch_says_what_it_grows_from() -> None:
    grown = scene("c", 1, step("a", FIRST, "sheep", 1), step("b", "a", "dog", 1), step("c", "a", "cat", 1))
    assert [one.caption for one in stops(grown)][-1] == "▸ 3 · cat (on 1)"


def test_at_the_first_picture_it_says_so_and_a_step_without_pictures_has_no_stop() -> None:
    undone = scene(FIRST, None, step("a", FIRST, "sheep"))
    assert [one.caption for one in stops(undone)] == ["▸ 0 · start"]
    assert here(undone) == "The next object goes into the first picture."


def test_a_generated_first_picture_stands_in_the_strip_though_it_has_no_id() -> None:
    made = scene("a", 1, step("a", FIRST, "sheep", 1)).model_copy(update={"image_id": None})
    first, _ = stops(made)
    assert (first.step, first.link, first.caption) == (FIRST, "/first", "0 · start")
    assert first.kept_as != stops(made.model_copy(update={"id": "scn_2"}))[0].kept_as
