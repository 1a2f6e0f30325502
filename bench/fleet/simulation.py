"""The fleet itself: arrivals, claims, workers' memories, cold starts and drains as events in order of time.

What is approximated: a claim and its ticket take no time, no worker dies, nobody cancels; a source fills one
place of a memory whatever its size; a job's service time follows its table and nothing else. An event is a
tuple in a heap: with a day of ten thousand GPUs in mind (docs/scaling.md), a general engine's objects for
each cost more than what happens in it.
"""

from __future__ import annotations

import heapq
import math
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any

import numpy as np

from bench.fleet.autoscaler import Autoscaler, Policy
from bench.fleet.dice import Dice
from bench.fleet.job import Job, Traffic
from bench.fleet.line import AHEAD_SECONDS, Line
from bench.fleet.service_times import ServiceTimes
from runtime.settings import Settings

BUSY_PATIENCE_SECONDS = float(Settings.model_fields["affinity_busy_seconds"].default)
NEVER = math.inf, 0
EPSILON = 1e-6
"""Seconds, below which a patience is over: sums of floating point numbers."""


@dataclass(frozen=True)
class Fleet:
    """workers: at the beginning; places: sources that a worker remembers (bytes of memory / bytes of one);
    cold_seconds: from the wish for a worker to its first job; affinity: whether sources are looked for
    patience: how long a job is left to the busy worker that holds its source, if that will be free within
    `soon` times what a known source saves (1 in claim.lua); ahead: how much later a held source's job may
    stand to go first
    """

    workers: int
    places: int = 8
    cold_seconds: float = 120.0
    affinity: bool = True
    patience: float = BUSY_PATIENCE_SECONDS
    soon: float = 1.0
    ahead: float = AHEAD_SECONDS
    policy: Policy | None = None


@dataclass(slots=True)
class Worker:
    """sources: that it remembers, the latest last; free_at: when its job ends."""

    sources: dict[int, None] = field(default_factory=dict)
    free_at: float = 0.0
    drained: bool = False


@dataclass
class Seen:
    """What happened after the warm-up. Waits in seconds; completion: seconds from arrival to end, all jobs'
    together; again, hits: edits of sources that were edited before, and those that met a worker which
    remembered it; moments: (second, workers, expected wait, waiting jobs)."""

    waits: dict[bool, array[float]] = field(default_factory=lambda: {True: array("f"), False: array("f")})
    jobs: int = 0
    completion: float = 0.0
    again: int = 0
    hits: int = 0
    worker_seconds: float = 0.0
    busy_seconds: float = 0.0
    moments: list[tuple[float, int, float, int]] = field(default_factory=list)

    @property
    def mean_wait(self) -> float:
        """Of both classes."""
        total = sum(float(np.sum(seconds, dtype=np.float64)) for seconds in self.waits.values() if seconds)
        return total / max(1, self.jobs)

    @property
    def mean_completion(self) -> float:
        """From arrival to end."""
        return self.completion / max(1, self.jobs)

    def wait(self, bulk: bool, share: float) -> float:
        """Seconds that so many (0..1) of a class wait at most, nearest rank; 0 of none."""
        seconds = np.frombuffer(self.waits[bulk], np.float32)
        place = min(len(seconds) - 1, int(share * len(seconds)))
        return float(np.partition(seconds, place)[place]) if len(seconds) else 0.0


