"""From records to figures: names, values, intervals, and what each was wanted to be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from toyland.score import statistics
from toyland.score.ledger import Record
from toyland.score.statistics import Estimate, Rows

Unit = Literal["%", "dB", "s", ""]


@dataclass(frozen=True)
class Target:
    """What a figure was wanted to be: at least `bound`, or at most."""

    bound: float
    at_most: bool = False

    def met_by(self, value: float) -> bool:
        """Whether a value is as good."""
        return value <= self.bound if self.at_most else value >= self.bound


@dataclass(frozen=True)
class Figure:
    """One measured figure. Shares are 0..1 and shown in per cent."""

    name: str
    estimate: Estimate
    unit: Unit = ""

    @property
    def target(self) -> Target | None:
        """What it was wanted to be, if anything was said."""
        return TARGETS.get(self.name)


TARGETS: Mapping[str, Target] = {
    "drawing.present": Target(0.95),
    "drawing.plausible": Target(0.95),
    "drawing.both_present": Target(0.85),
    "inclusion": Target(0.93),
    "inclusion.paper-generated": Target(0.93),
    "inclusion.paper-real": Target(0.93),
    "affordance": Target(0.83),
    "affordance.paper-generated": Target(0.83),
    "affordance.paper-real": Target(0.83),
    "background_psnr.paper-generated": Target(35.0),
    "background_psnr.paper-real": Target(35.0),
    "strict_background.untouched": Target(1.0),
    "speed.insertion": Target(5.0, at_most=True),
    "speed.first_insertion": Target(15.0, at_most=True),
    "autoencoder.psnr": Target(36.0),
    "segmenter.point_iou": Target(0.90),
    "segmenter.box_iou": Target(0.93),
    "detector.f1": Target(0.98),
    "detector.decoded.f1": Target(0.98),
    "detector.drawn_again.f1": Target(0.98),
    "detector.false_positives": Target(0.01, at_most=True),
    "detector.decoded.false_positives": Target(0.01, at_most=True),
    "detector.drawn_again.false_positives": Target(0.01, at_most=True),
    "clip.right_of_64": Target(0.95),
}


CLIP_METRICS = ("clip_dir", "clip_im", "clip_out")


def drawing_figures(records: Sequence[Record], prefix: str) -> list[Figure]:
    """Of sentences that name one thing to look at."""
    if not records:
        return []
    there = [record for record in records if record["score"] > 0]
    return [
        _share(f"{prefix}.present", [record["score"] > 0 for record in records]),
        *_shares_of(there, {f"{prefix}.plausible": "holds", f"{prefix}.supported": "supports"}),
    ]


def both_present(records: Sequence[Record]) -> list[Figure]:
    """Of sentences that name two things."""
    hits = [all(record["present"].values()) for record in records]
    return [_share("drawing.both_present", hits)] if hits else []


def insertion_figures(records: Sequence[Record], suffix: str = "") -> list[Figure]:
    """Of one preset's insertions, or of all; what was not found anywhere is at no plausible place."""
    if not records:
        return []
    outside = [record["background_error"] for record in records if record["background_error"] is not None]
    unmasked = [record["unmasked_error"] for record in records if record["unmasked_error"] is not None]
    fields = {"inclusion": "included", "affordance": "holds", "supported": "supports", "located": "located"}
    return [
        *_shares_of(records, {name + suffix: field for name, field in fields.items()}),
        *_decibels(f"background_psnr{suffix}", outside),
        *_decibels(f"unmasked_psnr{suffix}", unmasked),
        *(_mean(f"{name}{suffix}", [record[name] for record in records]) for name in CLIP_METRICS),
    ]


def strict_figures(records: Sequence[Record]) -> list[Figure]:
    """Of insertions with a strict background."""
    errors = [record["background_error"] for record in records if record["background_error"] is not None]
    return [
        *_shares_of(records, {"strict_background.untouched": "untouched"}),
        *_decibels("strict_background.psnr", errors),
    ]


def component_figures(records: Iterable[Record]) -> list[Figure]:
    """Of the models by themselves."""
    rows: dict[str, Rows] = {}
    for record in records:
        for name, items in record["numbers"].items():
            rows.setdefault(name, []).extend(items)
    return [_component_figure(name, items) for name, items in rows.items() if items]


def _component_figure(name: str, rows: Rows) -> Figure:
    """What kind of figure it is, its name says."""
    first = [row[0] for row in rows]
    if name.endswith("psnr"):
        return Figure(name, statistics.decibels(first), "dB")
    if name.endswith("f1"):
        return Figure(name, statistics.f1(rows), "%")
    if name.endswith(("iou", "error")):
        return Figure(name, statistics.mean(first), "%" if name.endswith("iou") else "")
    return _share(name, [value > 0 for value in first])


def verdict_figures(confirmed: Sequence[bool]) -> list[Figure]:
    """Of the detector's verdicts that a person looked at."""
    return [_share("detector.confirmed_by_eye", confirmed)] if confirmed else []


def seconds(name: str, value: float) -> Figure:
    """A time, measured once."""
    return Figure(name, Estimate(value, value, value, 1), "s")


def _share(name: str, hits: Sequence[bool]) -> Figure:
    return Figure(name, statistics.share(hits), "%")


def _mean(name: str, values: Sequence[float]) -> Figure:
    return Figure(name, statistics.mean(values))


def _shares_of(records: Sequence[Record], fields: Mapping[str, str]) -> list[Figure]:
    named = fields.items() if records else ()
    return [_share(name, [record[field] for record in records]) for name, field in named]


def _decibels(name: str, errors: Sequence[float]) -> list[Figure]:
    return [Figure(name, statistics.decibels(errors), "dB")] if errors else []
