"""From records to figures with intervals: which there are, how they are shown, and for whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.metrics.intervals import Values, estimate, itself
from toyland.score.ledger import Record
from toyland.score.statistics import Estimate, Means, to_decibels


@dataclass(frozen=True)
class Figure:
    """key: in a record's metrics, or of the record itself; show: of a value, in its unit"""

    key: str
    title: str
    show: Callable[[float], str]
    statistic: Callable[[Means], Means] = itself
    best_of: bool = False


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def three(value: float) -> str:
    return f"{value:.3f}"


def one(value: float) -> str:
    return f"{value:.1f}"


def gigabytes(value: float) -> str:
    return f"{value / 1e9:.2f} GB"


KEPT = 25.0
"""dB of background PSNR from which a picture counts as the same picture: below it all is 14 grey levels off,
another tone or another drawing."""

FIGURES: tuple[Figure, ...] = (
    Figure("affordance", "affordance", percent, best_of=True),
    Figure("kept", f"affordance, background kept ({KEPT:g} dB)", percent),
    Figure("inclusion", "inclusion", percent, best_of=True),
    Figure("not_added", "not added", percent),
    Figure("relation", "relation", percent, best_of=True),
    Figure("clip_dir", "CLIP_dir", three),
    Figure("clip_out", "CLIP_out", three),
    Figure("clip_im", "CLIP_im", three),
    Figure("background_error", "background PSNR, dB", one, to_decibels),
    Figure("background_ssim", "background SSIM", three),
    Figure("background_lpips", "background LPIPS", three),
    Figure("identical", "identical pixels", percent),
    Figure("shift", "shift, px", one),
    Figure("forwards", "forwards", one),
    Figure("seconds", "seconds", one),
    Figure("peak_bytes", "peak memory", gigabytes),
)


def value_of(record: Record, key: str) -> float | None:
    """One figure of one record."""
    if key == "not_added":
        return 1.0 - float(record["metrics"]["added"])
    if key == "kept":
        return _placed_and_kept(record["metrics"])
    found = record["metrics"].get(key, record.get(key))
    return None if found is None else float(found)


def _placed_and_kept(metrics: Mapping[str, float | None]) -> float | None:
    """The affordance of a picture that is else the source; 0 of one that is not."""
    affordance, error = metrics.get("affordance"), metrics.get("background_error") or 0.0
    kept = to_decibels(np.asarray(error)) >= KEPT
    return affordance if affordance is None or kept else 0.0


def values_of(records: Iterable[Record], key: str) -> Values:
    """By item, the figure of each seed; items without one are left out."""
    values: dict[str, list[float]] = defaultdict(list)
    for record in records:
        value = value_of(record, key)
        if value is not None:
            values[record["item"]].append(value)
    return values


def estimate_of(records: Iterable[Record], figure: Figure) -> Estimate | None:
    """With its interval; None where no record has it."""
    values = values_of(records, figure.key)
    return estimate(values, figure.statistic) if values else None


def newest(records: Sequence[Record]) -> list[Record]:
    """Of records of the same suite, model, method, item and seed the last one: code and judges may have
    changed since the others."""
    keys = ("suite", "model", "method", "item", "seed")
    return list({tuple(record[key] for key in keys): record for record in records}.values())


def grouped(records: Iterable[Record], *keys: str) -> dict[tuple[str, ...], list[Record]]:
    """Records by some of their fields, in the order they came."""
    groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for record in records:
        groups[tuple(str(record[key]) for key in keys)].append(record)
    return dict(groups)
