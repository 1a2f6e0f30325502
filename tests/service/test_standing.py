"""Where a job stands while it is polled, and when a refused one may come again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from api_schemas.jobs import InsertionJob, Progress, QueueState
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.outlook import Outlook, shape_of
from job_store.tenants import Limits, Tenants
from job_store.workers import WorkerRegistry
from runtime.valkey import EmbeddedValkey
from tests.service.conftest import BODY, CARD, make_settings, put_worker, serving
from tests.service.test_estimates import COUNTED

PACE, FORWARDS, REMEMBERED = 0.5, 18, 8  # of BODY: ten steps of its source, eight of its target
Act = Callable[[str, dict[str, Any]], httpx.Response]


@pytest.fixture(autouse=True)
def counted(worker: WorkerRegistry) -> None:
    worker.announce(COUNTED)


@pytest.fixture
def paced(redis: Redis) -> None:
    shape = shape_of(128, 128, CARD.max_pixels)
    Outlook(redis).note(CARD.name, shape, 10, 10 * PACE)


def submit(client: httpx.Client) -> InsertionJob:
    return InsertionJob.model_validate(client.post("/v1/insertions", json=BODY).json())


def standing(client: httpx.Client, job: InsertionJob) -> QueueState:
    found = InsertionJob.model_validate(client.get(f"/v1/insertions/{job.id}").json()).queue
    assert found
    return found


def p50(found: QueueState) -> float:
    assert found.eta_seconds
    return found.eta_seconds.p50


def test_a_position_without_a_pace_has_no_time(client: httpx.Client) -> None:
    assert [standing(client, submit(client)) for _ in range(2)] == [
        QueueState(position=0),
        QueueState(position=1),
    ]


def test_a_jobs_time_is_that_of_the_work_before_and_its_own(
    paced: None, client: httpx.Client, store: JobStore, worker: WorkerRegistry
) -> None:
    first, second, third = (submit(client) for _ in range(3))
    assert p50(standing(client, first)) == FORWARDS * PACE
    assert (standing(client, third).position, p50(standing(client, third))) == (2, 3 * FORWARDS * PACE)
    claim = store.claim(CARD.name, "one", 30_000)
    assert claim
    put_worker(worker, state="busy")
    store.report(first.id, claim.token, Progress(stage="denoise", step=1, total=4, percent=25))
    assert (standing(client, first).position, p50(standing(client, first))) == (0, 0.75 * FORWARDS * PACE)
    later = (0.75 * FORWARDS + REMEMBERED) * PACE  # it has the first one's source
    assert (standing(client, second).position, p50(standing(client, second))) == (0, later)


def test_others_jobs_stand_before_as_shares_go(
    paced: None, client: httpx.Client, client_of: Callable[[str], httpx.Client]
) -> None:
    flood = client_of("flood")
    for _ in range(10):
        last = submit(flood)
    mine = submit(client)
    assert standing(client, mine).position in (0, 1)
    assert standing(flood, last).position == 10


def test_an_ended_job_stands_nowhere(client: httpx.Client, finish: Callable[[], str]) -> None:
    job = submit(client)
    finish()
    assert client.get(f"/v1/insertions/{job.id}").json()["queue"] is None


def test_nobody_can_tell_in_a_paused_queue(paced: None, client: httpx.Client, redis: Redis) -> None:
    redis.sadd(Key.PAUSED, CARD.name)
    assert standing(client, submit(client)).eta_seconds is None


def test_a_full_queue_tells_when_it_is_drained(
    paced: None, valkey: EmbeddedValkey, client: httpx.Client, tmp_path: Path
) -> None:
    with serving(make_settings(valkey, tmp_path, max_queued=3)) as url:
        answers = [client.post(f"{url}/v1/insertions", json=BODY) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert answers[-1].json()["code"] == "queue_full"
    assert answers[-1].headers["Retry-After"] == str(int(3 * FORWARDS * PACE))


@pytest.mark.fault(50)
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
@pytest.mark.parametrize(
    ("own", "code", "wait"),
    [
        ({"max_queued": 1}, "quota_exceeded", str(int(FORWARDS * PACE))),
        ({"per_minute": 1}, "rate_limited", "60"),
    ],
)
def test_a_tenants_limits_hold(
    paced: None,
    client: httpx.Client,
    redis: Redis,
    headers: dict[str, str],
    own: dict[str, float],
    code: str,
    wait: str,
) -> None:
    Tenants(redis, Limits()).put("acme", own)
    first = client.post("/v1/insertions", json=BODY, headers=headers)
    for path in ("/v1/insertions", f"/v1/insertions/{first.json()['id']}/variations"):
        refused = client.post(path, json=BODY if path.endswith("insertions") else {"seeds": [2]})
        assert (refused.status_code, refused.json()["code"]) == (429, code)
        assert refused.headers["Retry-After"] == wait
    problem = client.post("/v1/estimates", json=BODY).json()["problem"]
    assert problem["code"] == code
    if headers:
        again = client.post("/v1/insertions", json=BODY, headers=headers)
        assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
