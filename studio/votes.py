"""A blind study: pairs from a folder, votes in a JSONL file beside them, win rates with Wilson intervals.

`pairs.json`: [{"id": "1", "question": "…", "source": "bed.png", "first": {"method": "a", "image": "1a.png"},
"second": {"method": "b", "image": "1b.png"}}, …]; `source` and `question` may be left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, TypeAdapter

Z = 1.959963984540054  # of a 95 % interval
QUESTION = "Which picture is better?"
Choice = Literal["left", "right", "tie"]


class Side(BaseModel):
    """One of a pair's results."""

    method: str
    image: str


class Pair(BaseModel):
    """Two results of the same request."""

    id: str
    first: Side
    second: Side
    source: str | None = None
    question: str = QUESTION


class Vote(BaseModel):
    """What somebody said of a pair. winner: a method, None for a tie"""

    pair: str
    methods: tuple[str, str]
    winner: str | None
    voter: str
    at: datetime


@dataclass(frozen=True)
class WinRate:
    """How often a method was preferred, ties counted half. low, high: 95 % Wilson interval, 0..1"""

    method: str
    votes: int
    rate: float
    low: float
    high: float


def wilson(successes: float, count: int) -> tuple[float, float]:
    """Bounds of a proportion's 95 % interval (Wilson 1927). successes: 0..count, halves for ties"""
    if count == 0:
        return 0.0, 1.0
    share, square = successes / count, Z * Z
    centre = share + square / (2 * count)
    spread = Z * sqrt(share * (1 - share) / count + square / (4 * count * count))
    low, high = (centre - spread) / (1 + square / count), (centre + spread) / (1 + square / count)
    return max(0.0, min(low, share)), min(1.0, max(high, share))  # rounding must not part them


def win_rates(votes: Iterable[Vote]) -> list[WinRate]:
    """By method, the most preferred first."""
    points: dict[str, list[float]] = {}
    for vote in votes:
        for method in vote.methods:
            point = 0.5 if vote.winner is None else float(vote.winner == method)
            points.setdefault(method, []).append(point)
    rates = [
        WinRate(method, len(each), sum(each) / len(each), *wilson(sum(each), len(each)))
        for method, each in points.items()
    ]
    return sorted(rates, key=lambda one: (-one.rate, one.method))


def is_swapped(pair: Pair, voter: str) -> bool:
    """Whether the second result stands on the left for this voter: by a hash, so half of the time."""
    return hashlib.sha256(f"{voter} {pair.id}".encode()).digest()[0] % 2 == 1


def sides(pair: Pair, voter: str) -> tuple[Side, Side]:
    """(left, right) as this voter sees them."""
    return (pair.second, pair.first) if is_swapped(pair, voter) else (pair.first, pair.second)


@dataclass(frozen=True)
class Study:
    """The pairs of a folder and the votes on them."""

    folder: Path

    @property
    def pairs(self) -> list[Pair]:
        """As `pairs.json` has them; none where there is no such file."""
        file = self.folder / "pairs.json"
        return TypeAdapter(list[Pair]).validate_json(file.read_bytes()) if file.exists() else []

    @property
    def votes(self) -> list[Vote]:
        """All that were cast, in order."""
        file = self.folder / "votes.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [Vote.model_validate_json(line) for line in lines]

    def next_for(self, voter: str) -> Pair | None:
        """The first pair that this voter has not judged."""
        judged = {vote.pair for vote in self.votes if vote.voter == voter}
        return next((pair for pair in self.pairs if pair.id not in judged), None)

    def cast(self, pair_id: str, choice: Choice, voter: str) -> Vote:
        """Write a vote down. Raises KeyError for a pair that is not of the study."""
        pair = {pair.id: pair for pair in self.pairs}[pair_id]
        left, right = sides(pair, voter)
        winner = {"left": left.method, "right": right.method, "tie": None}[choice]
        methods = (pair.first.method, pair.second.method)
        vote = Vote(pair=pair.id, methods=methods, winner=winner, voter=voter, at=datetime.now(UTC))
        with (self.folder / "votes.jsonl").open("a") as file:
            file.write(vote.model_dump_json() + "\n")
        return vote


def rows(rates: Sequence[WinRate]) -> list[list[str]]:
    """For a table: method, votes, preferred, interval."""
    return [
        [one.method, str(one.votes), f"{one.rate:.0%}", f"{one.low:.0%} to {one.high:.0%}"] for one in rates
    ]
