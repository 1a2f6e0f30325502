"""`python -m bench.chaos --minutes 10`: nothing lost, nothing doubled, whatever is killed, stopped or cut."""

from __future__ import annotations

import asyncio
import random
import secrets
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.chaos.faults import KINDS, plan
from bench.chaos.fleet import LEASE_SECONDS, RESTART_SECONDS
from bench.chaos.replacement import replacement_seconds
from bench.chaos.run import Outcome, run
from bench.chaos.traffic import SERVICE_SECONDS
from bench.chaos.verdict import Struck
from bench.figures import Figures, percentile
from bench.report import JsonFile, report

EVERY_SECONDS = 5.0
PER_SECOND = 1.0


def main(
    minutes: Annotated[float, typer.Option(min=0.1, help="Of traffic under faults.")] = 10,
    seed: Annotated[
        int | None, typer.Option(help="Of traffic and faults; drawn and printed if none.")
    ] = None,
    file: JsonFile = Path("bench-results/chaos.json"),
) -> None:
    """Run, print the report, write it; exit code 1 if a promise was broken, with the logs kept."""
    seed = secrets.randbelow(2**32) if seed is None else seed
    console, folder = Console(), Path(tempfile.mkdtemp(prefix="addit-chaos-"))
    planned = plan(random.Random(seed), minutes, EVERY_SECONDS)
    console.print(f"seed {seed}: {len(planned)} faults in {minutes:g} minutes; logs in {folder}")
    outcome = asyncio.run(run(folder, planned, 60 * minutes, PER_SECOND, seed))
    figures = figures_of(outcome, seed, minutes, replacement_seconds(folder))
    report("chaos", figures, file, docs=False)
    if not outcome.sound:
        sys.exit(1)
    shutil.rmtree(folder)


def figures_of(outcome: Outcome, seed: int, minutes: float, replaced: Sequence[float]) -> Figures:
    """Counts first, then how long each kind of fault kept anybody waiting."""
    struck = [[fault.at, fault.kind.name, fault.target, seconds] for fault, seconds in outcome.recoveries]
    values = {
        **counts(outcome), "seed": seed, "minutes": minutes, "recovery": recoveries(outcome.recoveries),
        "faults": struck, "replacement_seconds": list(replaced),
    }  # fmt: skip
    rows = [[name, str(value), "", ""] for name, value in counts(outcome).items()]
    rows += [
        [name, str(found["faults"]), _seconds(found["p50"]), _seconds(found["p99"])]
        for name, found in recoveries(outcome.recoveries).items()
    ]
    rows.append(["an embedded engine replaced after kill -9", str(len(replaced)),
                 _seconds(percentile(replaced, 0.5)), _seconds(max(replaced))])  # fmt: skip
    title = (
        f"Chaos for {minutes:g} minutes from seed {seed}; {PER_SECOND:g} jobs of {SERVICE_SECONDS:g} s "
        f"a second, two workers, leases of {LEASE_SECONDS:g} s, restarts after {RESTART_SECONDS:g} s"
    )
    return Figures(title, ["", "count", "recovery p50 s", "p99 s"], rows, values)


def counts(outcome: Outcome) -> dict[str, object]:
    """By name, in the order they are read."""
    verdict, book = outcome.verdict, outcome.book
    return {
        "accepted": verdict.accepted,
        **{f"finished {status}": count for status, count in sorted(verdict.finished.items())},
        "lost": [*verdict.lost] or 0,
        "doubled": [*verdict.doubled] or 0,
        "files of attempts that ended no job": [*verdict.strays] or 0,
        "violations": [*outcome.violations] or 0,
        "orders that nobody took": len(book.given_up),
        "calls refused": dict(book.refusals),
        "calls unanswered": book.unanswered,
        "jobs by attempts": {str(number): count for number, count in sorted(verdict.attempts.items())},
        "webhooks confirmed": outcome.webhooks,
        "webhooks failed by the receiver": outcome.webhooks_failed,
        "processes started": outcome.starts,
        "seconds to drain": round(outcome.drain_seconds, 1),
    }


def recoveries(found: Sequence[tuple[Struck, float | None]]) -> Mapping[str, dict[str, float | int | None]]:
    """Of each kind: how many faults, how many that nothing they had blocked ever outlived, and seconds."""
    by_kind = defaultdict[str, list[float | None]](list)
    for struck, seconds in found:
        by_kind[struck.kind.name].append(seconds)
    return {kind.name: _spread(by_kind[kind.name]) for kind in KINDS if by_kind[kind.name]}


def _spread(seconds: Sequence[float | None]) -> dict[str, float | int | None]:
    known = [value for value in seconds if value is not None]
    middle, worst = (percentile(known, 0.5), percentile(known, 0.99)) if known else (None, None)
    return {"faults": len(seconds), "never": len(seconds) - len(known), "p50": middle, "p99": worst}


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    typer.run(main)
