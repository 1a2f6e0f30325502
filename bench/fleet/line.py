"""The claim's policy in small (job_store/scripts/claim.lua): whose job is next, and which of theirs.

Tenants have equal weights and no caps here; nobody moves jobs to the front, and none is too late.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Container
from itertools import islice

from bench.fleet.job import Job
from job_store.jobs import AHEAD_MS, HEAD_START_MS

LOOKED_AT = 32
"""Jobs behind the first, as in claim.lua."""
RIPE_SECONDS = HEAD_START_MS["bulk"] / 1000
AHEAD_SECONDS = AHEAD_MS / 1000


class Line:
    """All that wait. work: expected seconds of it."""

    def __init__(self, tenants: int) -> None:
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

    def take(self, now: float, holds: Container[int], seconds: float) -> Job | None:
        """The next for a worker that holds these sources, charged to its tenant; None if none waits.

        seconds: taken off the expected work
        """
        self._ripen(now)
        for level in (0, 1):
            tenant = self._in_turn(level)
            if tenant is not None:
                job = self._held_or_first(self._lines[level][tenant], holds)
                self.count -= 1
                self.work = max(0.0, self.work - seconds) if self.count else 0.0
                self._charge(job)
                return job
        return None

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

    def _held_or_first(self, line: deque[Job], holds: Container[int]) -> Job:
        first = line[0]
        for place, job in enumerate(islice(line, LOOKED_AT + 1)):
            if job.arrived - first.arrived > AHEAD_SECONDS:
                break
            if job.source in holds:
                del line[place]
                return job
        return line.popleft()

    def _charge(self, job: Job) -> None:
        self._virtual = max(self._virtual, self._served[job.tenant])
        self._served[job.tenant] += job.seeds

    def _ripen(self, now: float) -> None:
        while self._ripening and now - self._ripening[0].arrived >= RIPE_SECONDS:
            job = self._ripening.popleft()
            line = self._lines[1][job.tenant]
            if line and line[0] is job:  # else it was started
                line.popleft()
                self._enter(job, 0)
