"""RQ's side of a supervisor: waits for tickets and shows that it lives. Knows no record and no engine.

RQ's own loop is not used: it stops at the first lost connection, and its maintenance imports and calls what a
job in Redis names. A ticket has nothing to run, so no job is ever read further than `is_ticket` reads it.
"""

from __future__ import annotations

import time

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, worker_registration
from rq.exceptions import DequeueTimeout
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from job_store import tickets

WORKER_TTL_SECONDS = 60
WAIT_SECONDS = 1  # RQ counts in whole seconds; short enough to look after an idle engine in between
ANSWER_SECONDS = 2  # beyond the wait, until the connection counts as dead
HEARTBEAT_SECONDS = 5.0
MAINTENANCE_SECONDS = 30.0

log = structlog.get_logger()


class TicketWorker(BaseWorker):
    """A worker on the one queue of its model, under a name nobody had before."""

    def __init__(self, model: str, redis: Redis) -> None:
        """`redis` must be for this worker alone: RQ sets its timeouts to suit blocking reads."""
        super().__init__([tickets.queue(redis, model)], connection=redis, worker_ttl=WORKER_TTL_SECONDS,
                         log_job_description=False, serializer=JSONSerializer)  # fmt: skip
        self.register_birth()  # type: ignore[no-untyped-call]
        self._next_heartbeat = self._next_maintenance = 0.0

    @property
    def dequeue_timeout(self) -> int:
        """Seconds a read may block."""
        return WAIT_SECONDS

    @property
    def connection_timeout(self) -> int:
        """Seconds after which a silent connection is dead."""
        return WAIT_SECONDS + ANSWER_SECONDS

    def wait(self) -> None:
        """Return when a ticket came, or after a second. Raises RedisError."""
        self.stay_visible()
        try:
            found = Queue.dequeue_any(self.queues, WAIT_SECONDS, self.connection, Job, JSONSerializer)
        except DequeueTimeout:
            return
        except RedisError:
            raise
        except Exception as error:  # whatever keeps RQ from even fetching a job
            self._refuse(error.job_id)  # type: ignore[attr-defined]
            return
        if found is not None:
            self.execute_job(*found)

    def leave(self) -> None:
        """Strike this worker off RQ's list. Raises RedisError."""
        self.register_death()  # type: ignore[no-untyped-call]

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Take the ticket off the queue's books; there is nothing in it to execute."""
        if tickets.is_ticket(job):
            self._drop(job.id)
        else:
            self._refuse(job.id)

    def stay_visible(self) -> None:
        """Renew this worker's key, and now and then clear up after workers that died."""
        now = time.monotonic()
        if now >= self._next_heartbeat:
            self.heartbeat()
            self._next_heartbeat = now + HEARTBEAT_SECONDS
        if now >= self._next_maintenance:
            self.run_maintenance_tasks()
            self._next_maintenance = now + MAINTENANCE_SECONDS

    def run_maintenance_tasks(self) -> None:
        """Forget dead workers and the tickets they had taken: the records are elsewhere."""
        worker_registration.clean_worker_registry(self.queues[0])
        for ticket in self.queues[0].intermediate_queue.get_job_ids():
            self._drop(ticket)

    def _refuse(self, job_id: str) -> None:
        log.warning("job in the ticket queue refused", rq_job=job_id)
        self._drop(job_id)

    def _drop(self, job_id: str) -> None:
        with self.connection.pipeline() as pipeline:
            pipeline.lrem(self.queues[0].intermediate_queue_key, 1, job_id)
            pipeline.delete(Job.key_for(job_id))
            pipeline.execute()
