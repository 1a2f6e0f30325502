"""The fleet itself: arrivals, claims, workers' memories, cold starts and drains as events of simpy.

What is approximated: a claim and its ticket take no time, no worker dies, nobody cancels; a source fills one
place of a memory whatever its size; a job's service time follows its table and nothing else. A job costs two
events, an arrival and an end, so 10,000 GPUs are a matter of minutes for an hour's jobs.
"""

from __future__ import annotations

import math
import random
from array import array
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import accumulate, count, islice

import simpy

from bench.fleet.autoscaler import Autoscaler, Policy
from bench.fleet.job import Job, Traffic
from bench.fleet.line import AHEAD_SECONDS, Line
from bench.fleet.service_times import ServiceTimes
from runtime.settings import Settings

DAY_SECONDS = 86_400.0
BUSY_PATIENCE_SECONDS = float(Settings.model_fields["affinity_busy_seconds"].default)
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


@dataclass
class Worker:
    """sources: that it remembers, the latest last; free_at: when its job ends."""

    sources: OrderedDict[int, None] = field(default_factory=OrderedDict)
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
        return sum(map(sum, self.waits.values())) / max(1, self.jobs)

    @property
    def mean_completion(self) -> float:
        """From arrival to end."""
        return self.completion / max(1, self.jobs)


class Simulation:
    """One run. `run` it once."""

    def __init__(self, fleet: Fleet, traffic: Traffic, service: ServiceTimes, seed: int = 0) -> None:
        self._env, self._random = simpy.Environment(), random.Random(seed)
        self._fleet, self._traffic, self._service = fleet, traffic, service
        self._line, self._sources = Line(traffic.tenants, fleet.ahead), count()
        self._demand = list(accumulate(1 / number for number in range(1, traffic.tenants + 1)))
        self._idle: OrderedDict[int, Worker] = OrderedDict()
        self._workers: dict[int, Worker] = {}
        self._holder: dict[int, int] = {}
        self._numbers, self._loading, self._leaving = count(), 0, 0
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
        self._env.process(self._arrivals())
        if self._fleet.policy:
            self._env.process(self._scaling(Autoscaler(self._fleet.policy)))
        self._env.run(warm_seconds + seconds)
        self._note_workers()
        return self._seen

    # jobs

    def _arrivals(self) -> Generator[simpy.Event, None, None]:
        top = self._traffic.sessions_per_second * (1 + self._traffic.swing)
        while True:  # by thinning: the rate swings over the day
            yield self._env.timeout(self._random.expovariate(top))
            phase = math.sin(2 * math.pi * self._env.now / DAY_SECONDS - math.pi / 2)
            if self._random.random() * (1 + self._traffic.swing) <= 1 + self._traffic.swing * phase:
                tenant = self._random.choices(range(self._traffic.tenants), cum_weights=self._demand)[0]
                self._arrive(tenant, next(self._sources), first=True)

    def _arrive(self, tenant: int, source: int, *, first: bool) -> None:
        seeds = 4 if self._random.random() < self._traffic.four_seeds else 1
        bulk = self._random.random() < self._traffic.bulk
        job = Job(tenant, source, seeds, bulk, self._env.now)
        if not first and self._env.now >= self._warm:
            self._seen.again += 1
        number = self._holder.get(source, -1) if self._fleet.affinity else -1
        if not self._idle or self._left(job):
            self._line.add(job, self._expected)
            if number >= 0 and self._fleet.patience:
                self._after(self._fleet.patience, self._look_again)
        else:
            self._begin(job, number if number in self._idle else next(iter(self._idle)))

    def _left(self, job: Job) -> bool:
        """Whether a job is left to the busy worker that holds its source."""
        if not self._fleet.affinity or self._env.now - job.arrived >= self._fleet.patience - EPSILON:
            return False
        number = self._holder.get(job.source, -1)
        worker = self._workers.get(number)
        if worker is None or worker.drained or number in self._idle:
            return False
        saved = self._service.seconds[False, job.seeds] - self._service.seconds[True, job.seeds]
        return worker.free_at - self._env.now <= self._fleet.soon * saved

    def _look_again(self) -> None:
        """Whether an idle worker may start something now."""
        if self._idle and self._line.count:
            self._ask(self._idle.popitem(last=False)[0])

    def _begin(self, job: Job, number: int) -> None:
        worker, now = self._workers[number], self._env.now
        self._idle.pop(number, None)
        known = job.source in worker.sources
        seconds = self._draw(known, job.seeds)
        self._remember(worker, number, job.source)
        if now >= self._warm:
            self._seen.jobs += 1
            self._seen.hits += known
            self._seen.busy_seconds += seconds
            self._seen.waits[job.bulk].append(now - job.arrived)
            self._seen.completion += now - job.arrived + seconds
        worker.free_at = now + seconds
        self._after(seconds, lambda: self._end(job, number))

    def _end(self, job: Job, number: int) -> None:
        if self._random.random() < self._traffic.again:
            think = self._random.expovariate(1 / self._traffic.think_seconds)
            self._after(think, lambda: self._arrive(job.tenant, job.source, first=False))
        else:
            self._holder.pop(job.source, None)
        self._ask(number)

    def _ask(self, number: int) -> None:
        """A worker that is free takes the next job, waits for one, or goes."""
        worker = self._workers[number]
        if worker.drained:
            self._note_workers()
            self._leaving -= 1
            del self._workers[number]
            return
        holds = worker.sources if self._fleet.affinity else ()
        job = self._line.take(self._env.now, holds, self._expected, self._left)
        if job is None:
            self._idle[number] = worker
        else:
            self._begin(job, number)
            self._look_again()  # what was left to this worker is so no longer

    def _draw(self, known: bool, seeds: int) -> float:
        mean, spread = self._service.seconds[known, seeds], self._service.spread
        if self._service.exponential:
            return self._random.expovariate(1 / mean)
        return mean * self._random.lognormvariate(-spread * spread / 2, spread)

    def _remember(self, worker: Worker, number: int, source: int) -> None:
        worker.sources[source] = None
        worker.sources.move_to_end(source)
        self._holder[source] = number
        if len(worker.sources) > self._fleet.places:
            worker.sources.popitem(last=False)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        event = self._env.timeout(seconds)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: act())

    # workers

    def _scaling(self, autoscaler: Autoscaler) -> Generator[simpy.Event, None, None]:
        policy = autoscaler.policy
        while True:
            current = len(self._workers) - self._leaving + self._loading
            wait = self._line.work / current
            value = wait if policy.by == "wait" else self._line.count / current
            if self._env.now >= self._warm:
                moment = self._env.now, len(self._workers), wait, self._line.count
                self._seen.moments.append(moment)
            busy = len(self._workers) - self._leaving - len(self._idle)
            self._resize(autoscaler.replicas(self._env.now, current, value, busy) - current)
            yield self._env.timeout(policy.every_seconds)

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
        now = max(self._env.now, self._warm)
        self._seen.worker_seconds += (now - max(self._changed, self._warm)) * (
            len(self._workers) + self._loading
        )
        self._changed = self._env.now
