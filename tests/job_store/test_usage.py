"""Usage is counted by the end itself: once, whoever says it how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from redis import Redis

from api_schemas.errors import JobError
from api_schemas.jobs import Cost
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.usage import EPOCH, Usage
from tests.job_store.samples import TENANT, new_job, result, start

TODAY = datetime.now(UTC).date()


def test_ends_gpu_seconds_and_bytes_are_counted_once(store: JobStore, redis: Redis) -> None:
    cost = Cost(forwards=1, gpu_seconds=0.25, source_memory="miss", stored_bytes=1000)
    told = result().model_copy(update={"cost": cost})
    for _ in range(2):
        claim = start(store)
        for _ in range(2):  # the first reply was lost
            store.commit(claim.record.id, claim.token, told)
    failing = start(store)
    store.fail(failing.record.id, failing.token, JobError(code="internal", message="no"))
    waiting = store.submit(new_job())[0]
    store.cancel(waiting.id, TENANT)
    [day] = Usage(redis).days(TENANT, TODAY - timedelta(1), TODAY + timedelta(1))
    assert day.ended == {"succeeded": 2, "failed": 1, "canceled": 1, "expired": 0}
    assert (day.gpu_seconds, day.stored_bytes) == (0.5, 2000)
    assert Usage(redis).days("other", TODAY, TODAY) == []


def test_days_stand_where_they_belong_and_go_after_a_while(store: JobStore, redis: Redis) -> None:
    store.cancel(store.submit(new_job())[0].id, TENANT)
    [day] = Usage(redis).days(TENANT, TODAY - timedelta(3), TODAY)
    key = f"{Key.USAGE}{TENANT}:{(day.day - EPOCH).days}"
    assert timedelta(399) < timedelta(milliseconds=redis.pttl(key)) <= timedelta(400)
    assert Usage(redis).days(TENANT, TODAY - timedelta(9), TODAY - timedelta(2)) == []
