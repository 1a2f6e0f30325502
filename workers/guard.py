"""Guards one attempt from outside the engine: renews its lease, passes stops on, kills who does not stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import structlog
from redis import Redis

from api_schemas.jobs import JobStatus
from job_store import tickets
from job_store.artifacts import ArtifactError, ArtifactStore, attempt_key
from job_store.clock import server_now
from job_store.errors import StaleToken, StoreUnavailable
from job_store.jobs import JobStore
from job_store.records import Claim
from runtime.settings import Settings
from workers.attempt_spans import attempt_span, tell_ending, tell_lap
from workers.engine_process import EngineGone, EngineProcess
from workers.failures import TOO_LATE
from workers.messages import Beat, Drop, Ended, Lap, Run, Stop, StopReason
from workers.outage import OUTAGES
from workers.shutdown import Shutdown
from workers.watch import Verdict, Watch

Reason = Verdict | Literal["died", "shutdown"]
"""Why the supervisor, not the engine, says what becomes of a record."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Post:
    """What a guard has at hand. `pulse` is called at every renewal: was there a step since the last one?"""

    engine: EngineProcess
    jobs: JobStore
    artifacts: ArtifactStore
    redis: Redis
    settings: Settings
    shutdown: Shutdown
    pulse: Callable[[bool], None]


class Guard:
    """One attempt, from handing it over to knowing its end."""

    def __init__(self, claim: Claim, post: Post) -> None:
        self._id, self._token, self._claim, self._post = claim.record.id, claim.token, claim, post
        self._watch = Watch(post.settings.step_seconds, 2 * post.settings.beat_seconds)
        self._stepped = False
        self._dropped = frozenset(claim.record.dropped_seeds)
        self._log = log.bind(job_id=self._id, attempt=claim.record.attempts)

    def run(self) -> Ended | None:
        """Hand the record over and stay until its attempt is over; None if a shutdown did not let it finish.

        Raises EngineGone when the engine died or had to be killed; the record is ended or given back by then.
        """
        with attempt_span(self._claim.record) as self._span:
            self._log.info("job claimed")
            ended = self._run()
            tell_ending(self._span, ended.ending if ended else "shutdown")
            return ended

    def _run(self) -> Ended | None:
        seconds = seconds_left(self._claim, self._post.redis)
        try:
            self._post.engine.send(Run(self._claim, seconds, self._span.is_recording()))
            ended = self._stay(time.monotonic() + seconds)
        except EngineGone:
            reason: Reason = self._watch.asked or "died"
            tell_ending(self._span, self._watch.verdict() or reason)
            self._close(reason)
            raise
        if ended is None:
            self._post.engine.kill()
            self._close("shutdown")
        elif ended.ending == "crashed":
            self._close("died")
        return ended

    def _stay(self, ends_at: float) -> Ended | None:
        settings, shutdown = self._post.settings, self._post.shutdown
        renew_at = looked_at = time.monotonic()
        while not shutdown.is_due(settings.grace_seconds):
            message = self._post.engine.receive(renew_at - time.monotonic())
            if isinstance(message, Ended) and message.token == self._token:
                return message
            now = time.monotonic()
            self._watch.pass_time(now - looked_at)
            looked_at = now
            if isinstance(message, Beat) and message.token == self._token:
                self._watch.beat()
                self._stepped = True
            if isinstance(message, Lap) and message.token == self._token:
                tell_lap(self._span, message)
            if now >= ends_at:
                self._ask("deadline")
            if now >= renew_at:
                self._renew()
                renew_at = time.monotonic() + settings.beat_seconds
            self._judge()
        return None

    def _renew(self) -> None:
        try:
            wishes = self._post.jobs.beat(self._id, self._token, lease_ms(self._post.settings))
            if wishes.cancel:
                self._ask("canceled")
            self._drop(frozenset(wishes.dropped))
            self._post.pulse(self._stepped)
            self._stepped = False
        except StaleToken:
            self._ask("superseded")
        except OUTAGES:
            self._log.warning("lease not renewed: no store")

    def _drop(self, seeds: frozenset[int]) -> None:
        """Have the engine let go of those it does not know of yet."""
        if seeds > self._dropped:
            self._dropped = seeds
            self._log.info("attempt asked to drop seeds", seeds=sorted(seeds))
            self._post.engine.send(Drop(self._token, seeds))

    def _ask(self, reason: StopReason) -> None:
        if self._watch.ask(reason):
            self._log.info("attempt asked to stop", reason=reason)
            self._post.engine.send(Stop(self._token, reason))

    def _judge(self) -> None:
        verdict = self._watch.verdict()
        if verdict is not None:
            self._log.error("engine killed", reason=verdict)
            raise EngineGone(self._post.engine.kill())

    def _close(self, reason: Reason) -> None:
        """Say what became of the record. Without a store the end of its lease will say it."""
        try:
            status = self._end(reason)
        except StaleToken:
            self._log.info("attempt was over already", reason=reason)
        except StoreUnavailable:
            self._log.warning("record not given back: no store", reason=reason)
        else:
            self._log.warning("attempt cut short", reason=reason, status=status)
            if status != "succeeded":  # it may have ended well just before it died
                self._discard()

    def _end(self, reason: Reason) -> JobStatus:
        """Raises StaleToken when the record is not this attempt's any more."""
        jobs = self._post.jobs
        match reason:
            case "deadline":
                jobs.fail(self._id, self._token, TOO_LATE)
                return "failed"
            case "canceled":
                jobs.canceled(self._id, self._token)
                return "canceled"
            case "superseded":
                raise StaleToken(self._id)
        crashed, most = reason != "shutdown", self._post.settings.max_crashes
        status = jobs.release(self._id, self._token, crashed=crashed, max_crashes=most)
        if status == "queued":
            tickets.issue(self._post.redis, self._claim.record.model)
        return status

    def _discard(self) -> None:
        """Remove what the engine had stored before it was cut short."""
        prefix = attempt_key(self._claim.record.tenant, self._id, self._token, "")
        try:
            self._post.artifacts.delete(prefix)
        except ArtifactError:
            self._log.warning("pictures of an attempt left behind")
            with suppress(StoreUnavailable):
                self._post.jobs.purge_later(prefix)


def lease_ms(settings: Settings) -> int:
    """How long a claim lasts without renewal."""
    return round(settings.lease_seconds * 1000)


def seconds_left(claim: Claim, redis: Redis) -> float:
    """Until the record's deadline."""
    try:
        return (claim.record.deadline_at - server_now(redis)).total_seconds()
    except StoreUnavailable:
        return float(claim.record.request.deadline_seconds)
