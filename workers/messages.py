"""What supervisor and engine say to each other over their pipe, pickled between a process and its child."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from api_schemas.models import ModelCard
from job_store.footprint import DeviceMemory
from job_store.memory_use import MemoryUse
from job_store.records import Claim

StopReason = Literal["canceled", "deadline", "superseded"]
"""Why an attempt stops early: its caller said so, its time is up, or another attempt owns the record."""

Ending = Literal["succeeded", "failed", "canceled", "superseded", "crashed"]
"""How an attempt ended. `crashed`: the record is still ours and unended, the supervisor gives it back."""


Seat = Literal["alone", "first", "beside"]
"""Whether an attempt has the model for itself, may be joined by others, or joins those that are there. With
LoRAs or a block cache, which are put on the model for one edit, it has it for itself."""


@dataclass(frozen=True)
class Run:
    """To the engine: do this record, in at most `seconds` from now. `traced`: tell of every `Lap`."""

    claim: Claim
    seconds: float
    traced: bool = False
    seat: Seat = "alone"


@dataclass(frozen=True)
class Stop:
    """To the engine: end the attempt of this token at the next step."""

    token: str
    reason: StopReason


@dataclass(frozen=True)
class Drop:
    """To the engine: go on without these seeds in the attempt of this token, from the next step."""

    token: str
    seeds: frozenset[int]


@dataclass(frozen=True)
class ProveYourself:
    """To the engine: run the canary."""


@dataclass(frozen=True)
class Forget:
    """To the engine: drop what is remembered of these sources, None for all; answered by `Remembers`."""

    source_ids: frozenset[str] | None


@dataclass(frozen=True)
class Ready:
    """From the engine: the model is loaded and works."""

    card: ModelCard
    memory: MemoryUse
    device: DeviceMemory | None


@dataclass(frozen=True)
class Beat:
    """From the engine: the attempt of this token has got one step further."""

    token: str


@dataclass(frozen=True)
class Step:
    """A step of a stage was done at this Unix time, nanoseconds."""

    at_ns: int
    stage: str
    number: int
    total: int


@dataclass(frozen=True)
class Lap:
    """From the engine: a stage of the attempt of this token has ended, with the steps done within it."""

    token: str
    stage: str
    began_ns: int
    ended_ns: int
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Room:
    """From the engine: beside the attempt of this token, one of so many seeds at most is better done too."""

    token: str
    rows: int


@dataclass(frozen=True)
class Left:
    """From the engine: the attempt of this token has its pictures and needs the model no more."""

    token: str


@dataclass(frozen=True)
class Ended:
    """From the engine: the attempt of this token is over.

    fatal: the engine cannot be used any more; doubtful: it should prove itself before it goes on
    """

    token: str
    ending: Ending
    fatal: bool = False
    doubtful: bool = False


@dataclass(frozen=True)
class Remembers:
    """From the engine, after every attempt and whenever it forgot: what it remembers of sources now, and how
    full its accelerator is, if it has one."""

    memory: MemoryUse
    device: DeviceMemory | None


@dataclass(frozen=True)
class Proved:
    """From the engine: the canary passed, or it did not and the engine cannot be used any more."""

    passed: bool


ToEngine = Run | Stop | Drop | ProveYourself | Forget
FromEngine = Ready | Beat | Lap | Room | Left | Ended | Remembers | Proved
