"""What was counted over all jobs there ever were.

By the very scripts that ended them: a repeated call counts nothing twice, and no worker's end loses a count.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis import Redis

from job_store.keys import Key
from job_store.server import Server

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0, 120.0, 300.0)
"""Of the histograms' buckets, seconds; one for more than the last follows."""


@dataclass(frozen=True)
class Histogram:
    """Seconds that a stage of a model's succeeded jobs took.

    stage: a field of `Timings`, or denoise_step for one step's share of denoise
    counts: how many in each bucket; one more than `BOUNDS`
    """

    model: str
    stage: str
    counts: tuple[int, ...]
    total: float


class Statistics:
    """All of it. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def durations(self) -> list[Histogram]:
        """By model and stage."""
        models = sorted(model.decode() for model in self._server.command("SMEMBERS", Key.MODELS))
        return [one for model in models for one in _histograms(model, self._hash(Key.DURATIONS + model))]

    def reasons(self, status: str) -> dict[str, int]:
        """How many jobs were `canceled` while queued or running, or `failed` with which code; how many
        attempts were `requeued` because the worker crashed (or was lost), or was stopped."""
        return {
            name.removeprefix(f"{status} "): int(count)
            for name, count in self._hash(Key.REASONS).items()
            if name.startswith(f"{status} ")
        }

    def _hash(self, key: str) -> dict[str, str]:
        flat = self._server.command("HGETALL", key)
        return {name.decode(): value.decode() for name, value in flat.items()}


def _histograms(model: str, fields: dict[str, str]) -> list[Histogram]:
    buckets = [*(str(bound) for bound in BOUNDS), "more"]
    stages = sorted(name.removesuffix(" sum") for name in fields if name.endswith(" sum"))
    return [
        Histogram(
            model,
            stage,
            tuple(int(fields.get(f"{stage} {bucket}", 0)) for bucket in buckets),
            float(fields[f"{stage} sum"]),
        )
        for stage in stages
    ]
