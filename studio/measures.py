"""What the operators' page reads of Prometheus' text: numbers by name and label. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Sample:
    """One number."""

    name: str
    labels: dict[str, str]
    value: float


def samples(text: str) -> list[Sample]:
    """All numbers of the text."""
    return [
        Sample(name, dict(_LABEL.findall(labels)), float(value))
        for name, labels, value in _LINE.findall(text)
    ]


def total(found: list[Sample], name: str, **labels: str) -> float:
    """The sum of those of a name that have these labels."""
    return sum(one.value for one in found if one.name == name and labels.items() <= one.labels.items())


def hit_rate(found: list[Sample]) -> float | None:
    """How often a source was remembered, 0..1; None before the first job."""
    hits, misses = (total(found, f"addit_source_memory_{word}_total") for word in ("hits", "misses"))
    return hits / (hits + misses) if hits + misses else None


@dataclass(frozen=True)
class Glance:
    """The service at a moment. at: seconds of a clock; succeeded: jobs ever; held: sources, bytes by tier"""

    at: float
    succeeded: float
    waiting: float
    held: dict[str, float]


def glance(found: list[Sample], at: float) -> Glance:
    """What is plotted."""
    name = "addit_source_memory_bytes"
    tiers = sorted({one.labels["tier"] for one in found if one.name == name})
    return Glance(
        at,
        total(found, "addit_jobs_total", status="succeeded"),
        total(found, "addit_queue_ready"),
        {tier: total(found, name, tier=tier) for tier in tiers},
    )


def per_minute(glances: list[Glance]) -> list[tuple[float, float]]:
    """(seconds before the last glance, jobs a minute) between each two glances."""
    pairs = zip(glances, glances[1:], strict=False)
    last = glances[-1].at if glances else 0.0
    return [
        (
            round(later.at - last),
            max(0.0, 60 * (later.succeeded - earlier.succeeded) / max(later.at - earlier.at, 0.001)),
        )
        for earlier, later in pairs
    ]


def size(held: int | None) -> str:
    """Bytes for people; a dash where they are not known."""
    return "-" if held is None else f"{held / 2**30:.1f} GiB"


def share(used: int | None, whole: int | None) -> str:
    """How much of a memory is taken. whole: None where there is no accelerator"""
    if used is None or not whole:
        return "none"
    return f"{size(used)} of {size(whole)}, {used / whole:.0%}"
