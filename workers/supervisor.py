"""The supervisor: keeps one engine alive, proven and busy. It never imports a model's library.

A ticket only wakes it. Which record runs is decided by the claim, and claims go on until nothing is ready,
so a lost, doubled or forged ticket changes nothing.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict, deque
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal, TypeVar

import structlog

from api_schemas.base import new_id
from api_schemas.models import ModelCard
from job_store import tickets
from job_store.artifacts import ArtifactStore
from job_store.clock import server_now
from job_store.company import Company
from job_store.connection import connect
from job_store.errors import HeldElsewhere, NoneFits, WorkerDrained
from job_store.forgotten import ForgottenSources
from job_store.jobs import JobStore
from job_store.memory_use import MemoryUse
from job_store.records import Claim, JobRecord
from job_store.workers import WorkerRegistry, WorkerState
from runtime.settings import Settings
from workers.engine_process import EngineGone, EngineProcess
from workers.guard import Post, lease_ms
from workers.guards import Guards
from workers.memory_folders import remove_abandoned
from workers.messages import Ended, Forget, Proved, ProveYourself, Ready, Remembers, ToEngine
from workers.outage import OUTAGES, Backoff
from workers.resident import resident_bytes
from workers.shutdown import Shutdown
from workers.ticket_worker import TicketWorker

EXIT_WINDOW_SECONDS = 300.0
DOWN_SECONDS = 300.0  # how long a stopped worker is still shown
MOST_HELD = 64  # sources that an engine may remember
LOOK_AGAIN_SECONDS = 0.02  # at a job left to the idle worker that holds its source
LOOK_AGAIN_BUSY_SECONDS = 0.1  # at one left to a busy worker
DRAINED_SECONDS = 1.0  # between two looks whether jobs may be taken again
MOST_STORED = 1  # attempts whose pictures are being stored when another begins
MISSED_BEATS = 5  # a worker that has said nothing for so many is not there

State = Literal["loading", "ready", "busy", "down"]
Answer = TypeVar("Answer", Proved, Remembers)
log = structlog.get_logger()


class EngineKeepsDying(Exception):
    """It ended so often that starting it again helps nobody."""


class Supervisor:
    """One engine's supervisor; `serve` it in the main thread."""

    def __init__(self, settings: Settings, shutdown: Shutdown) -> None:
        self._settings, self._shutdown = settings, shutdown
        self._redis = connect(settings.redis_url)
        self._jobs, self._registry = JobStore(self._redis), WorkerRegistry(self._redis)
        self._artifacts = ArtifactStore(settings.artifact_url)
        self._name, self._started_at = new_id("worker"), datetime.now(UTC)
        self._model = settings.model  # until the engine says what it has loaded
        self._ticket_worker: TicketWorker | None = None
        self._exits: deque[float] = deque(maxlen=settings.max_engine_exits)
        self._last_ok: datetime | None = None
        self._state: State = "loading"
        self._held: OrderedDict[str, None] = OrderedDict()  # sources by their last use
        self._forgotten = ForgottenSources(self._redis)
        self._heard: int | None = None  # the number of the last one; no engine remembers earlier ones
        self._memory_before = MemoryUse()  # of earlier engines

    def serve(self) -> None:
        """Work until asked to stop. Raises EngineKeepsDying."""
        try:
            while not self._shutdown.asked:
                self._serve_with_an_engine()
        except EngineKeepsDying:
            self._show("down")
            raise
        finally:
            self._leave()

    def _serve_with_an_engine(self) -> None:
        """One engine's life."""
        self._held.clear()
        self._engine = EngineProcess(self._settings)
        log.info("engine started", engine_pid=self._engine.pid)
        try:
            card = self._await_ready()
            if card is not None:
                self._serve_model(card)
        except EngineGone as gone:
            self._count_exit(gone)
        finally:
            self._engine.kill()
            remove_abandoned(self._settings)
            self._memory_before = self._engine.memory.after(self._memory_before)

    def _await_ready(self) -> ModelCard | None:
        """What the engine has loaded; None if asked to stop before. Raises EngineGone."""
        ends_at = time.monotonic() + self._settings.load_seconds
        while not self._shutdown.asked:
            self._show("loading")
            message = self._engine.receive(self._settings.beat_seconds)
            if isinstance(message, Ready):
                return message.card
            if time.monotonic() > ends_at:
                log.error("engine killed", reason="not loaded in time")
                raise EngineGone(self._engine.kill())
        return None

    def _serve_model(self, card: ModelCard) -> None:
        """Prove, wait, run; through outages of the store, until asked to stop. Raises EngineGone."""
        self._model, self._prove_at, worked, backoff = card.name, time.monotonic(), False, Backoff()
        self._guards, self._doubted = Guards(self._post()), False
        self._count_as_ok()
        while not self._shutdown.asked:
            try:
                self._registry.announce(card)
                self._prove_if_due()
                if not worked:
                    self._wait()
                self._forget_deleted()
                worked = self._run_next()
                backoff.reset()
            except OUTAGES as outage:
                log.warning("no store", error=str(outage))
                self._guards.rest(backoff.next())
        self._guards.until_empty()

    def _wait(self) -> None:
        """Until a ticket comes, or for a second. An engine that died meanwhile is noticed."""
        self._show("ready")
        if self._ticket_worker is None:
            self._ticket_worker = TicketWorker(self._model, connect(self._settings.redis_url))
        self._ticket_worker.wait()
        self._engine.receive(0)

    def _run_next(self) -> bool:
        """Run the next ready record until it needs the model no more, and is not one too many whose pictures
        are being stored; False if there is none. Raises EngineGone if it killed the engine."""
        try:
            claim = self._claim(Company() if self._guards else None)
        except NoneFits:
            self._guards.until_empty()
            return True
        except HeldElsewhere as held:
            self._guards.until_empty()
            self._leave_to_another(idle=held.idle)
            return True
        except WorkerDrained:  # it leaves the tickets to others
            self._guards.until_empty()
            self._show("ready")
            self._guards.rest(DRAINED_SECONDS)
            return True
        if claim is None:  # somebody may come while pictures are stored
            self._guards.until_empty(self._settings.beat_seconds)
            return len(self._guards) > 0
        request, alone = claim.record.request, claim.record.crashes > 0 or self._settings.max_crashes == 1
        # What changes the model for an edit cannot be changed while others may come.
        joinable = not alone and request.mode == "exact" and not request.loras
        self._join_at = 0.0
        self._guards.begin(claim, "first" if joinable else "alone")
        while self._guards.at_model or len(self._guards) > (0 if alone else MOST_STORED):
            self._guards.attend()
            self._let_join()
        return True

    def _let_join(self) -> None:
        """Beside one that is alone at the model but need not be, the next record, if it fits."""
        guards = [guard for guard in self._guards.at_model if not self._shutdown.asked]
        if len(guards) != 1 or not guards[0].room or len(self._guards) > 1 + MOST_STORED:
            return
        if time.monotonic() < self._join_at:
            return
        record, self._join_at = guards[0].record, time.monotonic() + self._settings.beat_seconds
        if record.size is None:
            return
        company = Company(record.size, guards[0].room, record.source_id)
        with suppress(NoneFits, HeldElsewhere, WorkerDrained, *OUTAGES):
            # Who joins one after the other never leaves the engine time to forget what was deleted.
            forgets = self._forgotten.since(self._heard).source_ids != frozenset()
            claim = None if forgets else self._claim(company)
            if claim is not None:
                self._join_at = 0.0
                self._guards.begin(claim, "beside")

    def _claim(self, company: Company | None) -> Claim | None:
        """The next record, if it is such as can be with those in the engine. Raises as `JobStore.claim`."""
        settings, beside = self._settings, company.source_id if company else ""
        return self._jobs.claim(
            self._model,
            self._name,
            lease_ms(settings),
            [source_id for source_id in self._held if source_id != beside],
            round(1000 * settings.affinity_seconds),
            round(1000 * settings.affinity_busy_seconds),
            company,
        )

    def _ended(self, record: JobRecord, ended: Ended) -> None:
        """An attempt is over, and the engine lives."""
        if ended.ending == "succeeded":
            self._count_as_ok()
        elif ended.doubtful:
            self._doubted = True

    def _remember(self, record: JobRecord) -> None:
        """The engine holds its source now, as far as its memory reaches."""
        self._held[record.source_id] = None
        self._held.move_to_end(record.source_id)
        while len(self._held) > MOST_HELD:
            self._held.popitem(last=False)

    def _leave_to_another(self, *, idle: bool) -> None:
        """Wake idle workers where one of them holds a job's source; look again soon. Raises EngineGone."""
        if idle:
            tickets.issue(self._redis, self._model)
        else:
            self._show("ready")
        self._guards.rest(LOOK_AGAIN_SECONDS if idle else LOOK_AGAIN_BUSY_SECONDS)

    def _prove_if_due(self) -> None:
        """A success proves the engine; doubts, or long idling, ask for a canary. Raises EngineGone."""
        if self._is_proven():
            return
        self._guards.until_empty()
        if self._is_proven():  # one of them has
            return
        proved = self._ask(ProveYourself(), Proved)
        if proved is None or not proved.passed:
            log.error("engine killed", reason="canary")
            raise EngineGone(self._engine.kill())
        self._doubted = False
        self._count_as_ok()

    def _is_proven(self) -> bool:
        return not self._doubted and time.monotonic() < self._prove_at

    def _forget_deleted(self) -> None:
        """Have the engine forget the sources of jobs deleted since. One that does not answer is killed,
        which forgets as well. Raises EngineGone."""
        news = self._forgotten.since(self._heard)
        if news.source_ids != frozenset():
            self._guards.until_empty()
        for source_id in set(self._held) if news.source_ids is None else news.source_ids:
            self._held.pop(source_id, None)
        if news.source_ids != frozenset() and self._ask(Forget(news.source_ids), Remembers) is None:
            log.error("engine killed", reason="does not forget")
            raise EngineGone(self._engine.kill())
        self._heard = news.number

    def _ask(self, question: ToEngine, answer: type[Answer]) -> Answer | None:
        """The idle engine's answer, None if there is none within the time of a step. Raises EngineGone."""
        self._guards.until_empty()
        ends_at = time.monotonic() + self._settings.step_seconds
        self._engine.send(question)
        while time.monotonic() < ends_at:
            self._show("ready")
            message = self._engine.receive(self._settings.beat_seconds)
            if isinstance(message, answer):
                return message
        return None

    def _count_as_ok(self) -> None:
        self._prove_at = time.monotonic() + self._settings.canary_seconds
        with suppress(*OUTAGES):
            self._last_ok = server_now(self._redis)

    def _post(self) -> Post:
        return Post(
            engine=self._engine,
            jobs=self._jobs,
            artifacts=self._artifacts,
            redis=self._redis,
            settings=self._settings,
            shutdown=self._shutdown,
            pulse=self._pulse,
            left=self._remember,
            ended=self._ended,
        )

    def _pulse(self, stepped: bool) -> None:
        """What goes on while a job runs. A step done is as good as a canary."""
        if stepped:
            self._count_as_ok()
        self._show("busy")
        if self._ticket_worker is not None:
            self._ticket_worker.stay_visible()

    def _show(self, state: State) -> None:
        """Let everybody know; without a store nobody can."""
        self._state = state
        seconds = DOWN_SECONDS if state == "down" else MISSED_BEATS * max(1.0, self._settings.beat_seconds)
        with suppress(*OUTAGES):
            self._registry.put_state(
                WorkerState(
                    name=self._name,
                    model=self._model,
                    state=state,
                    pid=os.getpid(),
                    engine_pid=self._engine.pid,
                    memory=self._engine.memory.after(self._memory_before),
                    device=self._engine.device,
                    resident_bytes=resident_bytes(self._engine.pid),
                    last_ok=self._last_ok,
                    started_at=self._started_at,
                ),
                seconds,
            )

    def _count_exit(self, gone: EngineGone) -> None:
        if self._shutdown.asked:
            return
        log.error("engine gone", exit_code=gone.exit_code)
        now = time.monotonic()
        self._exits.append(now)
        if len(self._exits) == self._exits.maxlen and now - self._exits[0] < EXIT_WINDOW_SECONDS:
            raise EngineKeepsDying(f"{len(self._exits)} times within {EXIT_WINDOW_SECONDS:.0f} s")

    def _leave(self) -> None:
        with suppress(*OUTAGES):
            if self._state != "down":
                self._registry.remove(self._name)
            if self._ticket_worker is not None:
                self._ticket_worker.leave()
