"""Add-it itself: a preset, or one with some settings changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from evaluation.methods.method import Edited, Workbench
from evaluation.suites.items import Item
from toyland.score.insertions import to_made
from workers.addit.config import AdditConfig
from workers.addit.edits import Edit, PictureSource, PromptSource
from workers.addit.localizers import Picture
from workers.addit.pipeline import insert
from workers.addit.results import Insertion
from workers.compositing import composite, soft_mask

FEATHER = 1 / 4
"""Of a token's side: how far a strict background fades into the subject, as the service does it."""


@dataclass(frozen=True)
class Addit:
    """generated: settings for sources that the model draws; real: for pictures"""

    generated: AdditConfig
    real: AdditConfig

    def prepare(self, bench: Workbench) -> None:
        """See `Method`."""
        assert bench.models

    def seeded(self, item: Item) -> bool:
        """See `Method`."""
        return True

    def edit(self, bench: Workbench, item: Item, source: Picture, seed: int) -> Edited:
        """See `Method`."""
        done = insert(bench.models, self.to_edit(item, source, seed), memories=bench.memories)
        mask = to_made(done).mask
        picture = self._strictly(bench, done, source, item)
        return Edited(picture, mask, done.forwards.total, reused=done.source_known)

    def to_edit(self, item: Item, source: Picture, seed: int) -> Edit:
        """The item in the method's terms; a source that was drawn is drawn again by the same passes.

        A picture's own noise is the item's, as one job's seeds have it in the service: known for all of them.
        """
        height, width = source.shape[:2]
        given = (
            PromptSource(item.source_prompt, seed, height, width)
            if item.image is None
            else PictureSource(source, item.source_prompt, item.seed)
        )
        config = self.generated if item.image is None else self.real
        return Edit(given, item.prompt, (item.subject,), (seed,), config)

    def _strictly(self, bench: Workbench, done: Insertion, source: Picture, item: Item) -> Picture:
        """With the source's own pixels outside the subject, where the settings say so."""
        config = self.generated if item.image is None else self.real
        if not config.strict_background or done.cells is None:
            return done.pictures[0]
        size = (source.shape[1], source.shape[0])
        cells = done.cells[0].float().cpu().numpy()
        mask = soft_mask(cells, size, bench.models.size_multiple * FEATHER)
        return np.asarray(composite(Image.fromarray(source), Image.fromarray(done.pictures[0]), mask))
