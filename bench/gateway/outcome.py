"""A row of the gateway's table: what was called how often, how long it took, what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.histogram import Histogram
from bench.open_model import Seen

COLUMNS = ["what", "a second", "p50 ms", "p95", "p99", "p99.9", "calls", "errors", "dropped", ""]
SHARES = (0.5, 0.95, 0.99, 0.999)


@dataclass(frozen=True)
class Outcome:
    """rate: a second, 0 where there is none; note: what else is to be said; more: values for programs"""

    what: str
    rate: float
    seconds: Histogram
    errors: int = 0
    dropped: int = 0
    note: str = ""
    more: Mapping[str, object] = field(default_factory=dict)

    def row(self) -> Sequence[str]:
        """As COLUMNS name it; times in milliseconds."""
        times = [f"{1000 * self.seconds.percentile(share):.1f}" for share in SHARES]
        counts = [str(self.seconds.count), str(self.errors), str(self.dropped)]
        return [self.what, f"{self.rate:.0f}" if self.rate else "", *times, *counts, self.note]

    def values(self) -> dict[str, object]:
        """For programs: seconds."""
        times = {f"p{100 * share:g}": self.seconds.percentile(share) for share in SHARES}
        return {
            "rate": self.rate, **times, "mean": self.seconds.mean, "most": self.seconds.most,
            "calls": self.seconds.count, "errors": self.errors, "dropped": self.dropped, **self.more,
        }  # fmt: skip


def of_load(
    what: str, rate: float, seen: Seen, note: str = "", more: Mapping[str, object] | None = None
) -> Outcome:
    """What an open-model load gave."""
    wrong = {name: one.count for name, one in seen.seconds.items() if one.count and name != "ok"}
    told = "; ".join(filter(None, [note, ", ".join(f"{count} {name}" for name, count in wrong.items())]))
    late = {"late_p99": seen.late.percentile(0.99), "wrong": wrong}
    return Outcome(what, rate, seen.ok, seen.errors, seen.dropped, told, {**late, **(more or {})})
