"""Much removed at once, and nothing else."""

from __future__ import annotations

import pytest
from redis import Redis

from api_schemas.base import new_id
from api_schemas.errors import Problem
from job_store import purging
from job_store.api_keys import ApiKeys
from job_store.artifacts import image_key, job_prefix
from job_store.batches import BatchStore
from job_store.errors import NotFound
from job_store.images import ImageStore
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.purging import Purged, cancel_waiting, purge_tenant
from job_store.scenes import SceneStore
from job_store.server import Server
from tests.job_store.samples import MAX_CRASHES, MODEL, TENANT, new_job, result, start
from tests.job_store.test_images import add
from tests.job_store.test_scenes import begin, step

OTHER = "globex"
LINE = Problem(title="", status=422, code="invalid_request", detail="no line")


def furnish(redis: Redis, store: JobStore, tenant: str) -> tuple[str, str]:
    """One of everything, two waiting jobs besides; (running job, ended job)."""
    running = start(store, tenant=tenant).record.id
    ended = start(store, tenant=tenant)
    store.commit(ended.record.id, ended.token, result())
    scenes, batches = SceneStore(redis), BatchStore(redis)
    waiting = store.submit(new_job(tenant))[0]
    scene = begin(scenes, tenant)
    if tenant == TENANT:
        store.submit(step(scene))
    batch = batches.create(new_id("bat"), tenant, 2)
    batches.note(batch.id, 1, waiting.id)
    batches.note(batch.id, 2, LINE)
    ImageStore(redis).add(f"img_{tenant}", tenant, width=8, height=6, sha256="ab", seconds=60)
    ApiKeys(redis).create(tenant, "test")
    return running, ended.record.id


def keys_naming(redis: Redis, word: str) -> set[str]:
    return {key.decode() for key in Server(redis).command("KEYS", f"*{word}*")}


def test_all_of_a_tenant_goes_and_nothing_of_another(
    store: JobStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "JOBS_A_STEP", 2)
    furnish(redis, store, OTHER)
    theirs = {key: redis.dump(key) for key in keys_naming(redis, OTHER)}
    listed = [record.id for record in store.list(OTHER)[0]]
    running, ended = furnish(redis, store, TENANT)
    assert purge_tenant(redis, TENANT, keys=False) == Purged(
        jobs=3, stopping=1, scenes=1, batches=1, images=1, keys=0
    )
    assert [record.id for record in store.list(TENANT)[0]] == [running]
    assert SceneStore(redis).list(TENANT)[0] == []
    assert BatchStore(redis).list(TENANT)[0] == []
    with pytest.raises(NotFound):
        ImageStore(redis).get(f"img_{TENANT}", TENANT)
    assert image_key(TENANT, f"img_{TENANT}") in ImageStore(redis).expired()
    assert job_prefix(TENANT, ended) in store.sweep(MAX_CRASHES).prefixes
    assert {key: redis.dump(key) for key in theirs} == theirs
    assert [record.id for record in store.list(OTHER)[0]] == listed
    assert len(ApiKeys(redis).list(TENANT)) == 1


def test_what_runs_is_stopped_and_goes_then(store: JobStore, redis: Redis) -> None:
    claim = start(store)
    assert purge_tenant(redis, TENANT, keys=False).stopping == 1
    assert store.beat(claim.record.id, claim.token, 30_000).cancel
    store.canceled(claim.record.id, claim.token)
    store.sweep(MAX_CRASHES)
    assert store.list(TENANT)[0] == []
    assert purge_tenant(redis, TENANT, keys=False) == Purged(0, 0, 0, 0, 0, 0)


def test_what_was_finished_in_spite_of_it_goes_too(store: JobStore, redis: Redis) -> None:
    claim = start(store)
    purge_tenant(redis, TENANT, keys=False)
    store.commit(claim.record.id, claim.token, result())
    assert claim.record.id in store.sweep(MAX_CRASHES).deleted


def test_keys_go_if_asked_for(store: JobStore, redis: Redis) -> None:
    keys = ApiKeys(redis)
    given = [keys.create(TENANT, "one"), keys.create(TENANT, "two"), keys.create(OTHER, "one")]
    assert purge_tenant(redis, TENANT, keys=True).keys == 2
    assert [keys.find(key) is None for key in given] == [True, True, False]


def test_a_tenant_whose_name_begins_like_anothers_is_another(store: JobStore, redis: Redis) -> None:
    images = ImageStore(redis)
    add(images, "img_1")
    images.add("img_2", f"{TENANT}-2", width=8, height=6, sha256="ab", seconds=60)
    assert purge_tenant(redis, TENANT, keys=False).images == 1
    assert images.get("img_2", f"{TENANT}-2")


def test_all_that_waits_for_a_model_is_canceled(
    store: JobStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "JOBS_A_STEP", 2)
    running = start(store).record.id
    waiting = [store.submit(new_job(tenant))[0].id for tenant in (TENANT, OTHER, TENANT)]
    waiting.append(store.submit(new_job(priority="bulk"))[0].id)
    elsewhere = store.submit(new_job(model="other"))[0].id
    redis.zadd(Key.READY + MODEL, {"ins_nobody": 1})
    assert cancel_waiting(redis, MODEL) == 4
    assert {store.get(job_id).status for job_id in waiting} == {"canceled"}
    assert [store.get(job_id).status for job_id in (running, elsewhere)] == ["running", "queued"]
    assert (store.ready_count(MODEL), cancel_waiting(redis, MODEL)) == (0, 0)
