"""What an edit gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from workers.addit.blending import Blend
from workers.addit.denoise import Denoised
from workers.addit.edits import Edit
from workers.addit.forward import Branches, ForwardCount
from workers.addit.localizers import Located, Picture
from workers.addit.stage_clock import StageClock
from workers.addit.verdicts import Verdict
from workers.addit.weights import Weight


@dataclass(frozen=True)
class Insertion:
    """What came out.

    seeds: those that were finished, in their order; all that is said per seed is said of these
    dropped: seeds that a blend left out, with why it did
    unwanted: seeds that nobody wanted to the end
    pictures: (H, W, 3) per seed; latents: (B, L, C), their clean tokens
    source: the source through the autoencoder, what the unchanged parts look like
    located: where the subjects are, per seed one of each; None without a blend
    cells: (B, h, w), 1 where the target's latents were kept
    source_error: how badly the model predicts this source (see `Denoised`); None for all but noised pictures
    gammas: the weight on the target's keys per seed where it is a number, else None
    blends: what `insert` needs to blend again with another mask
    source_known: whether the source was remembered from an earlier edit
    source_bytes: of its keys and values, remembered now
    resumed: whether it went on from a blend in place of starting anew
    """

    seeds: tuple[int, ...]
    dropped: Mapping[int, Verdict]
    pictures: tuple[Picture, ...]
    latents: Tensor
    source: Picture
    located: tuple[tuple[Located, ...], ...] | None
    cells: Tensor | None
    forwards: ForwardCount
    seconds: dict[str, float]
    source_error: float | None
    gammas: tuple[float, ...] | None
    blends: tuple[Blend, ...]
    source_known: bool
    source_bytes: int
    resumed: bool = False
    unwanted: tuple[int, ...] = ()


def gather(
    edit: Edit,
    done: Denoised,
    pictures: tuple[Picture, ...],
    source: Picture,
    branches: Branches,
    clock: StageClock,
    known: bool,
    source_bytes: int,
) -> Insertion:
    """Of an edit that is done."""
    last, grid = done.blends[-1] if done.blends else None, branches.grid
    return Insertion(
        seeds=tuple(edit.seeds[row] for row in done.rows),
        dropped={edit.seeds[row]: verdict for row, verdict in done.dropped.items()},
        pictures=pictures,
        latents=done.latents,
        source=source,
        located=last.located if last else None,
        cells=last.keep.reshape(-1, grid.height, grid.width) if last else None,
        forwards=branches.count,
        seconds=clock.seconds,
        source_error=done.source_error,
        gammas=_gammas(done.scale, len(pictures)),
        blends=done.blends,
        source_known=known,
        source_bytes=source_bytes,
        unwanted=tuple(
            seed for row, seed in enumerate(edit.seeds) if row not in done.rows and row not in done.dropped
        ),
    )


def _gammas(scale: Weight | Tensor, rows: int) -> tuple[float, ...] | None:
    if isinstance(scale, Tensor):
        return tuple(scale.flatten().tolist())
    return None if isinstance(scale, tuple) else (scale,) * rows
