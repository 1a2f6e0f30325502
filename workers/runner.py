"""What an engine runs: the seam between the process that serves jobs and the model that does them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeAlias

from PIL import Image

from api_schemas.insertions import InsertionRequest
from api_schemas.jobs import Cost, DroppedSeed, Inferred, ResultWarning, Stage, Timings
from api_schemas.models import ModelCard
from job_store.footprint import DeviceMemory
from job_store.memory_use import MemoryUse

if TYPE_CHECKING:  # the supervisor knows runners and loads no numpy
    import numpy as np
    from numpy.typing import NDArray

OnStep = Callable[[Stage, int, int, float], None]
"""Called with (stage, steps done, steps of the stage, percent of the job) after every step; may raise to
stop it."""

Masks = Mapping[str, Image.Image]
"""By the field of the request that they belong to, `region` or `avoid`: of any size, white where it is."""
NO_MASKS: Masks = MappingProxyType({})
Latents: TypeAlias = "NDArray[np.float16]"
"""(L, C) clean tokens of a picture, as the model made them."""


@dataclass(frozen=True)
class PreviewImage:
    """A variation as it forms, small. See `api_schemas.events.Preview`."""

    number: int
    index: int
    seed: int
    step: int
    image: Image.Image


@dataclass(frozen=True)
class Place:
    """Where a run stands among others.

    job_id: what its blend state is kept under; empty: it is not kept
    replays: the run whose mask alone is to be another; empty: none
    mask: for it, of any size, white where the subject is to be kept; None: as the localizer finds it
    in_scene: whether other edits may build upon it, so that its latents are given back
    continues: whether its source was made by an earlier edit, as `latents` where they are known
    """

    job_id: str = ""
    replays: str = ""
    mask: Image.Image | None = None
    in_scene: bool = False
    continues: bool = False
    latents: Latents | None = None


ALONE = Place()
DroppedSeeds = Callable[[], Collection[int]]
"""Gives the seeds that the caller has dropped by now."""


def none_dropped() -> Collection[int]:
    """Nobody drops any."""
    return ()


OnPreview = Callable[[PreviewImage], None]
"""Called with each preview that the request asks for."""


def no_preview(preview: PreviewImage) -> None:
    """Nobody looks."""


@dataclass(frozen=True)
class OutputImage:
    """One variation, at the source's original size.

    mask: mode L, 255 where the subject is; attention: mode L; cutout: RGBA; overlay: RGB; latents: of a
    scene's step. `fields` are those of `ResultImage` that are not links: seed, subject_found, reason, score,
    box, extended_scale, background_psnr.
    """

    image: Image.Image
    fields: Mapping[str, object]
    mask: Image.Image | None = None
    attention: Image.Image | None = None
    cutout: Image.Image | None = None
    overlay: Image.Image | None = None
    latents: Latents | None = None


@dataclass(frozen=True)
class RunOutput:
    """What one request gave.

    inferred: its texts, where some followed from the picture alone; dropped: seeds that were not finished
    """

    images: tuple[OutputImage, ...]
    timings: Timings
    cost: Cost
    source: Image.Image | None = None
    warnings: tuple[ResultWarning, ...] = field(default=())
    inferred: Inferred | None = None
    dropped: tuple[DroppedSeed, ...] = ()


Work: TypeAlias = "Callable[[Runner], None]"
"""What is to be done with a runner. It raises nothing."""


class Sharing(Protocol):
    """How several requests share passes of the model. The work is done in turns, each with a runner that
    serves it alone."""

    def rows_beside(self, request: InsertionRequest, source: Image.Image | None) -> int:
        """Seeds that another request may have, with a source of the same size, in exact mode and without
        LoRAs, for both to be better done at once; 0: none may."""

    def run(self, first: Work, joining: Callable[[], Sequence[Work]]) -> None:
        """Do `first`, and whatever `joining` gives, until all is done. It is asked again and again."""


class Runner(Protocol):
    """A loaded model, ready to serve one request after the other.

    sharing: None where every request has the model for itself
    """

    @property
    def card(self) -> ModelCard:
        """What it serves."""

    @property
    def sharing(self) -> Sharing | None:
        """See above."""

    def run(
        self,
        request: InsertionRequest,
        source: Image.Image | None,
        on_step: OnStep,
        owner: str = "",
        source_id: str = "",
        *,
        on_preview: OnPreview = no_preview,
        place: Place = ALONE,
        masks: Masks = NO_MASKS,
        dropped: DroppedSeeds = none_dropped,
    ) -> RunOutput:
        """Insert. `source` is the picture of an image source (RGB), None for a generated one.

        owner: the tenant; what is remembered of its source serves nobody else
        source_id: what is kept of the source from this run on is forgotten by it
        on_preview: is given the previews that the request asks for
        masks: of the areas that are given by one
        dropped: asked before every step; the output tells of those seeds among its own `dropped`

        Raises `RunError` for anything the caller can be told, `NothingLeft` once every seed is dropped; what
        `on_step` raises passes through.
        """

    def canary(self) -> None:
        """Prove that the model still works; raise if not."""

    def forget(self, source_ids: Collection[str] | None) -> None:
        """Drop whatever was kept of runs with these sources, None for all runs. Never called during one."""

    def memory(self) -> MemoryUse:
        """How much is remembered of sources, and how often it served."""

    def device_memory(self) -> DeviceMemory | None:
        """How full the accelerator is, None without one."""


class NothingLeft(Exception):
    """The caller dropped every seed that was to be finished."""


class RunError(Exception):
    """A run that failed for a reason with a code of `JobErrorCode`. `fatal`: the process must be replaced."""

    def __init__(
        self, code: str, message: str, *, fatal: bool = False, data: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.fatal, self.data = code, fatal, dict(data or {})
