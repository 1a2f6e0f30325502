"""The whole score: which jobs it takes, in full or quickly, and what is read from their records."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from toyland.score.commands import PRESETS, Part
from toyland.score.components import ComponentJob
from toyland.score.drawings import DrawingJob
from toyland.score.figures import (
    Figure,
    both_present,
    component_figures,
    drawing_figures,
    insertion_figures,
    strict_figures,
)
from toyland.score.insertions import InsertionJob
from toyland.score.instruments import profile_of
from toyland.score.ledger import Ledger, Record
from toyland.score.measuring import Job, Laboratory
from toyland.score.samples import CHUNK
from toyland.score.tasks import Pairs, Subset


@dataclass(frozen=True)
class Amounts:
    """How many items of every kind; components in chunks of 4 samples, CLIP's of 64 captions."""

    drawings: Mapping[Subset, int]
    insertions: Mapping[Pairs, int]
    strict: int
    chunks: Mapping[str, int]

    def limited(self, most: int) -> "Amounts":
        """No more than so many items of any kind."""
        return Amounts(
            {subset: min(most, count) for subset, count in self.drawings.items()},
            {pairs: min(most, count) for pairs, count in self.insertions.items()},
            min(most, self.strict),
            {name: min(-(-most // CHUNK), count) for name, count in self.chunks.items()},
        )


FULL = Amounts(
    {"one": 500, "two": 200, "held_out_pairs": 150, "held_out_templates": 150},
    {"trained": 200, "held_out": 100},
    strict=30,
    chunks={"autoencoder": 32, "segmenter": 48, "detector": 80, "clip": 4, "transformer": 24, "places": 80},
)
QUICK = Amounts(
    {"one": 60, "two": 10, "held_out_pairs": 5, "held_out_templates": 5},
    {"trained": 60},
    strict=3,
    chunks={"autoencoder": 4, "segmenter": 5, "detector": 4, "clip": 1, "transformer": 4, "places": 10},
)


@dataclass(frozen=True)
class Score:
    """The jobs of a score, by their part."""

    drawings: tuple[DrawingJob, ...]
    insertions: tuple[InsertionJob, ...]
    strict: tuple[InsertionJob, ...]
    components: tuple[ComponentJob, ...]

    def jobs(self, parts: Sequence[Part]) -> list[Job]:
        """All jobs of some parts, every kind spread evenly: when time runs out, each is measured in part."""
        groups: dict[object, list[Job]] = {}
        for part in parts:
            for kind, job in self._kinds(part):
                groups.setdefault(kind, []).append(job)
        placed = [((at + 0.5) / len(group), job) for group in groups.values() for at, job in enumerate(group)]
        return [job for _, job in sorted(placed, key=lambda one: one[0])]

    def _kinds(self, part: Part) -> Iterator[tuple[object, Job]]:
        """A part's jobs, each with what is measured by it and its like."""
        match part:
            case "drawings":
                yield from ((job.task.subset, job) for job in self.drawings)
            case "insertions":
                yield from (((job.preset, job.task.pairs), job) for job in self.insertions)
                yield from (("strict", job) for job in self.strict)
            case "components":
                yield from ((job.component, job) for job in self.components)

    def figures(self, ledger: Ledger) -> list[Figure]:
        """What the records say, in the order of the issue; nothing where nothing was measured."""
        drawn = {subset: list(_records(ledger, jobs)) for subset, jobs in self._by_subset().items()}
        everything = list(_records(ledger, self._of("trained")))
        return [
            *insertion_figures(everything)[:2],
            *drawing_figures(drawn.get("one", []), "drawing"),
            *both_present(drawn.get("two", [])),
            *drawing_figures(drawn.get("held_out_pairs", []), "drawing.held_out_pairs"),
            *drawing_figures(drawn.get("held_out_templates", []), "drawing.held_out_templates"),
            *(figure for preset in PRESETS for figure in self._insertion_figures(ledger, preset)),
            *strict_figures(list(_records(ledger, self.strict))),
            *component_figures(_records(ledger, self.components)),
        ]

    def _by_subset(self) -> dict[Subset, list[DrawingJob]]:
        subsets: dict[Subset, list[DrawingJob]] = {}
        for job in self.drawings:
            subsets.setdefault(job.task.subset, []).append(job)
        return subsets

    def _of(self, pairs: Pairs, preset: str | None = None) -> list[InsertionJob]:
        return [job for job in self.insertions if job.task.pairs == pairs and preset in (None, job.preset)]

    def _insertion_figures(self, ledger: Ledger, preset: str) -> Iterator[Figure]:
        yield from insertion_figures(list(_records(ledger, self._of("trained", preset))), f".{preset}")
        unseen = list(_records(ledger, self._of("held_out", preset)))
        yield from insertion_figures(unseen, f".{preset}.held_out_pairs")[:3]


def plan_score(laboratory: Laboratory, amounts: Amounts) -> Score:
    """The jobs for so many items."""
    versions, presets = laboratory.versions, profile_of(laboratory.weights).presets
    drawn = [
        task for subset, count in amounts.drawings.items() for task in laboratory.drawings(subset, count)
    ]
    added = [
        task for pairs, count in amounts.insertions.items() for task in laboratory.insertions(pairs, count)
    ]
    strict = replace(presets["paper-real"], strict_background=True, keep_shadow=False)
    return Score(
        drawings=tuple(DrawingJob(task, versions) for task in drawn),
        insertions=tuple(
            InsertionJob(task, preset, presets[preset], versions) for task in added for preset in PRESETS
        ),
        strict=tuple(InsertionJob(task, "paper-real", strict, versions) for task in added[: amounts.strict]),
        components=tuple(
            ComponentJob(name, chunk, versions)
            for name, count in amounts.chunks.items()
            for chunk in range(count)
        ),
    )


def _records(ledger: Ledger, jobs: Sequence[Job]) -> Iterator[Record]:
    """Of those jobs that were measured."""
    return (ledger[job.key] for job in jobs if job.key in ledger)
