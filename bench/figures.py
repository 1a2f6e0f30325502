"""What a benchmark gives: a table people read and values programs read, with the machine they belong to."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figures:
    """title: what was measured, with its unit; columns and rows: the table; values: the same for programs."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    values: Mapping[str, object]


def to_table(figures: Figures) -> Table:
    """For people."""
    table = Table(title=figures.title, title_justify="left")
    for column in figures.columns:
        table.add_column(column)
    for row in figures.rows:
        table.add_row(*row)
    return table


def publish(name: str, figures: Figures, file: Path) -> None:
    """Print the table; write the values, by name, beside the machine they belong to."""
    console = Console()
    console.print(to_table(figures))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"machine": describe_machine(), name: figures.values}, indent=1))
    console.print(f"{file}")


def describe_machine() -> dict[str, object]:
    """Processor, cores, memory and the versions that decide speed."""
    processor = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = next(
        (int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0
    )
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**20, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        **{
            name: importlib.metadata.version(name)
            for name in ("torch", "diffusers", "transformers", "rq", "redis")
        },
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of the sorted values lie; nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _lines(file: str) -> list[str]:
    path = Path(file)
    return path.read_text().splitlines() if path.exists() else []
