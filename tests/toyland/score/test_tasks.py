"""The fixed tasks: the same for the same world, about things that can be, and of the kind they say."""

from pathlib import Path

import pytest

from toyland.held_out import HELD_OUT_PAIRS
from toyland.plausible import places_for
from toyland.score.tasks import DrawingTask, Pairs, drawing_tasks, insertion_tasks, kept_tasks, source_sample
from toyland.world import World


def test_drawings_name_every_object_in_turn(world: World) -> None:
    tasks = drawing_tasks(world, "one", 6)
    assert tasks == drawing_tasks(world, "one", 6)
    assert [task.subject for task in tasks] == [kind.name for kind in world.objects[:6]]
    for task in tasks:
        assert task.subject in task.names
        assert set(task.names) <= set(task.caption.split())
        assert (task.subject, task.scene) not in HELD_OUT_PAIRS


def test_two_things_are_two(world: World) -> None:
    assert all(len(task.names) == 2 for task in drawing_tasks(world, "two", 4))


def test_held_out_pairs_are_new_to_their_scene(world: World) -> None:
    tasks = drawing_tasks(world, "held_out_pairs", 4)
    assert all((task.subject, task.scene) in HELD_OUT_PAIRS for task in tasks)


def test_held_out_templates_say_the_same_otherwise(world: World) -> None:
    for known, new in zip(
        *(drawing_tasks(world, name, 4) for name in ("one", "held_out_templates")), strict=True
    ):
        assert known.names == new.names
        assert new.caption.startswith(("a picture showing", "in the picture there is"))


@pytest.mark.parametrize("pairs", ["trained", "held_out"])
def test_subjects_of_insertions_have_a_place_and_are_not_there(world: World, pairs: Pairs) -> None:
    tasks = insertion_tasks(world, pairs, 6)
    assert len(tasks) == 6
    for task in tasks:
        source = source_sample(world, task.scene, task.index, task.count)
        assert task.subject not in source.objects
        assert places_for(source, task.subject) is not None
        assert ((task.subject, task.scene) in HELD_OUT_PAIRS) == (pairs == "held_out")
        assert task.subject in task.prompt.split()
        assert task.subject not in task.source_prompt.split()


def test_tasks_are_made_once(tmp_path: Path) -> None:
    tasks = [DrawingTask("two", "a cat and a dog", "beach", "cat", ("cat", "dog"), 3)]
    file = tmp_path / "tasks" / "two.json"
    assert kept_tasks(file, DrawingTask, lambda: tasks) == tasks
    assert kept_tasks(file, DrawingTask, list) == tasks
