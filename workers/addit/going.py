"""The rows of a batch that go on from step to step, and all that is told or kept by row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from workers.addit.blending import Blend, Blended
from workers.addit.gamma import Gamma
from workers.addit.targets import Targets
from workers.addit.verdicts import Verdict
from workers.addit.weights import Weight


@dataclass(frozen=True)
class Going:
    """The rows that go on.

    rows: which rows they are of the batch as it began, ascending
    latents: (B, L, C); scale: the weight on the target's keys; blends: those done, in order
    gamma: what the search for even spread found, where it was asked for
    dropped: rows of the batch as it began that a blend left out
    """

    targets: Targets
    rows: tuple[int, ...]
    latents: Tensor
    scale: Weight | Tensor
    blends: tuple[Blend, ...] = ()
    gamma: Gamma | None = None
    dropped: Mapping[int, Verdict] = field(default_factory=dict)

    def without(self, unwanted: Collection[int]) -> Going:
        """All but these rows of the batch as it began."""
        kept = [place for place, row in enumerate(self.rows) if row not in unwanted]
        if len(kept) == len(self.rows):
            return self
        scale = self.scale[kept] if isinstance(self.scale, Tensor) else self.scale
        going = replace(self, targets=self.targets.of(kept), latents=self.latents[kept], scale=scale)
        return going._of(kept)

    def after(self, blended: Blended) -> Going:
        """As it goes on after a blend, with the rows that were chosen there."""
        choice = blended.choice
        dropped = {self.rows[place]: verdict for place, verdict in choice.dropped.items()}
        going = self._of(choice.kept) if dropped else self
        return replace(
            going,
            targets=blended.targets,
            latents=blended.latents,
            scale=blended.blend.scale,
            blends=(*going.blends, blended.blend),
            dropped={**self.dropped, **dropped},
        )

    def _of(self, places: Sequence[int]) -> Going:
        """What was noted of some rows alone, by their places among those that went on so far."""
        return replace(
            self,
            rows=tuple(self.rows[place] for place in places),
            blends=tuple(blend.of(places) for blend in self.blends),
            gamma=self.gamma and self.gamma.of(places),
        )
