"""Tickets: RQ jobs that say no more than "run one ready record of this model". The records are the truth.

A lost ticket is made up for by `top_up`, one too many finds nothing to claim. RQ's registries are not asked:
a look at them runs a clean-up that may enqueue a job twice.
"""

from __future__ import annotations

from typing import cast

from redis import Redis
from rq import Queue
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.serializers import JSONSerializer

from job_store.jobs import JobStore
from job_store.server import redis_errors

CALLABLE = "job_store.tickets.run_record"
KEEP_FAILED_SECONDS = 60  # RQ's default is a year
SPARE = 16  # more tickets than claimable jobs do no harm: they wake workers that find nothing
NO_TIMEOUT = -1  # a job's deadline is the supervisor's business


def run_record() -> None:
    """The one callable that a ticket may name. A supervisor claims a record instead of calling it."""
    raise NotImplementedError("tickets are run by workers.supervisor")


def queue(redis: Redis, model: str) -> Queue:
    """The RQ queue of a model's tickets."""
    return Queue(f"addit-{model}", connection=redis, serializer=JSONSerializer)


def issue(redis: Redis, model: str) -> None:
    """Put one ticket on the model's queue. Raises StoreUnavailable."""
    _enqueue(queue(redis, model), 1)


def top_up(redis: Redis, store: JobStore, model: str) -> int:
    """Bring a model's tickets to its claimable jobs, some to spare. How many were missing; below 0, too many.

    Busy workers claim job after job and take no ticket: left alone, one more would lie there for each.
    Raises StoreUnavailable.
    """
    tickets = queue(redis, model)
    with redis_errors():
        there = tickets.count  # before the jobs: whatever is counted here came after its job
        missing = store.claimable_count(model) - there
        if missing < -SPARE:
            _drop(tickets, -missing - SPARE)
    _enqueue(tickets, max(0, missing))
    return missing


def is_ticket(job: Job) -> bool:
    """Whether an RQ job is one of ours and nothing more: no other code or request hangs on it."""
    try:
        call = (job.func_name, job.instance, list(job.args), job.kwargs)
    except (DeserializationError, TypeError):
        return False
    callbacks = (job._success_callback_name, job._failure_callback_name, job._stopped_callback_name)
    return call == (CALLABLE, None, [], {}) and not any(callbacks) and not job.webhooks


def _drop(tickets: Queue, count: int) -> None:
    taken = cast(list[bytes] | None, tickets.connection.lpop(tickets.key, count))
    if taken:
        tickets.connection.delete(*(Job.key_for(job_id.decode()) for job_id in taken))


def _enqueue(tickets: Queue, count: int) -> None:
    ticket = Queue.prepare_data(
        CALLABLE,
        timeout=NO_TIMEOUT,
        result_ttl=0,
        failure_ttl=KEEP_FAILED_SECONDS,
        description="run one ready record",
    )
    if count:
        with redis_errors():
            tickets.enqueue_many([ticket] * count)
