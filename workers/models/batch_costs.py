"""What passes of one and of more rows took on this device, and so which are better made as one.

Measured by `addit bench tune`, kept in a file of the data folder, read by every engine that loads the same
model on the same device. Without a file nothing is shared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from workers.addit.latents import LatentGrid
from workers.addit.models import Models

LEAST_GAIN = 0.02
"""Share of the time that a shared pass must save: two measurements of one thing differ by less."""
ALIKE = 0.1
"""Grids whose tokens differ by this share at most take about as long."""


@dataclass(frozen=True)
class Bench:
    """What was measured, and on what; a file of another one is not read."""

    device: str
    model: str
    torch: str
    threads: int

    @classmethod
    def of(cls, models: Models) -> Bench:
        """This process's, with its loaded model."""
        cuda = models.device.type == "cuda"
        capability = torch.backends.cpu.get_cpu_capability
        device = torch.cuda.get_device_name(models.device) if cuda else capability()
        modules = models.pipe.transformer.modules()
        compiled = any(module._compiled_call_impl is not None for module in modules)
        threads = 0 if cuda else torch.get_num_threads()
        return cls(device, f"{models.identity}{' compiled' if compiled else ''}", torch.__version__, threads)

    def file_in(self, folder: Path) -> Path:
        """Where its costs are kept."""
        digest = hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()
        return folder / f"{digest[:16]}.json"


@dataclass(frozen=True)
class BatchCosts:
    """Seconds of a pass by image tokens and rows."""

    seconds: Mapping[int, Mapping[int, float]]

    def pays(self, grid: LatentGrid, rows: Sequence[int]) -> bool:
        """Whether one pass takes less than passes of so many rows each, one after the other. See `Pays`."""
        measured = self._near(grid.tokens)
        together = estimate(measured, sum(rows))
        apart = [estimate(measured, each) for each in rows]
        if together is None or None in apart:
            return False
        return together <= (1 - LEAST_GAIN) * sum(each for each in apart if each is not None)

    def _near(self, tokens: int) -> Mapping[int, float]:
        alike = [known for known in self.seconds if abs(known - tokens) <= ALIKE * tokens]
        return self.seconds[min(alike, key=lambda known: abs(known - tokens))] if alike else {}

    def keep(self, bench: Bench, folder: Path) -> Path:
        """Write them; the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = bench.file_in(folder)
        half = file.with_suffix(".part")
        half.write_text(json.dumps({**asdict(bench), "seconds": self.seconds}, indent=1))
        return half.replace(file)

    @classmethod
    def kept(cls, bench: Bench, folder: Path) -> BatchCosts:
        """Those of this bench; none where nobody measured, or the file is no such file."""
        try:
            told: Any = json.loads(bench.file_in(folder).read_text())
            by_tokens = {
                int(tokens): {int(rows): float(spent) for rows, spent in by_rows.items()}
                for tokens, by_rows in told["seconds"].items()
            }
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return cls({})
        return cls(by_tokens)


def estimate(measured: Mapping[int, float], rows: int) -> float | None:
    """Seconds of a pass of so many rows, on the line between its measured neighbours; None beyond them."""
    if rows in measured:
        return measured[rows]
    below = max((known for known in measured if known < rows), default=None)
    above = min((known for known in measured if known > rows), default=None)
    if below is None or above is None:
        return None
    share = (rows - below) / (above - below)
    return (1 - share) * measured[below] + share * measured[above]
