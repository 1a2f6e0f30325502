"""The paper's figures in small: what each knob does to inclusion, affordance and background."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from toyland.score.figures import Figure, insertion_figures
from toyland.score.insertions import InsertionJob
from toyland.score.instruments import profile_of
from toyland.score.ledger import Ledger
from toyland.score.measuring import Laboratory
from toyland.score.statistics import mean
from toyland.score.weightings import weightings
from workers.addit.config import AdditConfig
from workers.addit.localizers import LOCALIZERS

GAMMAS = (1.0, 1.025, 1.05, 1.1, 1.15, 1.2, 1.3, 1.45)
TRANSFER_STEPS = (0, 1, 2, 3, 4, 6, 8, 10)
BLENDS = ((), (15,), (20,), (25,), (15, 20), (15, 20, 25))
GUIDANCES = (1.0, 2.0, 3.0, 3.5, 4.0, 4.5, 5.0)
"""Up to what the guidance was distilled for."""

Variant = Mapping[str, object]
"""Fields of an `AdditConfig` that differ from the preset."""


def variants(sweep: str, base: AdditConfig) -> Mapping[str, Variant]:
    """The points of a sweep around a preset, by the name they have on its axis."""
    points: dict[str, Mapping[str, Variant]] = {
        "gamma": {f"{gamma:.3f}": {"extended_scale": gamma} for gamma in GAMMAS},
        "structure": {str(step): {"structure_transfer_step": step} for step in TRANSFER_STEPS},
        "blending": {
            **{
                ", ".join(map(str, steps)) or "none": {"blend_steps": steps, "strict_background": False}
                for steps in BLENDS
            },
            "15 strict": {"blend_steps": (15,), "strict_background": True},
        },
        "schedule": weightings(base),
        "guidance": {f"{scale:g}": {"guidance_scale": scale} for scale in GUIDANCES},
        "localizer": {
            name: {"localizer": name} for name, needed in LOCALIZERS.items() if "text_segmenter" not in needed
        },
    }
    return points[sweep]


@dataclass(frozen=True)
class Point:
    """One setting of a sweep, its jobs and whether it is what the preset has."""

    sweep: str
    preset: str
    name: str
    served: bool
    jobs: tuple[InsertionJob, ...]

    def figures(self, ledger: Ledger) -> list[Figure]:
        """Of the scenes measured so far; forwards of those where they were counted."""
        records = [ledger[job.key] for job in self.jobs if job.key in ledger]
        counted = [record["forwards"] for record in records if record.get("forwards") is not None]
        cost = [Figure("forwards", mean(counted))] if counted else []
        return [*insertion_figures(records), *cost]


def plan_sweep(laboratory: Laboratory, sweep: str, preset: str, scenes: int) -> list[Point]:
    """Every point over the same scenes, one noise seed each."""
    base: AdditConfig = profile_of(laboratory.weights).presets[preset]
    tasks = laboratory.insertions("trained", scenes)
    points = []
    for name, changes in variants(sweep, base).items():
        config = replace(base, **changes)  # type: ignore[arg-type]
        jobs = tuple(InsertionJob(task, preset, config, laboratory.versions) for task in tasks)
        points.append(Point(sweep, preset, name, config == base, jobs))
    return points


def to_values(points: Sequence[Point], ledger: Ledger) -> list[dict[str, object]]:
    """Every point's figures as plain values, for plots and programs."""
    return [
        {
            "sweep": point.sweep,
            "preset": point.preset,
            "point": point.name,
            "served": point.served,
            "scenes": sum(job.key in ledger for job in point.jobs),
            **{
                figure.name: [round(value, 4) for value in (estimate.value, estimate.low, estimate.high)]
                for figure in point.figures(ledger)
                for estimate in [figure.estimate]
            },
        }
        for point in points
    ]
