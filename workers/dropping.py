"""Seeds that their caller drops while they are worked on: until when they can go, what is told of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from api_schemas.jobs import DroppedSeed
from workers.addit.targets import Unwanted
from workers.runner import DroppedSeeds, NothingLeft, OutputImage, RunOutput

BY_CALLER = "dropped by the caller"


def told(seed: int) -> DroppedSeed:
    """Nobody had looked yet what it promised, or nobody wants to know any more."""
    return DroppedSeed(seed=seed, score=None, reason=BY_CALLER)


def until(step: int | None, dropped: DroppedSeeds) -> Unwanted:
    """From this step on, if there is one, rows stay in their batch: a block cache holds what all of them
    made."""
    return lambda coming: dropped() if step is None or coming < step else ()


def left(output: RunOutput, dropped: Collection[int]) -> RunOutput:
    """The output without variations that were dropped after their last step. Raises `NothingLeft`."""
    kept = tuple(image for image in output.images if begun_with(image) not in dropped)
    if not kept:
        raise NothingLeft
    gone = [told(seed) for image in output.images if (seed := begun_with(image)) in dropped]
    return replace(output, images=kept, dropped=(*output.dropped, *gone))


def begun_with(image: OutputImage) -> int:
    """The seed of the request that a variation stands for, whichever its tries ended with."""
    tries = image.fields.get("tries")
    assert tries is None or isinstance(tries, list)
    return int(str(tries[0]["seed"] if tries else image.fields["seed"]))
