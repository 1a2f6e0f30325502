"""`python -m bench.gateway [part …]`: the gateway under load, each part against a fresh stack of its own.

Rates are constant and times count from when a call was to begin (bench/open_model.py). The load generator and
the engines' processes have their share of the same cores.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from bench.figures import Figures
from bench.gateway.caller import Caller, calling
from bench.gateway.clients import clients
from bench.gateway.journeys import insertions
from bench.gateway.outcome import COLUMNS, Outcome
from bench.gateway.queued import queued
from bench.gateway.rates import polls, submits
from bench.gateway.streams import streams
from bench.gateway.webhooks import webhooks
from bench.report import PAGES, JsonFile, ScalingDocs, measured, report
from bench.stack import timed_stack


@dataclass(frozen=True)
class Plan:
    """workers: engines; processes: of the gateway; seconds: of a trial; streams, jobs: how many at once"""

    workers: int = 2
    processes: int = 1
    seconds: float = 8.0
    streams: int = 1_000
    jobs: int = 10_000


Part = Callable[[Caller, Plan], Awaitable[list[Outcome]]]
PARTS: Mapping[str, Part] = {
    "submits": lambda caller, plan: submits(caller, plan.workers, plan.seconds),
    "polls": lambda caller, plan: polls(caller, plan.workers, plan.seconds),
    "insertions": lambda caller, plan: insertions(caller, 2 * plan.seconds),
    "webhooks": lambda caller, plan: webhooks(caller, 2 * plan.seconds),
    "streams": lambda caller, plan: streams(caller, plan.streams),
    "clients": lambda caller, plan: clients(caller, 2 * plan.seconds),
    "queued": lambda caller, plan: queued(caller, plan.workers, plan.jobs),
}
DEFAULT = Plan()


def run(part: str, plan: Plan) -> list[Outcome]:
    """One part on a fresh stack."""

    async def called() -> list[Outcome]:
        async with calling(bed) as caller:
            return await PARTS[part](caller, plan)

    with timed_stack(plan.workers, gateway_processes=plan.processes) as bed:
        return uvloop.run(called())


def to_figures(part: str, found: Sequence[Outcome], plan: Plan) -> Figures:
    """A row for each outcome."""
    values = {one.what: one.values() for one in found}
    title = f"{part}: {plan.processes} gateway processes, {plan.workers} workers"
    return Figures(title, COLUMNS, [one.row() for one in found], values)


def main(
    parts: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(PARTS)}; all if none.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Engines of known service time.")] = DEFAULT.workers,
    processes: Annotated[int, typer.Option(min=1, help="Of the gateway.")] = DEFAULT.processes,
    seconds: Annotated[float, typer.Option(min=1, help="Of a trial.")] = DEFAULT.seconds,
    streams: Annotated[int, typer.Option(min=1, help="Open at once.")] = DEFAULT.streams,
    jobs: Annotated[int, typer.Option(min=1, help="That wait.")] = DEFAULT.jobs,
    docs: ScalingDocs = False,
    file: JsonFile = Path("bench-results/gateway.json"),
) -> None:
    """Measure, print a table a part, write values (each part's to a file of its own: gateway-polls.json, …);
    exit code 1 if a job was lost or doubled."""
    plan = Plan(workers, processes, seconds, streams, jobs)
    unknown, sound = set(parts or ()) - set(PARTS), True
    if unknown:
        raise typer.BadParameter(f"no part {', '.join(sorted(unknown))}")
    for part in parts or PARTS:
        found, name = run(part, plan), f"gateway-{part}"
        own = file.with_stem(f"{file.stem}-{part}")
        report(name, to_figures(part, found, plan), own, docs, measured, PAGES / "scaling.md")
        sound = sound and not any(one.more.get(bad) for one in found for bad in BAD)
    if not sound:
        raise typer.Exit(1)


BAD = ("lost", "doubled", "broken", "twice", "cut")
"""Values of an outcome that are to be 0."""

if __name__ == "__main__":
    typer.run(main)
