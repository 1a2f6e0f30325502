"""`python -m bench.check [--renew]`: counts beside their limits in limits.json; never times.

What FLUX would compute is counted on the meta device with three blocks of its own width (bench.cost counts
all 57, for minutes): schedules and extension are the same, only a block's share of a forward is not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import structlog
import typer
from diffusers import FluxTransformer2DModel
from rich.console import Console

from bench.cost import META, first_and_next, without_weights
from bench.engine_counts import measure_engine
from bench.figures import Figures, to_table
from bench.store_traffic import measure_traffic

LIMITS = Path(__file__).with_name("limits.json")
ROOM = 0.9
"""Below this share of its limit, a quantity's limit can be lowered."""
SLACK = {"bytes": 1.05}
"""Of a new limit: ids, times and how events gather in reads change a few bytes."""
UNSTEADY = frozenset({"stream.queries", "life.queries"})
"""One read more or less, as the reader of streams happens to begin."""

Verdict = Literal["ok", "over", "lower it", "no limit", "not seen"]


def seen() -> dict[str, float]:
    """All counted quantities by name, the unit last. Half a minute on an idle core at most."""
    return {**_flux(), **_engine(), **_store()}


def _flux() -> dict[str, float]:
    with META:
        transformer = FluxTransformer2DModel(num_layers=1, num_single_layers=2, guidance_embeds=True)
    values = first_and_next(without_weights(transformer.bfloat16().eval()))
    return {f"flux.{name}.u": round(value, 4) for name, value in values.items()}


def _engine() -> dict[str, float]:
    return {f"embedded.{name}": round(value, 4) for name, value in measure_engine().items()}


def _store() -> dict[str, float]:
    quantities: dict[str, float] = {}
    for kind, traffic in measure_traffic().items():
        told = {"operations": traffic.operations, "queries": traffic.queries, "bytes": traffic.nbytes}
        quantities |= {
            f"store.{kind}.{name}": n for name, n in told.items() if f"{kind}.{name}" not in UNSTEADY
        }
    return quantities


def verdict(limit: float | None, value: float | None) -> Verdict:
    """What a limit says of what was seen; None where there is none."""
    if limit is None:
        return "no limit"
    if value is None:
        return "not seen"
    if value > limit:
        return "over"
    return "lower it" if value < ROOM * limit else "ok"


def verdicts(limits: Mapping[str, float], values: Mapping[str, float]) -> dict[str, Verdict]:
    """Of every quantity that has a limit or was seen."""
    return {name: verdict(limits.get(name), values.get(name)) for name in sorted({*limits, *values})}


def fails(judged: Mapping[str, Verdict]) -> list[str]:
    """Those that must not be: over the limit, without one, or with one but no longer counted."""
    return [name for name, word in judged.items() if word in ("over", "no limit", "not seen")]


def renewed(values: Mapping[str, float]) -> dict[str, float]:
    """The limits that these values just keep."""
    return {name: _limit(name, value) for name, value in sorted(values.items())}


def _limit(name: str, value: float) -> float:
    slack = SLACK.get(name.rpartition(".")[2], 1.0)
    return math.ceil(value * slack) if slack > 1 else value


def read_limits(file: Path = LIMITS) -> dict[str, float]:
    """The committed ones."""
    found: dict[str, float] = json.loads(file.read_text())
    return found


def to_figures(limits: Mapping[str, float], values: Mapping[str, float]) -> Figures:
    """A row each: name, limit, seen, and what that means."""
    judged = verdicts(limits, values)
    rows = [[name, _shown(limits.get(name)), _shown(values.get(name)), judged[name]] for name in judged]
    return Figures("Counted", ["quantity", "limit", "seen", ""], rows, dict(values))


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if value < 1e4 else f"{value:.0f}"


def main(renew: Annotated[bool, typer.Option(help="Write what is seen as the new limits.")] = False) -> None:
    """Count, and compare with the limits; exit code 1 if one is broken."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(40), cache_logger_on_first_use=False
    )
    values = seen()
    if renew:
        LIMITS.write_text(json.dumps(renewed(values), indent=1) + "\n")
    limits = read_limits()
    Console(width=100).print(to_table(to_figures(limits, values)))
    broken = fails(verdicts(limits, values))
    for name in broken:
        typer.echo(f"{name}: limit {_shown(limits.get(name))}, seen {_shown(values.get(name))}", err=True)
    raise typer.Exit(1 if broken else 0)


if __name__ == "__main__":
    typer.run(main)
