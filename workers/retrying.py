"""Trying again where subjects were not added: the ladder's rungs one after the other, every try on record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

from api_schemas.jobs import Timings
from workers.addit.edits import Edit
from workers.found import missing_of
from workers.ladder import Try, rungs
from workers.runner import DroppedSeeds, OutputImage, RunOutput, none_dropped

Attempt = Callable[[Edit, DroppedSeeds], RunOutput]
"""Tries an edit; without images once it is dropped."""


def with_retries(
    first: RunOutput, edit: Edit, attempt: Attempt, dropped: DroppedSeeds = none_dropped
) -> RunOutput:
    """The output with each variation that was not added replaced by the first try that was.

    Where none was, the first of those that lack the fewest subjects is taken. Cost and timings are those of
    all tries. A variation whose seed is dropped is left as it is.
    """
    output = first
    for row, image in enumerate(first.images):
        begun = Try(int(str(image.fields["seed"])), edit.config)
        tries = [_told(begun, image)]
        for rung in rungs(begun) if not image.fields["subject_found"] else ():
            again = attempt(
                replace(edit, seeds=(rung.seed,), config=rung.config),
                partial(_standing_for, begun.seed, rung.seed, dropped),
            )
            output = _charged(output, again)
            if not again.images:
                break
            tries.append(_told(rung, again.images[0]))
            image = min(image, again.images[0], key=lambda one: len(missing_of(one)))
            if image.fields["subject_found"]:
                break
        output = _placed(output, row, replace(image, fields={**image.fields, "tries": tries}))
    return output


def _standing_for(seed: int, tried: int, dropped: DroppedSeeds) -> Collection[int]:
    """The seed that is tried, once the one of the request is dropped."""
    return (tried,) if seed in dropped() else ()


def _told(one: Try, image: OutputImage) -> dict[str, object]:
    return {
        "seed": one.seed,
        "extended_scale": image.fields["extended_scale"],
        "structure_transfer_step": one.config.structure_transfer_step,
        "added": image.fields["subject_found"],
        "missing": missing_of(image),
    }


def _placed(output: RunOutput, row: int, image: OutputImage) -> RunOutput:
    images = (*output.images[:row], image, *output.images[row + 1 :])
    return replace(output, images=images)


def _charged(output: RunOutput, again: RunOutput) -> RunOutput:
    """The output with the cost of another try on it."""
    cost, more = output.cost, again.cost
    seconds = Counter(output.timings.model_dump())
    seconds.update(again.timings.model_dump())
    update = {
        "forwards": round(cost.forwards + more.forwards, 3),
        "gpu_seconds": round(cost.gpu_seconds + more.gpu_seconds, 4),
        "source_memory_bytes": more.source_memory_bytes,
    }
    timings = Timings(**{stage: round(spent, 4) for stage, spent in seconds.items()})
    return replace(output, cost=cost.model_copy(update=update), timings=timings)
