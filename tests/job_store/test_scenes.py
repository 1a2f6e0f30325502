"""Scenes in the store: their steps are jobs, added with them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis import Redis

from api_schemas.base import new_id
from api_schemas.insertions import GeneratedSource
from job_store.errors import NotFound, SceneFull, WrongState
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.records import Idempotency, NewJob, ScenePlace
from job_store.scenes import SceneRecord, SceneStore
from tests.job_store.samples import TENANT, new_job


@pytest.fixture
def scenes(redis: Redis) -> SceneStore:
    return SceneStore(redis)


def begin(scenes: SceneStore, tenant: str = TENANT, seconds: int = 600) -> SceneRecord:
    source = GeneratedSource(prompt="a room")
    return scenes.create(
        new_id("scn"), tenant, source, image_id=None, metadata={"order": "1"}, seconds=seconds
    )


def step(scene: SceneRecord, parent: str | None = None, seed: int | None = None) -> NewJob:
    return replace(new_job(), parent_id=parent, scene=ScenePlace(scene.id, seed))


def test_steps_are_a_tree_in_their_order(store: JobStore, scenes: SceneStore) -> None:
    scene = begin(scenes)
    one = store.submit(step(scene))[0]
    two = store.submit(step(scene, one.id, 7))[0]
    three = store.submit(step(scene, one.id))[0]
    found = scenes.get(scene.id, TENANT)
    assert [(it.id, it.parent, it.parent_seed) for it in found.steps] == [
        (one.id, None, None), (two.id, one.id, 7), (three.id, one.id, None),
    ]  # fmt: skip
    assert found.way_to(two.id) == [one.id, two.id]
    assert (found.head, found.way_to(None), found.metadata) == (three.id, [], {"order": "1"})
    assert store.get(two.id).scene_id == scene.id


def test_the_head_moves_to_steps_of_its_scene_alone(store: JobStore, scenes: SceneStore) -> None:
    scene, other = begin(scenes), begin(scenes)
    one, foreign = store.submit(step(scene))[0], store.submit(step(other))[0]
    scenes.move_head(scene, None)
    scenes.move_head(scene, one.id, 3)
    found = scenes.get(scene.id, TENANT)
    assert (found.head, found.head_seed) == (one.id, 3)
    with pytest.raises(NotFound):
        scenes.move_head(scene, foreign.id)
    with pytest.raises(WrongState):
        scenes.move_head(scene, None, unless_changed=True)
    scenes.move_head(found, None, unless_changed=True)
    assert scenes.get(scene.id, TENANT).head is None


def test_the_same_step_again_is_added_once(store: JobStore, scenes: SceneStore) -> None:
    scene, once = begin(scenes), Idempotency("key", "f")
    assert store.replayed(TENANT, once) is None
    first = store.submit(step(scene), once)[0]
    assert store.submit(step(scene), once) == (first, False)
    assert store.replayed(TENANT, once) == first
    assert len(scenes.get(scene.id, TENANT).steps) == 1


def test_a_scene_takes_no_step_when_it_is_gone_or_full(
    store: JobStore, scenes: SceneStore, redis: Redis
) -> None:
    scene = begin(scenes)
    redis.hset(Key.SCENE_STEPS + scene.id, mapping={f"ins_{number}": f"{number}  " for number in range(200)})
    with pytest.raises(SceneFull):
        store.submit(step(scene))
    assert len(scenes.get(scene.id, TENANT).steps) == 200
    assert scenes.delete(scene.id, TENANT) == []
    with pytest.raises(NotFound):
        store.submit(step(scene))
    assert store.list(TENANT) == ([], None)


def test_scenes_that_are_over_leave_the_list(scenes: SceneStore, redis: Redis) -> None:
    over, kept = begin(scenes), begin(scenes)
    redis.delete(Key.SCENE + over.id)
    assert [scene.id for scene in scenes.list(TENANT)[0]] == [kept.id]
    begin(scenes)
    assert redis.zscore(Key.SCENES + TENANT, over.id) is None
    assert scenes.list("other") == ([], None)
    with pytest.raises(NotFound):
        scenes.get(kept.id, "other")
    with pytest.raises(NotFound):
        scenes.delete(kept.id, "other")
