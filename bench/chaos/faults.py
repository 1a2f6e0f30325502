"""The kinds of faults, and a plan of them that a seed gives."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.chaos.fleet import LEASE_SECONDS, RESTART_SECONDS, Fleet

Blocks = Literal["its job", "new jobs", "webhooks"]
"""What a fault may keep from happening: the job in hand of a worker, what is submitted from then on, ..."""
Cause = Callable[[Fleet, str, float], Awaitable[None]]
"""(fleet, name of the part, seconds that it lasts) -> the fault, until it is repaired."""
Span = tuple[float, float]

WORKERS = ("worker-1", "worker-2")
AT_ONCE: Span = (0, 0)
SHORT: Span = (1, 4)
BEYOND_LEASE: Span = (1.5 * LEASE_SECONDS, 2.5 * LEASE_SECONDS)


async def nothing(fleet: Fleet, target: str, seconds: float) -> None:
    """For comparison."""


async def kill(fleet: Fleet, target: str, seconds: float) -> None:
    """kill -9; the orchestrator starts another."""
    fleet.parts[target].signal(signal.SIGKILL)


async def kill_engine(fleet: Fleet, target: str, seconds: float) -> None:
    """kill -9 of the process that holds the model; its supervisor starts another."""
    fleet.parts[target].signal_engine(signal.SIGKILL)


async def stop(fleet: Fleet, target: str, seconds: float) -> None:
    """SIGSTOP to the process, and to its engine if it has one: a machine that stands still."""
    part = fleet.parts[target]
    part.signal(signal.SIGSTOP)
    part.signal_engine(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    part.signal_engine(signal.SIGCONT)
    part.signal(signal.SIGCONT)


async def stop_engine(fleet: Fleet, target: str, seconds: float) -> None:
    """SIGSTOP to the engine alone, never undone: a kernel that hangs."""
    fleet.parts[target].signal_engine(signal.SIGSTOP)


async def kill_store(fleet: Fleet, target: str, seconds: float) -> None:
    """kill -9 of Valkey; it is started again."""
    await asyncio.to_thread(fleet.valkey.kill)
    await asyncio.sleep(RESTART_SECONDS)
    await asyncio.to_thread(fleet.valkey.restart)


async def stop_store(fleet: Fleet, target: str, seconds: float) -> None:
    """SIGSTOP to Valkey: connections stay open and nobody answers."""
    pid = fleet.valkey.pid
    os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


async def cut(fleet: Fleet, target: str, seconds: float) -> None:
    """Connections to the store are reset."""
    cable = fleet.cables[target]
    cable.cut()
    await asyncio.sleep(seconds)
    cable.mend()


async def hold(fleet: Fleet, target: str, seconds: float) -> None:
    """Connections to the store stay open, and nothing comes through."""
    cable = fleet.cables[target]
    cable.hold()
    await asyncio.sleep(seconds)
    cable.mend()


async def lose_reply(fleet: Fleet, target: str, seconds: float) -> None:
    """One reply of the store does not arrive."""
    fleet.cables[target].lose_reply()


@dataclass(frozen=True)
class Kind:
    """A kind of fault: what befalls whom for how long, and what that may block."""

    name: str
    cause: Cause
    targets: Sequence[str]
    blocks: Blocks
    seconds: Span = AT_ONCE


KINDS = (
    Kind("nothing, for comparison", nothing, ("fleet",), "new jobs"),
    Kind("worker killed", kill, WORKERS, "its job"),
    Kind("engine killed", kill_engine, WORKERS, "its job"),
    Kind("engine hangs", stop_engine, WORKERS, "its job"),
    Kind("worker stopped beyond its lease", stop, WORKERS, "its job", BEYOND_LEASE),
    Kind("worker cut off beyond its lease", cut, WORKERS, "its job", BEYOND_LEASE),
    Kind("worker's cable silent beyond its lease", hold, WORKERS, "its job", BEYOND_LEASE),
    Kind("reply to a worker lost", lose_reply, WORKERS, "its job"),
    Kind("gateway killed", kill, ("gateway",), "new jobs"),
    Kind("gateway stopped", stop, ("gateway",), "new jobs", SHORT),
    Kind("gateway cut off", cut, ("gateway",), "new jobs", SHORT),
    Kind("reply to the gateway lost", lose_reply, ("gateway",), "new jobs"),
    Kind("store killed", kill_store, ("store",), "new jobs"),
    Kind("store stopped", stop_store, ("store",), "new jobs", SHORT),
    Kind("background killed", kill, ("background",), "webhooks"),
    Kind("background stopped", stop, ("background",), "webhooks", SHORT),
    Kind("background cut off", cut, ("background",), "webhooks", SHORT),
)


@dataclass(frozen=True)
class Planned:
    """A fault to be. at: seconds from the begin; seconds: that it lasts."""

    at: float
    kind: Kind
    target: str
    seconds: float


def plan(dice: random.Random, minutes: float, every_seconds: float) -> list[Planned]:
    """Faults at random times, `every_seconds` on average, every kind as often as any other.

    Nothing befalls a part while it still suffers: such a fault is left out.
    """
    planned, at, bag = list[Planned](), 0.0, list[Kind]()
    busy_until: dict[str, float] = {}
    while (at := at + dice.expovariate(1 / every_seconds)) < 60 * minutes:
        bag = bag or dice.sample(KINDS, len(KINDS))
        kind = bag.pop()
        target, seconds = dice.choice(kind.targets), dice.uniform(*kind.seconds)
        if busy_until.get(target, 0) <= at:
            planned.append(Planned(at, kind, target, seconds))
            busy_until[target] = at + seconds + RESTART_SECONDS
    return planned
