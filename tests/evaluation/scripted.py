"""A method and judges that do what a test says, for all that is not about pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.methods.method import Edited, Workbench
from evaluation.metrics.judges import Judges
from evaluation.suites.items import Item
from workers.addit.boxes import Detection
from workers.addit.errors import UnsupportedOption
from workers.addit.localizers import Picture

CALLS: list[tuple[str, int]] = []
"""(item, seed) of every picture made."""
BOX = (8.0, 8.0, 24.0, 24.0)


@dataclass(frozen=True)
class Painter:
    """Paints a red square with a share of the seeds, and fails with others.

    every: of so many seeds one is painted on; fails: for this item; shares: says that it used what is known
    """

    every: int = 1
    fails: str = ""
    chance: bool = True
    shares: bool = False

    def prepare(self, bench: Workbench) -> None:
        """See `Method`."""

    def seeded(self, item: Item) -> bool:
        """See `Method`."""
        return self.chance

    def edit(self, bench: Workbench, item: Item, source: Picture, seed: int) -> Edited:
        """See `Method`."""
        CALLS.append((item.name, seed))
        if item.name == self.fails:
            raise UnsupportedOption("not this one")
        painted = source.copy()
        if seed % self.every == 0:
            painted[8:24, 8:24] = (255, 0, 0)
        return Edited(painted, None, 2.0, self.shares)


def judges() -> Judges:
    """They see red squares."""

    def detect(picture: Picture, text: str) -> list[Detection]:
        return [Detection(BOX, 1.0)] if np.array_equal(picture[10, 10], (255, 0, 0)) else []

    return Judges("red", None, detect)
