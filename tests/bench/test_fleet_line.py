"""The line of the simulation: tenants who sleep change nothing of who is next."""

from __future__ import annotations

import random
from functools import partial
from itertools import islice

import pytest

from bench.fleet.job import Job
from bench.fleet.line import AHEAD_SECONDS, LOOKED_AT, Line

TENANTS = 3


class LookingAtAll:
    """The same policy by looking at every job at every claim; no bulk."""

    def __init__(self) -> None:
        self.lines = [list[Job]() for _ in range(TENANTS)]
        self._served, self._virtual = [0.0] * TENANTS, 0.0

    def add(self, job: Job) -> None:
        if not self.lines[job.tenant]:
            self._served[job.tenant] = max(self._served[job.tenant], self._virtual)
        self.lines[job.tenant].append(job)

    def take(self, now: float, holds: set[int], left: dict[int, float]) -> Job | None:
        waiting = [(served, tenant) for tenant, served in enumerate(self._served) if self.lines[tenant]]
        for place, (served, tenant) in enumerate(sorted(waiting)):
            job = self._of(self.lines[tenant], now, holds, left)
            if job:
                self._virtual = max(self._virtual, served) if place == 0 else self._virtual
                self._served[tenant] += job.seeds
                self.lines[tenant].remove(job)
                return job
        return None

    def _of(self, line: list[Job], now: float, holds: set[int], left: dict[int, float]) -> Job | None:
        looked_at = list(islice(line, LOOKED_AT + 1))
        near = (job for job in looked_at if job.arrived - line[0].arrived <= AHEAD_SECONDS)
        held = (job for job in near if job.source in holds)
        return next(held, None) or next((job for job in looked_at if left[job.source] <= now), None)


def until(left: dict[int, float], now: float, job: Job) -> float:
    return left[job.source] if left[job.source] > now else 0.0


@pytest.mark.parametrize("seed", range(5))
def test_whoever_sleeps_is_woken_in_time(seed: int) -> None:
    draw = random.Random(seed)
    line, naive = Line(TENANTS), LookingAtAll()
    now, left = 0.0, dict[int, float]()
    for source in range(1500):
        now += draw.expovariate(4.0)
        job = Job(draw.choice([0, 0, 1, 2]), source, draw.choice([1, 4]), False, now)
        left[source] = now + draw.choice([0.0, 0.0, draw.uniform(0.1, 6.0)])
        line.add(job, 1.0, left[source] if draw.random() < 0.5 and left[source] > now else 0.0)
        naive.add(job)
        if draw.random() < 0.9:
            some = [one.source for each in naive.lines for one in each]
            holds = set(draw.sample(some, min(2, len(some)))) if draw.random() < 0.3 else set()
            expected = naive.take(now, holds, left)
            taken = line.take(now, holds, 1.0, partial(until, left, now))
            assert taken is expected
    assert line.count == sum(map(len, naive.lines)) > LOOKED_AT


def test_who_starts_at_once_is_charged_like_who_stood() -> None:
    line = Line(2)
    line.start(Job(0, 1, 4, False, 0.0))
    for tenant, source in ((0, 2), (1, 3), (1, 4)):
        line.add(Job(tenant, source, 1, False, 1.0), 1.0)
    taken = [line.take(2.0, (), 1.0) for _ in range(3)]
    assert [job and job.tenant for job in taken] == [1, 1, 0]


def test_a_worker_that_goes_wakes_those_who_were_left_to_it() -> None:
    line = Line(1)
    line.add(Job(0, 1, 1, False, 0.0), 1.0)
    assert line.take(0.0, (), 1.0, lambda job: 100.0) is None
    assert line.take(1.0, (), 1.0) is None, "asleep"
    line.wake_all()
    assert line.take(1.0, (), 1.0)
