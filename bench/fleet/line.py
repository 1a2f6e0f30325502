"""The claim's policy in small (job_store/scripts/claim.lua): whose job is next, and which of theirs.

Tenants have equal weights and no caps here; nobody moves jobs to the front, and none is too late.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Container
from itertools import islice

from bench.fleet.job import Job
from job_store.jobs import AHEAD_MS, HEAD_START_MS

LOOKED_AT = 32
"""Jobs behind the first, as in claim.lua."""
RIPE_SECONDS = HEAD_START_MS["bulk"] / 1000
AHEAD_SECONDS = AHEAD_MS / 1000


def nobody_waits(job: Job) -> bool:
    """No job is left to another worker."""
    return False


class Line:
    """All that wait. work: expected seconds of it; ahead: how much later a held source's job may stand."""

    def __init__(self, tenants: int, ahead: float = AHEAD_SECONDS) -> None:
        self._ahead = ahead
        self._lines = [[deque[Job]() for _ in range(tenants)] for _ in range(2)]
        self._turns: list[list[tuple[float, int]]] = [[], []]
        self._served, self._virtual = [0.0] * tenants, 0.0
        self._ripening: deque[Job] = deque()
        self.count, self.work = 0, 0.0

    def add(self, job: Job, seconds: float) -> None:
        """It waits from now on."""
        self.count += 1
        self.work += seconds
        if job.bulk:
            self._ripening.append(job)
        self._enter(job, int(job.bulk))

    def take(
        self,
        now: float,
        holds: Container[int],
        seconds: float,
        left: Callable[[Job], bool] = nobody_waits,
    ) -> Job | None:
        """The next for a worker that holds these sources, charged to its tenant; None if none may start.

        seconds: taken off the expected work; left: whether a job is left to another worker
        """
        self._ripen(now)
        for level in (0, 1):
            job = self._take_of(level, holds, left)
            if job is not None:
                self.count -= 1
                self.work = max(0.0, self.work - seconds) if self.count else 0.0
                return job
        return None

    def _take_of(self, level: int, holds: Container[int], left: Callable[[Job], bool]) -> Job | None:
        passed: list[tuple[float, int]] = []
        job = None
        while job is None:
            tenant = self._in_turn(level)
            if tenant is None:
                break
            job = self._of_line(self._lines[level][tenant], holds, left)
            if job is None:
                passed.append(heapq.heappop(self._turns[level]))
            else:
                self._charge(job, in_turn=not passed)
        for turn in passed:
            heapq.heappush(self._turns[level], turn)
        return job

    def _enter(self, job: Job, level: int) -> None:
        line = self._lines[level][job.tenant]
        line.append(job)
        if len(line) == 1:
            self._served[job.tenant] = max(self._served[job.tenant], self._virtual)
            heapq.heappush(self._turns[level], (self._served[job.tenant], job.tenant))

    def _in_turn(self, level: int) -> int | None:
        turns = self._turns[level]
        while turns:
            served, tenant = turns[0]
            if not self._lines[level][tenant]:
                heapq.heappop(turns)
            elif served < self._served[tenant]:
                heapq.heapreplace(turns, (self._served[tenant], tenant))
            else:
                return tenant
        return None

    def _of_line(self, line: deque[Job], holds: Container[int], left: Callable[[Job], bool]) -> Job | None:
        """One whose source is held, or else the first that is not left to another worker."""
        first, free = line[0], None
        for place, job in enumerate(islice(line, LOOKED_AT + 1)):
            if job.source in holds and job.arrived - first.arrived <= self._ahead:
                del line[place]
                return job
            if free is None and not left(job):
                free = place
            if free is not None and job.arrived - first.arrived > self._ahead:
                break
        if free is None:
            return None
        job = line[free]
        del line[free]
        return job

    def _charge(self, job: Job, *, in_turn: bool) -> None:
        if in_turn:
            self._virtual = max(self._virtual, self._served[job.tenant])
        self._served[job.tenant] += job.seeds

    def _ripen(self, now: float) -> None:
        while self._ripening and now - self._ripening[0].arrived >= RIPE_SECONDS:
            job = self._ripening.popleft()
            line = self._lines[1][job.tenant]
            if line and line[0] is job:  # else it was started
                line.popleft()
                self._enter(job, 0)
