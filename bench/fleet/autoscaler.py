"""How many workers there shall be: Kubernetes' rule for a value and its target, as KEDA applies it. Pure."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Policy:
    """by: expected seconds of waiting (all workers counted, also those that load), or jobs in the line for
    each worker; target: of that value; seconds are Kubernetes' and KEDA's defaults, as in docker/kubernetes.

    shrink_share: of the workers that may go in a minute
    most_busy: share of workers that shall be at work; None: no wait is nothing to do
    """

    by: Literal["wait", "length"] = "wait"
    target: float = 10.0
    most_busy: float | None = 0.8
    least: int = 1
    most: int = 10_000
    every_seconds: float = 15.0
    tolerance: float = 0.1
    steady_seconds: float = 300.0
    grow_factor: float = 2.0
    shrink_share: float = 0.1


@dataclass
class Autoscaler:
    """Remembers what it wanted lately: it shrinks to the most of that only."""

    policy: Policy
    _wanted: deque[tuple[float, int]] = field(default_factory=deque)

    def replicas(self, now: float, current: int, value: float, busy: int = 0) -> int:
        """How many there shall be from now on, when there are `current`."""
        policy = self.policy
        wanted = self._for(current, value / policy.target)
        if policy.most_busy:
            wanted = max(wanted, self._for(current, busy / (current * policy.most_busy)))
        wanted = max(policy.least, min(policy.most, wanted))
        self._wanted.append((now, wanted))
        while self._wanted[0][0] < now - policy.steady_seconds:
            self._wanted.popleft()
        if wanted >= current:
            return min(wanted, math.ceil(current * policy.grow_factor))
        steady = min(current, max(one for _, one in self._wanted))
        fewest = current - math.ceil(current * policy.shrink_share * policy.every_seconds / 60)
        return max(steady, fewest)

    def _for(self, current: int, ratio: float) -> int:
        """For a value at this ratio to its target."""
        return current if abs(ratio - 1) <= self.policy.tolerance else math.ceil(current * ratio)