class Simulation:
    """One run. `run` it once."""

    def __init__(self, fleet: Fleet, traffic: Traffic, service: ServiceTimes, seed: int = 0) -> None:
        self._now, self._dice = 0.0, Dice(seed)
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._fleet, self._traffic, self._service = fleet, traffic, service
        self._line, self._sources = Line(traffic.tenants, fleet.ahead), count()
        self._idle: OrderedDict[int, Worker] = OrderedDict()
        self._workers: dict[int, Worker] = {}
        self._holder: dict[int, int] = {}
        self._numbers, self._order, self._loading, self._leaving = count(), count(), 0, 0
        self._seen, self._warm, self._changed = Seen(), 0.0, 0.0
        weights = {1: 1 - traffic.four_seeds, 4: traffic.four_seeds}
        self._expected = sum(
            share
            * (
                service.seconds[True, seeds] * traffic.again
                + service.seconds[False, seeds] * (1 - traffic.again)
            )
            for seeds, share in weights.items()
        )

    @property
    def expected_seconds(self) -> float:
        """Of a job, if every edit again met a memory of its source."""
        return self._expected

    def run(self, seconds: float, warm_seconds: float = 0.0) -> Seen:
        """So many seconds after those that are not counted."""
        self._warm = warm_seconds
        for _ in range(self._fleet.workers):
            self._start_worker()
        if self._fleet.policy:
            self._scale(Autoscaler(self._fleet.policy))
        self._go_on(warm_seconds + seconds)
        self._note_workers()
        return self._seen

    def _go_on(self, end: float) -> None:
        """All that happens until then. Sessions come in order by themselves, the rest from the heap."""
        events, sessions = self._events, self._sessions()
        at, tenant = next(sessions, NEVER)
        while True:
            if events and events[0][0] <= at:
                moment, _, act, told = heapq.heappop(events)
                if moment > end:
                    break
                self._now = moment
                act(*told)
            elif at > end:
                break
            else:
                self._now = at
                self._arrive(tenant, next(self._sources))
                at, tenant = next(sessions, NEVER)
        self._now = end

    # jobs

    def _sessions(self) -> Iterator[tuple[float, int]]:
        """When each begins, in order, and its tenant."""
        return self._dice.sessions(self._traffic)

    def _arrive(self, tenant: int, source: int) -> None:
        seeds = 4 if self._dice.chance() < self._traffic.four_seeds else 1
        bulk = self._dice.chance() < self._traffic.bulk
        job = Job(tenant, source, seeds, bulk, self._now)
        number = self._holder.get(source, -1) if self._fleet.affinity else -1
        left_until = self._left_until(job) if self._idle and number >= 0 else 0.0
        if not self._idle or left_until:
            self._line.add(job, self._expected, left_until)
            if number >= 0 and self._fleet.patience:
                self._after(self._fleet.patience, self._look_again)
        else:
            self._line.start(job)
            self._begin(job, number if number in self._idle else next(iter(self._idle)))

    def _arrive_again(self, tenant: int, source: int) -> None:
        if self._now >= self._warm:
            self._seen.again += 1
        self._arrive(tenant, source)

    def _left_until(self, job: Job) -> float:
        """Until when a job is left to the busy worker that holds its source; 0: it is not."""
        over = job.arrived + self._fleet.patience - EPSILON
        if not self._fleet.affinity or self._now >= over:
            return 0.0
        number = self._holder.get(job.source, -1)
        worker = self._workers.get(number)
        if worker is None or worker.drained or number in self._idle:
            return 0.0
        saved = self._service.seconds[False, job.seeds] - self._service.seconds[True, job.seeds]
        if worker.free_at - self._now > self._fleet.soon * saved:
            return 0.0
        return min(worker.free_at, over)

    def _look_again(self) -> None:
        """Whether idle workers may start something now."""
        while self._idle and self._line.count and self._take(self._idle.popitem(last=False)[0]):
            pass

    def _begin(self, job: Job, number: int) -> None:
        worker, now = self._workers[number], self._now
        self._idle.pop(number, None)
        known = job.source in worker.sources
        seconds = self._draw(job, known)
        self._remember(worker, number, job.source)
        if now >= self._warm:
            seen = self._seen
            seen.jobs += 1
            seen.hits += known
            seen.busy_seconds += seconds
            seen.waits[job.bulk].append(now - job.arrived)
            seen.completion += now - job.arrived + seconds
        worker.free_at = now + seconds
        self._after(seconds, self._end, job, number)

    def _end(self, job: Job, number: int) -> None:
        if self._dice.chance() < self._traffic.again:
            think = self._traffic.think_seconds * self._dice.exponential()
            self._after(think, self._arrive_again, job.tenant, job.source)
        else:
            self._holder.pop(job.source, None)
        self._ask(number)

    def _ask(self, number: int) -> None:
        """A worker that is free takes the next job, waits for one, or goes."""
        if self._workers[number].drained:
            self._note_workers()
            self._leaving -= 1
            del self._workers[number]
        elif self._take(number):
            self._look_again()  # what was left to this worker is so no longer

    def _take(self, number: int) -> bool:
        """The worker begins the next job, or is idle from now on."""
        worker = self._workers[number]
        holds = worker.sources if self._fleet.affinity else ()
        job = self._line.take(self._now, holds, self._expected, self._left_until)
        if job is None:
            self._idle[number] = worker
            return False
        self._begin(job, number)
        return True

    def _draw(self, job: Job, known: bool) -> float:
        """Seconds that a worker needs for it."""
        mean, spread = self._service.seconds[known, job.seeds], self._service.spread
        if self._service.exponential:
            return mean * self._dice.exponential()
        return mean * math.exp(spread * (self._dice.normal() - spread / 2))

    def _remember(self, worker: Worker, number: int, source: int) -> None:
        sources = worker.sources
        sources.pop(source, None)
        sources[source] = None
        self._holder[source] = number
        if len(sources) > self._fleet.places:
            del sources[next(iter(sources))]

    def _after(self, seconds: float, act: Callable[..., None], *told: Any) -> None:
        heapq.heappush(self._events, (self._now + seconds, next(self._order), act, told))

    # workers

    def _scale(self, autoscaler: Autoscaler) -> None:
        """Now, and again and again from now on."""
        policy = autoscaler.policy
        current = len(self._workers) - self._leaving + self._loading
        wait = self._line.work / current
        value = wait if policy.by == "wait" else self._line.count / current
        if self._now >= self._warm:
            moment = self._now, len(self._workers), wait, self._line.count
            self._seen.moments.append(moment)
        busy = len(self._workers) - self._leaving - len(self._idle)
        self._resize(autoscaler.replicas(self._now, current, value, busy) - current)
        self._after(policy.every_seconds, self._scale, autoscaler)

    def _resize(self, more: int) -> None:
        self._note_workers()
        for _ in range(more):
            self._loading += 1
            self._after(self._fleet.cold_seconds, self._loaded)
        for _ in range(min(-more, len(self._idle))):  # first: those that work finish their job
            self._workers.pop(self._idle.popitem(last=False)[0])
            more += 1
        busy = (worker for worker in self._workers.values() if not worker.drained)
        for worker in islice(busy, max(0, -more)):
            worker.drained = True
            self._leaving += 1
            self._line.wake_all()

    def _loaded(self) -> None:
        self._note_workers()
        self._loading -= 1
        self._start_worker()

    def _start_worker(self) -> None:
        number = next(self._numbers)
        self._workers[number] = Worker()
        self._ask(number)

    def _note_workers(self) -> None:
        """Time is paid for from the wish for a worker to its end."""
        now = max(self._now, self._warm)
        self._seen.worker_seconds += (now - max(self._changed, self._warm)) * (
            len(self._workers) + self._loading
        )
        self._changed = self._now
