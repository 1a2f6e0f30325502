"""`python -m bench [part …] [--json FILE]`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import cost, fairness, golden, insertion, memory, overhead
from bench.figures import Figures, describe_machine, to_table

PARTS: dict[str, Callable[[], Figures]] = {
    "cost": cost.measure,
    "fairness": fairness.measure,
    "golden": golden.measure,
    "insertion": insertion.measure,
    "overhead": overhead.measure,
    "memory": memory.measure,
}


def main(
    parts: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(PARTS)}; all if none.")] = None,
    file: Annotated[Path, typer.Option("--json", help="Where the values go.")] = Path(
        "bench-results/bench.json"
    ),
) -> None:
    """Measure, print tables, write values."""
    unknown = set(parts or ()) - set(PARTS)
    if unknown:
        raise typer.BadParameter(f"no part {', '.join(sorted(unknown))}")
    console, machine = Console(), describe_machine()
    console.print(", ".join(f"{name} {value}" for name, value in machine.items() if value))
    results: dict[str, object] = {"machine": machine}
    for part in parts or PARTS:
        figures = PARTS[part]()
        console.print(to_table(figures))
        results[part] = figures.values
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1))
    console.print(f"{file}")


if __name__ == "__main__":
    typer.run(main)
