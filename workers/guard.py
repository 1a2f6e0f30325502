"""Guards one attempt from outside the engine: renews its lease, passes stops on, says who does not stop."""

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
from job_store.records import Claim, JobRecord
from runtime import telemetry
from runtime.settings import Settings
from workers.attempt_spans import begin_attempt, tell_ending, tell_lap
from workers.engine_process import EngineProcess
from workers.failures import TOO_LATE
from workers.messages import Beat, Drop, Ended, Lap, Left, Room, Run, Seat, Stop, StopReason
from workers.outage import OUTAGES
from workers.shutdown import Shutdown
from workers.watch import Verdict, Watch

Reason = Verdict | Literal["died", "shutdown"]
"""Why the supervisor, not the engine, says what becomes of a record."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Post:
    """What guards have at hand.

    pulse: called about once a beat while an attempt lasts: was there a step since the last one?
    left: called with every attempt that needs the model no more
    ended: called with every attempt that the engine says is over
    """

    engine: EngineProcess
    jobs: JobStore
    artifacts: ArtifactStore
    redis: Redis
    settings: Settings
    shutdown: Shutdown
    pulse: Callable[[bool], None]
    left: Callable[[JobRecord], None]
    ended: Callable[[JobRecord, Ended], None]


class Guard:
    """One attempt, from handing it over to knowing its end. It is told what the engine says and to look.

    at_model: whether it has the model, alone or in turns; without it, its pictures are being stored
    room: seeds that another may have to be better done at once with it
    renew_at: when its lease is to be renewed, monotonic
    stepped: whether it got a step further since that was last taken note of
    """

    def __init__(self, claim: Claim, post: Post, seat: Seat) -> None:
        self.record, self.token, self._claim, self._post = claim.record, claim.token, claim, post
        self.at_model, self.stepped, self.room, self._seat = True, False, 0, seat
        self._watch = Watch(post.settings.step_seconds, 2 * post.settings.beat_seconds)
        self._dropped = frozenset(claim.record.dropped_seeds)
        self._log = log.bind(job_id=self.record.id, attempt=self.record.attempts)
        self._span = begin_attempt(self.record)
        self._trace = telemetry.traceparent(self._span)

    def begin(self) -> None:
        """Hand the record over. Raises EngineGone."""
        with telemetry.following(self._trace):
            self._log.info("job claimed")
            seconds = seconds_left(self._claim, self._post.redis)
        self.renew_at = self._looked_at = time.monotonic()
        self._ends_at = self.renew_at + seconds
        self._post.engine.send(Run(self._claim, seconds, self._span.is_recording(), self._seat))

    def hear(self, message: Beat | Lap | Room | Left) -> None:
        """What the engine says of this attempt."""
        match message:
            case Beat():
                self._watch.beat()
                self.stepped = True
            case Lap():
                tell_lap(self._span, message)
            case Room():
                self.room = message.rows
            case Left():
                self.leave()

    def hear_beside(self) -> None:
        """Another at the model has got one step further."""
        self._watch.company_beat()

    def leave(self) -> None:
        """It needs the model no more."""
        if self.at_model:
            self.at_model = False
            self._post.left(self.record)

    def look(self) -> None:
        """Do what is due by now. Raises EngineGone."""
        now = time.monotonic()
        self._watch.pass_time(now - self._looked_at)
        self._looked_at = now
        with telemetry.following(self._trace):
            if now >= self._ends_at:
                self._ask("deadline")
            if now >= self.renew_at:
                self._renew()
                self.renew_at = time.monotonic() + self._post.settings.beat_seconds

    def verdict(self) -> Verdict | None:
        """Why the engine must be killed, None while it may go on."""
        return self._watch.verdict()

    def cut_short(self, by_shutdown: bool) -> None:
        """The engine is no more. Without a store the end of its lease will say what became of the record."""
        asked: Reason = self._watch.asked or "died"
        reason: Reason = "shutdown" if by_shutdown else asked
        with telemetry.following(self._trace):
            tell_ending(self._span, reason if by_shutdown else self._watch.verdict() or reason)
            self._close(reason)
        self._span.end()

    def end(self, ended: Ended) -> None:
        """The engine says that it is over."""
        self.leave()
        with telemetry.following(self._trace):
            if ended.ending == "crashed":
                self._close("died")
            tell_ending(self._span, ended.ending)
        self._span.end()
        self._post.ended(self.record, ended)

    def _renew(self) -> None:
        try:
            wishes = self._post.jobs.beat(self.record.id, self.token, lease_ms(self._post.settings))
            if wishes.cancel:
                self._ask("canceled")
            self._drop(frozenset(wishes.dropped))
        except StaleToken:
            self._ask("superseded")
        except OUTAGES:
            self._log.warning("lease not renewed: no store")

    def _drop(self, seeds: frozenset[int]) -> None:
        """Have the engine let go of those it does not know of yet."""
        if seeds > self._dropped:
            self._dropped = seeds
            self._log.info("attempt asked to drop seeds", seeds=sorted(seeds))
            self._post.engine.send(Drop(self.token, seeds))

    def _ask(self, reason: StopReason) -> None:
        if self._watch.ask(reason):
            self._log.info("attempt asked to stop", reason=reason)
            self._post.engine.send(Stop(self.token, reason))

    def _close(self, reason: Reason) -> None:
        """Say what became of the record."""
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
        jobs, job_id = self._post.jobs, self.record.id
        match reason:
            case "deadline":
                jobs.fail(job_id, self.token, TOO_LATE)
                return "failed"
            case "canceled":
                jobs.canceled(job_id, self.token)
                return "canceled"
            case "superseded":
                raise StaleToken(job_id)
        crashed, most = reason != "shutdown", self._post.settings.max_crashes
        status = jobs.release(job_id, self.token, crashed=crashed, max_crashes=most)
        if status == "queued":
            with suppress(*OUTAGES):  # the reconciler issues what is missing
                tickets.issue(self._post.redis, self.record.model)
        return status

    def _discard(self) -> None:
        """Remove what the engine had stored before it was cut short."""
        prefix = attempt_key(self.record.tenant, self.record.id, self.token, "")
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
