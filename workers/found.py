"""What was found of an edit's subjects, as the caller is told: one mask, box and score for them together, and
one for each. Sizes are (width, height)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from workers.addit.localizers import Located
from workers.addit.verdicts import Verdict, ranks
from workers.compositing import box_of, hard_mask
from workers.runner import OutputImage


def subject_masks(located: Sequence[Located], size: tuple[int, int]) -> tuple[Image.Image, ...]:
    """Mode L pictures of `size`, 255 where each subject is."""
    return tuple(hard_mask(one.mask.numpy(), size) for one in located)


def united(masks: Sequence[Image.Image]) -> Image.Image:
    """Mode L, 255 where any of at least one mask is."""
    return reduce(ImageChops.lighter, masks)


def attention_on_all(located: Sequence[Located]) -> NDArray[np.float32]:
    """(h, w), 0..1: the most that any subject draws."""
    most: NDArray[np.float32] = np.stack([one.attention.numpy() for one in located]).max(axis=0)
    return most


def whole_score(located: Sequence[Located]) -> float | None:
    """The least of the segmenter's scores; None where it was asked for none."""
    scores = [one.score for one in located if one.score is not None]
    return round(min(scores), 4) if scores else None


def told_of_each(
    subjects: Sequence[str],
    verdicts: Sequence[Verdict],
    located: Sequence[Located],
    masks: Sequence[Image.Image],
) -> list[dict[str, object]]:
    """A `SubjectResult` for each subject."""
    return [
        {
            "subject": subject,
            "found": verdict.added,
            "score": whole_score([one]),
            "box": box_of(mask),
            "reason": verdict.reason,
        }
        for subject, verdict, one, mask in zip(subjects, verdicts, located, masks, strict=True)
    ]


def missing_of(image: OutputImage) -> list[str]:
    """The subjects that an image lacks, as often as it lacks them."""
    each = image.fields["subjects"]
    assert isinstance(each, list)
    return [str(one["subject"]) for one in each if not one["found"]]


def worth(image: OutputImage) -> float:
    """For comparing variations: the confidence of a whole one; below 0, by the subjects that it lacks."""
    missing = len(missing_of(image))
    return -float(missing) if missing else float(str(image.fields["confidence"]))


def ranked(images: tuple[OutputImage, ...]) -> tuple[OutputImage, ...]:
    """The variations, in their order, each with its rank: 1 is the surest, or lacks the fewest subjects."""
    places = ranks([worth(image) for image in images])
    return tuple(
        replace(image, fields={**image.fields, "rank": place})
        for image, place in zip(images, places, strict=True)
    )
