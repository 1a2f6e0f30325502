"""The claim's policy in small (job_store/scripts/claim.lua): whose job is next, and which of theirs.

Tenants have equal weights and no caps here; nobody moves jobs to the front, and none is too late. A source
has one job at a time. A tenant all of whose jobs are left to other workers sleeps until the first of them may
no longer be: so a fleet of thousands, for which many such jobs wait at any time, does not look at each again.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from math import inf

from bench.fleet.job import Job
from job_store.jobs import AHEAD_MS, HEAD_START_MS

LOOKED_AT = 32
"""Jobs behind the first, as in claim.lua."""
RIPE_SECONDS = HEAD_START_MS["bulk"] / 1000
AHEAD_SECONDS = AHEAD_MS / 1000

Turn = tuple[float, int]
"""What a tenant was served, and its number: the least is next."""


def nobody_waits(job: Job) -> float:
    """No job is left to another worker."""
    return 0.0


class Level:
    """The lines of one class of jobs, one a tenant. served: of each tenant, shared by all levels."""

    def __init__(self, served: list[float]) -> None:
        self._served = served
        self.lines = [deque[Job]() for _ in served]
        self._turns: list[Turn] = []
        self._has_turn: set[int] = set()
        self._asleep: dict[int, float] = {}
        self._alarms: list[tuple[float, int]] = []
        self._passed: list[Turn] = []

    def add(self, job: Job, left_until: float) -> None:
        """It stands last; left to another worker until then, 0: not."""
        line, tenant = self.lines[job.tenant], job.tenant
        line.append(job)
        if len(line) == 1:
            self._enqueue(tenant)
        elif tenant in self._asleep and len(line) <= LOOKED_AT + 1:
            self._sleep(tenant, min(left_until, self._asleep[tenant]))

    def remove(self, job: Job) -> None:
        """It stands there no longer, and another may be looked at in its place."""
        self.lines[job.tenant].remove(job)
        self._wake(job.tenant)

    def wake(self, now: float) -> None:
        """Tenants of whom a job may start again."""
        while self._alarms and self._alarms[0][0] <= now:
            until, tenant = heapq.heappop(self._alarms)
            if self._asleep.get(tenant) == until:
                self._wake(tenant)

    def next(self, left_until: Callable[[Job], float]) -> tuple[Turn, Job] | None:
        """Whose turn it is of those who have a job that is left to nobody, and the first such."""
        while (turn := self._in_turn()) is not None:
            soonest = inf
            for job in islice(self.lines[turn[1]], LOOKED_AT + 1):
                until = left_until(job)
                if not until:
                    return turn, job
                soonest = min(soonest, until)
            self._drop_first()
            heapq.heappush(self._passed, turn)
            self._sleep(turn[1], soonest)
        return None

    def passes(self, turn: Turn) -> bool:
        """Whether a tenant who sleeps would have its turn before."""
        while self._passed:
            served, tenant = self._passed[0]
            if tenant not in self._asleep:
                heapq.heappop(self._passed)
            elif served < self._served[tenant]:
                heapq.heapreplace(self._passed, (self._served[tenant], tenant))
            else:
                return (served, tenant) < turn
        return False

    def _in_turn(self) -> Turn | None:
        turns = self._turns
        while turns:
            served, tenant = turns[0]
            if not self.lines[tenant] or tenant in self._asleep:
                self._drop_first()
            elif served < self._served[tenant]:
                heapq.heapreplace(turns, (self._served[tenant], tenant))
            else:
                return turns[0]
        return None

    def _sleep(self, tenant: int, until: float) -> None:
        self._asleep[tenant] = until
        heapq.heappush(self._alarms, (until, tenant))

    def _wake(self, tenant: int) -> None:
        if self._asleep.pop(tenant, None) is not None:
            self._enqueue(tenant)

    def _enqueue(self, tenant: int) -> None:
        if tenant not in self._has_turn:
            self._has_turn.add(tenant)
            heapq.heappush(self._turns, (self._served[tenant], tenant))

    def _drop_first(self) -> None:
        self._has_turn.discard(heapq.heappop(self._turns)[1])


class Line:
    """All that wait. work: expected seconds of it; ahead: how much later a held source's job may stand."""

    def __init__(self, tenants: int, ahead: float = AHEAD_SECONDS) -> None:
        self._ahead = ahead
        self._served, self._virtual = [0.0] * tenants, 0.0
        self._levels = Level(self._served), Level(self._served)
        self._ripening: deque[Job] = deque()
        self._by_source: dict[int, Job] = {}
        self.count, self.work = 0, 0.0

    def add(self, job: Job, seconds: float, left_until: float = 0.0) -> None:
        """It waits from now on; left to another worker until then, 0: not."""
        self.count += 1
        self.work += seconds
        self._by_source[job.source] = job
        if job.bulk:
            self._ripening.append(job)
        self._enter(job, int(job.bulk), left_until)

    def start(self, job: Job) -> None:
        """It starts at once, as nobody else may start: its tenant is charged all the same."""
        self._charge(job, max(self._served[job.tenant], self._virtual), in_turn=not self.count)

    def take(
        self,
        now: float,
        holds: Iterable[int],
        seconds: float,
        left_until: Callable[[Job], float] = nobody_waits,
    ) -> Job | None:
        """The next for a worker that holds these sources, charged to its tenant; None if none may start.

        seconds: taken off the expected work; left_until: until when one is left to another worker, 0: is not
        """
        if not self.count:
            return None
        self._ripen(now)
        held = [job for source in holds if (job := self._by_source.get(source)) is not None]
        for number, level in enumerate(self._levels):
            level.wake(now)
            job = self._take_of(level, [one for one in held if one.level == number], left_until)
            if job is not None:
                self._by_source.pop(job.source, None)
                self.count -= 1
                self.work = max(0.0, self.work - seconds) if self.count else 0.0
                return job
        return None

    def wake_all(self) -> None:
        """Workers that jobs are left to have gone."""
        for level in self._levels:
            level.wake(inf)

    def _take_of(self, level: Level, held: list[Job], left_until: Callable[[Job], float]) -> Job | None:
        """A held one, unless another tenant has its turn before; else the next that is left to nobody."""
        found = level.next(left_until)
        mine = [((self._served[one.tenant], one.tenant), one) for one in held if self._may_pass(level, one)]
        if mine:
            first = min(mine, key=lambda pair: (pair[0], pair[1].arrived))
            found = first if found is None or first[0] <= found[0] else found
        if found is None:
            return None
        turn, job = found
        self._charge(job, turn[0], in_turn=not level.passes(turn))
        level.remove(job)
        return job

    def _charge(self, job: Job, before: float, in_turn: bool) -> None:
        """It starts, its tenant served so much before."""
        if in_turn:
            self._virtual = max(self._virtual, before)
        self._served[job.tenant] = before + job.seeds

    def _may_pass(self, level: Level, job: Job) -> bool:
        """Whether it stands near enough to the first of its line to go before it."""
        line = level.lines[job.tenant]
        near = len(line) <= LOOKED_AT + 1 or any(one is job for one in islice(line, LOOKED_AT + 1))
        return near and job.arrived - line[0].arrived <= self._ahead

    def _enter(self, job: Job, level: int, left_until: float = 0.0) -> None:
        job.level = level
        if not self._levels[level].lines[job.tenant]:
            self._served[job.tenant] = max(self._served[job.tenant], self._virtual)
        self._levels[level].add(job, left_until)

    def _ripen(self, now: float) -> None:
        while self._ripening and now - self._ripening[0].arrived >= RIPE_SECONDS:
            job = self._ripening.popleft()
            line = self._levels[1].lines[job.tenant]
            if line and line[0] is job:  # else it was started
                self._levels[1].remove(job)
                self._enter(job, 0)
