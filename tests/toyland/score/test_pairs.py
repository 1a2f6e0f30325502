from __future__ import annotations

import numpy as np

from toyland.plausible import places_for
from toyland.score.pairs import Outcome, pair_tasks, summary
from toyland.score.tasks import source_sample
from toyland.world import World

PICTURE = np.zeros((4, 4, 3), np.uint8)


def test_pairs_belong_into_their_scene_and_are_not_there(world: World) -> None:
    tasks = pair_tasks(world, 6)
    assert tasks == pair_tasks(world, 6)
    assert len({task.scene for task in tasks}) == 6
    for task in tasks:
        source = source_sample(world, task.scene, task.index, task.count)
        assert len(set(task.subjects)) == 2
        assert not set(task.subjects) & set(source.objects)
        assert all(places_for(source, name) is not None for name in task.subjects)


def test_the_prompts_name_one_thing_more_each_time(world: World) -> None:
    for task in pair_tasks(world, 6):
        named = [[name in prompt.split() for name in task.subjects] for prompt in task.prompts]
        assert named == [[False, False], [True, False], [True, True]]


def test_shares_are_of_subjects_and_of_tasks() -> None:
    outcomes = [Outcome(2, 1, True, 40.0, PICTURE), Outcome(1, 1, False, 42.0, PICTURE)]
    assert summary(outcomes) == {"included": 0.75, "holds": 0.5, "both": 0.5, "forwards": 41.0}
