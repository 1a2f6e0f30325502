"""How requests share passes of a resident model. See `workers.runner.Sharing`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING

from PIL import Image

from api_schemas.insertions import InsertionRequest
from workers.addit.backbones.backbone import Backbone
from workers.addit.errors import AdditError
from workers.addit.together import run_together
from workers.runner import Work

if TYPE_CHECKING:
    from workers.insertion import AdditRunner

MOST_ROWS = 8
"""Of a batch that `addit bench tune` measures."""


@dataclass(frozen=True)
class PassSharing:
    """Of a runner whose device was measured."""

    runner: AdditRunner

    def rows_beside(self, request: InsertionRequest, source: Image.Image | None) -> int:
        """As many as pay, and all fewer."""
        if request.mode != "exact" or request.loras:
            return 0
        try:
            grid = self.runner.grid_of(request, source)
        except AdditError:  # the run will say so
            return 0
        own, pays = max(1, len(request.seeds)), self.runner.models.pays
        return len([*takewhile(lambda rows: pays(grid, (own, rows)), range(1, MOST_ROWS))])

    def run(self, first: Work, joining: Callable[[], Sequence[Work]]) -> None:
        """In turns, each with a runner whose backbone asks for its passes."""
        models = self.runner.models

        def job(work: Work) -> Callable[[Backbone], None]:
            return lambda backbone: work(replace(self.runner, models=replace(models, backbone=backbone)))

        done = run_together(
            models.backbone, [job(first)], models.pays, lambda: [job(work) for work in joining()]
        )
        for error in done:
            if error is not None:  # work raises nothing but what ends the process
                raise error
