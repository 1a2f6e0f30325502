"""Tickets: as many as ready jobs, and nothing but tickets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis
from rq import Callback, Queue
from rq.job import Job
from rq.serializers import JSONSerializer, PickleSerializer
from rq.webhook import Webhook

from job_store import tickets
from job_store.jobs import JobStore
from tests.job_store.samples import LEASE_MS, MODEL, WORKER, new_job


def on_queue(redis: Redis) -> list[Job]:
    return tickets.queue(redis, MODEL).jobs


def test_a_ticket_says_nothing_but_run_one(redis: Redis) -> None:
    tickets.issue(redis, MODEL)
    tickets.issue(redis, MODEL)
    first, second = on_queue(redis)
    assert first.id != second.id
    assert all(tickets.is_ticket(ticket) for ticket in (first, second))
    assert (first.func_name, first.args, first.kwargs) == (tickets.CALLABLE, [], {})
    assert (first.result_ttl, first.failure_ttl, first.origin) == (0, 60, f"addit-{MODEL}")
    assert first.description == second.description
    assert first.func is tickets.run_record
    with pytest.raises(NotImplementedError):
        first.perform()


def test_tickets_are_topped_up_to_the_ready_jobs(redis: Redis, store: JobStore) -> None:
    for _ in range(5):
        store.submit(new_job())
    tickets.issue(redis, MODEL)
    assert tickets.top_up(redis, store, MODEL) == 4
    assert tickets.top_up(redis, store, MODEL) == 0
    store.claim(MODEL, WORKER, LEASE_MS)
    assert tickets.top_up(redis, store, MODEL) == -1
    assert len({ticket.id for ticket in on_queue(redis)}) == 5
    assert tickets.top_up(redis, store, "large") == 0


def test_tickets_that_busy_workers_never_took_do_not_pile_up(redis: Redis, store: JobStore) -> None:
    store.submit(new_job())
    for _ in range(100):
        tickets.issue(redis, MODEL)
    assert tickets.top_up(redis, store, MODEL) == -99
    assert len(on_queue(redis)) == len([*redis.scan_iter("rq:job:*")]) == 1 + tickets.SPARE
    assert tickets.top_up(redis, store, MODEL) == -tickets.SPARE


FORGERIES: dict[str, dict[str, Any]] = {
    "other callable": {"func": "os.system", "args": ["true"]},
    "callable without arguments": {"func": "os.getcwd"},
    "arguments": {"func": tickets.CALLABLE, "args": [1]},
    "keywords": {"func": tickets.CALLABLE, "kwargs": {"a": 1}},
    "success callback": {"func": tickets.CALLABLE, "on_success": Callback("os.getcwd")},
    "failure callback": {"func": tickets.CALLABLE, "on_failure": Callback("os.getcwd")},
    "stopped callback": {"func": tickets.CALLABLE, "on_stopped": Callback("os.getcwd")},
    "webhook": {"func": tickets.CALLABLE, "webhooks": [Webhook("http://127.0.0.1/", "failed")]},
}


@pytest.mark.fault(55)
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_ticket_is_none(redis: Redis, forgery: str) -> None:
    Queue(f"addit-{MODEL}", connection=redis, serializer=JSONSerializer).enqueue_call(**FORGERIES[forgery])
    assert [tickets.is_ticket(job) for job in on_queue(redis)] == [False]


def test_an_instance_is_no_ticket(redis: Redis) -> None:
    tickets.issue(redis, MODEL)
    job = on_queue(redis)[0]
    redis.hset(job.key, "data", json.dumps([tickets.CALLABLE, "os", [], {}]))
    assert not tickets.is_ticket(on_queue(redis)[0])


class Bomb:
    """Unpickling it runs code."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.fault(55)
@pytest.mark.parametrize(
    "data",
    [PickleSerializer.dumps(("os.system", None, (Bomb(),), {})), b"", b"null", b"[]", b"[1,2,3,4]", b"\xff"],
)
def test_no_data_can_pass_for_a_ticket_or_run(redis: Redis, data: bytes) -> None:
    tickets.issue(redis, MODEL)
    redis.hset(on_queue(redis)[0].key, "data", data)
    assert [tickets.is_ticket(job) for job in on_queue(redis)] == [False]
