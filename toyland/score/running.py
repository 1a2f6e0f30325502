"""What the commands that measure do: `score`, `sweep`, `gallery`, `verdicts`, `captions`."""

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from toyland.score.captioning import caption_shares, captioned_samples
from toyland.score.commands import PARTS, PRESETS, SWEEPS, Part
from toyland.score.figures import Figure, verdict_figures
from toyland.score.gallery import write_gallery
from toyland.score.instruments import score_folder
from toyland.score.ledger import Ledger
from toyland.score.measuring import Laboratory
from toyland.score.plots import plot_sweep
from toyland.score.scoring import FULL, QUICK, Amounts, Score, plan_score
from toyland.score.speed import measure_speed
from toyland.score.sweeps import plan_sweep, to_values
from toyland.score.table import to_object, to_table
from toyland.score.verdicts import read_verdicts, write_verdicts
from toyland.score.versions import Weights, read_versions
from toyland.workshop import Workshop
from workers.models.toyland.captioner import ToylandCaptioner

DOCS = Path("docs")
SWEEP_VALUES = DOCS / "toyland_sweeps.json"
VERDICTS = DOCS / "toyland_verdicts.json"
QUICK_SECONDS = 300.0  # no item is begun after this long
QUICK_PATIENCE, PATIENCE = 40.0, 300.0  # seconds for all times together


def run_score(arguments: argparse.Namespace, workshop: Workshop) -> None:
    """Measure, then print."""
    deadline = time.monotonic() + QUICK_SECONDS if arguments.quick else None
    load = os.getloadavg()[0]  # of others: times say little where it is not near 0
    laboratory = open_laboratory(arguments, workshop, deadline)
    score = plan_score(laboratory, _amounts(arguments))
    parts: Sequence[Part] = [arguments.only] if arguments.only else PARTS
    ledger = laboratory.measure(score.jobs(parts), "measuring")
    # Last and bounded: on a busy machine times take for ever and say nothing.
    patience = QUICK_PATIENCE if arguments.quick else PATIENCE
    times = measure_times(laboratory, score, patience) if "insertions" in parts else []
    figures = [*score.figures(ledger), *times, *verdict_figures(list(read_verdicts(VERDICTS)))]
    if arguments.json:
        Console().print_json(json.dumps(to_object(figures, laboratory.versions, load)))
    else:
        kind = "quick" if arguments.quick else "full"
        Console().print(to_table(figures, f"Toyland, {kind} score; load of the machine before: {load:.1f}"))


def _amounts(arguments: argparse.Namespace) -> Amounts:
    amounts = QUICK if arguments.quick else FULL
    return amounts.limited(arguments.limit) if arguments.limit else amounts


def measure_times(laboratory: Laboratory, score: Score, patience: float) -> list[Figure]:
    """Of a real source, as the service's default has it."""
    job = next(job for job in score.insertions if job.preset == "paper-real")
    return measure_speed(laboratory, job, patience)


def run_sweep(arguments: argparse.Namespace, workshop: Workshop) -> None:
    """Measure every point, write the values, and draw the plots."""
    laboratory = open_laboratory(arguments, workshop)
    presets = [arguments.preset] if arguments.preset else PRESETS
    known = json.loads(SWEEP_VALUES.read_text(encoding="utf-8")) if SWEEP_VALUES.exists() else {}
    for sweep in SWEEPS if arguments.sweep == "all" else [arguments.sweep]:
        points = [
            point for preset in presets for point in plan_sweep(laboratory, sweep, preset, arguments.limit)
        ]
        by_scene = zip(*(point.jobs for point in points), strict=True)  # what is known of a source serves all
        ledger = laboratory.measure([job for scene in by_scene for job in scene], sweep)
        known[sweep] = to_values(points, ledger)
        SWEEP_VALUES.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        folder = DOCS / "assets" / "toyland"
        folder.mkdir(parents=True, exist_ok=True)
        plot_sweep(known[sweep], folder / f"sweep_{sweep}.png")


def run_gallery(arguments: argparse.Namespace, workshop: Workshop) -> None:
    """Show what was measured; measures nothing."""
    laboratory = open_laboratory(arguments, workshop)
    score, folder = plan_score(laboratory, FULL), score_folder(workshop)
    ledger = Ledger(folder / "records.jsonl")
    figures = [*score.figures(ledger), *verdict_figures(list(read_verdicts(VERDICTS)))]
    write_gallery(score, ledger, folder / "made", figures, DOCS)


def run_verdicts(arguments: argparse.Namespace, workshop: Workshop) -> None:
    """Sheets and a template to fill in; filled, it belongs to docs/toyland_verdicts.json."""
    write_verdicts(open_laboratory(arguments, workshop), arguments.output)


def run_captions(arguments: argparse.Namespace, workshop: Workshop) -> None:
    """Print the shares of pictures that the captioner names right."""
    shares = caption_shares(
        ToylandCaptioner(workshop.shipped), captioned_samples(workshop.world, arguments.count)
    )
    for name, share in asdict(shares).items():
        Console().print(f"{name:8} {share:.2f} of {arguments.count}")


def open_laboratory(
    arguments: argparse.Namespace, workshop: Workshop, deadline: float | None = None
) -> Laboratory:
    """Where the command's jobs run."""
    weights = Weights.of(workshop.shipped, arguments.pipeline)
    versions = read_versions(weights, workshop.world)
    return Laboratory(workshop, weights, versions, arguments.processes, deadline)
