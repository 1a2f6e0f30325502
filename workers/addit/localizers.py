"""Finding the subject's mask in a target: from its attention alone, or with models that look at its x0."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.addit.boxes import Box, Detection
from workers.addit.errors import UnsupportedOption
from workers.addit.instances import (
    Instances,
    is_instance,
    may_show,
    new_detections,
    without_instances,
)
from workers.addit.latents import LatentGrid
from workers.addit.masks import (
    blur,
    bounding_box,
    connected,
    fill_box,
    find_peaks,
    heaviest_part,
    normalise,
    resize,
    rough_mask,
    soften,
    to_latent_grid,
)
from workers.addit.placing import Prior

Picture = NDArray[np.uint8]
"""(H, W, 3), RGB."""
FAINT = 0.1
"""A text segmenter's highest probability below which the subject is nowhere: Otsu would split noise."""

TAKEN = 0.6
"""Share of the part of a map that is one thing, from which on a segmenter's mask of it is believed."""


@dataclass(frozen=True)
class Segmentation:
    """mask: (H, W) boolean, of the picture's size. score: the segmenter's own estimate of its quality,
    0..1."""

    mask: Tensor
    score: float


@dataclass(frozen=True)
class SegmenterPrompt:
    """What to segment, in pixels of the picture; at least one of the three is given.

    points: (x, y) on the subject; box: left, top, right, bottom; mask: (h, w) in 0..1, of any size
    """

    points: tuple[tuple[float, float], ...] = ()
    box: Box | None = None
    mask: Tensor | None = None


class Segmenter(Protocol):
    """SAM-2 or one like it."""

    def __call__(self, picture: Picture, prompt: SegmenterPrompt) -> Segmentation:
        """The mask of what the prompt points at."""


class Detector(Protocol):
    """Grounding DINO or one like it."""

    def __call__(self, picture: Picture, text: str) -> Sequence[Detection]:
        """What the text names in the picture, the surest first."""


class TextSegmenter(Protocol):
    """CLIPSeg or one like it."""

    def __call__(self, picture: Picture, text: str) -> Tensor:
        """Probability 0..1 that a place shows what the text names: (h, w) over the whole picture, of any
        size."""


@dataclass(frozen=True)
class Search:
    """What is looked for, and with whose help.

    subject: in words, for those who read them
    already: the things of its kind that are not it: in the source, or other subjects of the edit
    among_equals: whether the edit has other subjects of its kind, which draw the same words' attention
    prior: where it shall be, None where it may be anywhere
    """

    subject: str = ""
    segmenter: Segmenter | None = None
    detector: Detector | None = None
    text_segmenter: TextSegmenter | None = None
    already: Instances = Instances()
    among_equals: bool = False
    prior: Prior | None = None


@dataclass(frozen=True)
class Located:
    """Where the subject is.

    attention: (h, w), normalised; rough: (h, w), Otsu's mask of the map that was read, or the box that was
    found
    mask: boolean, at the latent grid or at pixels; prompt: what the segmenter was asked, if one was
    score: the segmenter's, if one was asked; missing: why nothing was found, None if something was
    bounds: boolean (h, w), the only cells that may be kept; None: all may
    """

    attention: Tensor
    rough: Tensor
    mask: Tensor
    score: float | None = None
    missing: str | None = None
    prompt: SegmenterPrompt | None = None
    bounds: Tensor | None = None

    @classmethod
    def given(cls, attention: Tensor, mask: Tensor) -> Located:
        """The mask that was asked for, beside the attention (h, w) that is not asked."""
        missing = None if bool(mask.any()) else "the given mask is empty"
        return cls(attention, mask, mask, missing=missing)

    def cells(self, grid: LatentGrid) -> Tensor:
        """Boolean (h, w) on the latent grid."""
        cells = to_latent_grid(self.mask, grid.height, grid.width)
        return cells if self.bounds is None else cells & self.bounds

    def weights(self, grid: LatentGrid, softness: float) -> Tensor:
        """0..1 (h, w) on the latent grid: 1 at `cells`, fading out over `softness` cells around them."""
        weights = soften(self.cells(grid), softness)
        return weights if self.bounds is None else weights * self.bounds


def supported(search: Search) -> tuple[str, ...]:
    """The localizers that can be followed with this help."""
    return tuple(
        name
        for name, helpers in LOCALIZERS.items()
        if all(getattr(search, helper) is not None for helper in helpers)
    )


def check_supported(localizer: str, search: Search) -> None:
    """Raise `UnsupportedOption`, which names the others, for a localizer this model has no helper for."""
    known = supported(search)
    if localizer not in known:
        raise UnsupportedOption(f"this model has no {localizer!r} localizer; it has {', '.join(known)}")


def find_instances(picture: Picture, search: Search) -> Instances:
    """What of the subject's kind the source's picture shows; nothing without a detector.

    Masks are the segmenter's, or the boxes filled where there is none.
    """
    found = search.detector(picture, search.subject) if search.detector else ()
    boxes = tuple(one.box for one in found)
    return Instances(boxes, tuple(_instance_mask(picture, box, search.segmenter) for box in boxes))


def _instance_mask(picture: Picture, box: Box, segmenter: Segmenter | None) -> Tensor:
    if segmenter is None:
        return fill_box(box, *picture.shape[:2])
    return segmenter(picture, SegmenterPrompt(box=box)).mask


def given_to_each(mask: Tensor, maps: Tensor, subjects: int) -> list[tuple[Located, ...]]:
    """The mask that was asked for as that of all subjects, beside their attention (B, n or 1, h, w)."""
    rows = _prepared(maps).expand(-1, subjects, -1, -1)
    return [tuple(Located.given(attention, mask) for attention in row) for row in rows]


def locate(
    localizer: str, maps: Tensor, picture_of: Callable[[int], Picture], searches: Sequence[Search]
) -> list[tuple[Located, ...]]:
    """For each row of the attention maps (B, n, h, w) where its n subjects are, found one by one.

    picture_of: the decoded x0 of a row, asked for once, and only where the localizer looks at it
    Raises `UnsupportedOption`, see `check_supported`.
    """
    for search in searches:
        check_supported(localizer, search)
    maps = _prepared(maps.cpu())
    return [
        _locate_each(localizer, row, cache(partial(picture_of, i)), searches) for i, row in enumerate(maps)
    ]


def _prepared(maps: Tensor) -> Tensor:
    """(B, n, h, w): each map smoothed and spanning 0 to 1."""
    return normalise(blur(maps.float().flatten(0, 1))).reshape(maps.shape)


def _locate_each(
    localizer: str, attention: Tensor, picture: Callable[[], Picture], searches: Sequence[Search]
) -> tuple[Located, ...]:
    """The subjects of one row (n, h, w), none of them where one of its kind was found before it."""
    find = _in_boxes if localizer in BOXED else _in_map
    found = list[Located]()
    for index, search in enumerate(searches):
        others = [at for at, other in enumerate(searches) if at != index and _alike(other, search)]
        mine = replace(search, among_equals=bool(others))
        for at in others:
            if at < index and not found[at].missing:
                asked = found[at].prompt
                box = None if asked is None else asked.box
                mine = replace(mine, already=mine.already.and_one(found[at].mask, box))
        one = find(localizer, attention[index], picture, mine)
        found.append(one if mine.prior is None else _placed(one, mine.prior, mine))
    return tuple(found)


def _alike(one: Search, other: Search) -> bool:
    """Whether two subjects are of one kind, in whichever order they are named."""
    return may_show(one.subject, other.subject) or may_show(other.subject, one.subject)


def _placed(located: Located, prior: Prior, search: Search) -> Located:
    """What was found, within its bounds; nowhere where most of it is not where it was asked for."""
    if located.missing is None and not prior.holds(located.mask):
        return replace(located, mask=torch.zeros_like(located.mask), missing=only_elsewhere(search))
    return replace(located, mask=prior.cut(located.mask), bounds=prior.bounds)


def _in_boxes(localizer: str, attention: Tensor, picture: Callable[[], Picture], search: Search) -> Located:
    """The surest of the detector's boxes that is not of the source, through the segmenter."""
    assert search.detector is not None
    shown = picture()
    found = search.detector(shown, search.subject)
    if not found:
        return _nowhere(attention, f"the detector sees no {search.subject}")
    added = new_detections(found, search.already)
    if not added:
        return _nowhere(attention, only_already(search))
    height, width = shown.shape[:2]
    if search.prior is not None:
        added = [one for one in added if search.prior.holds(fill_box(one.box, height, width))]
    if not added:
        return _nowhere(attention, only_elsewhere(search))
    rough = to_latent_grid(fill_box(added[0].box, height, width), *attention.shape)
    return _segmented(attention, rough, shown, SegmenterPrompt(box=added[0].box), search)


def _in_map(localizer: str, attention: Tensor, picture: Callable[[], Picture], search: Search) -> Located:
    """Otsu's mask of the attention or of the text segmenter's map, by itself or as the segmenter's prompt."""
    by_words = localizer in WORDS_MAPS
    seen = _words_map(picture(), search) if by_words else attention
    if not bool(seen.any()):
        blind = "the text segmenter saw the subject" if by_words else "the subject's words drew attention"
        return _nowhere(attention, f"{blind} nowhere")
    seen = without_instances(seen, search.already)
    if not bool(seen.any()):
        return _nowhere(attention, only_already(search))
    seen = seen if search.prior is None else search.prior.weighed(seen)
    if not bool(seen.any()):
        return _nowhere(attention, only_elsewhere(search))
    rough = rough_mask(seen)
    if localizer in SINGLED:
        rough = heaviest_part(rough, seen)
    elif search.among_equals:  # points on both dogs would give one mask of both
        rough = connected(rough, seen == seen.max())
    if localizer in SINGLED or search.among_equals:
        seen = seen.masked_fill(~rough, 0.0)
    to_prompt = SAM_PROMPTS.get(localizer)
    if to_prompt is None:
        return Located(attention, rough, rough)
    shown = picture()
    found = _segmented(attention, rough, shown, to_prompt(seen, rough, shown), search)
    return _completed(found) if localizer in SINGLED else found


def _completed(found: Located) -> Located:
    """With the whole part of the map, where the segmenter took less than `TAKEN` of it: a guess halfway is
    blurred, and what is left out here is lost."""
    taken = to_latent_grid(found.mask, *found.rough.shape) & found.rough
    if found.missing or float(taken.sum()) >= TAKEN * float(found.rough.sum()):
        return found
    return replace(found, mask=found.mask | (resize(found.rough, *found.mask.shape) > 0.5))


def _words_map(picture: Picture, search: Search) -> Tensor:
    """(h, w), normalised; all zeros where the subject is nowhere more likely than `FAINT`."""
    assert search.text_segmenter is not None
    probabilities = search.text_segmenter(picture, search.subject).float().cpu()
    if float(probabilities.max()) < FAINT:
        return torch.zeros_like(probabilities)
    return normalise(probabilities[None])[0]


def _segmented(
    attention: Tensor, rough: Tensor, picture: Picture, prompt: SegmenterPrompt, search: Search
) -> Located:
    assert search.segmenter is not None
    found = search.segmenter(picture, prompt)
    missing = None
    if not bool(found.mask.any()):
        missing = "the segmenter found nothing where the subject was looked for"
    elif is_instance(found.mask, search.already):
        missing = only_already(search)
    mask = torch.zeros_like(found.mask) if missing else found.mask
    return Located(attention, rough, mask, found.score, missing, prompt)


def _nowhere(attention: Tensor, missing: str) -> Located:
    empty = torch.zeros_like(attention, dtype=torch.bool)
    return Located(attention, empty, empty, missing=missing)


def only_already(search: Search) -> str:
    """Said where nothing but things of the kind that are not meant was found."""
    return f"nothing but the {search.subject} that is there already was found"


def only_elsewhere(search: Search) -> str:
    """Said where the subject was found, but not where it was asked for."""
    return f"no {search.subject} was found in the region that was asked for"


def _points(attention: Tensor, rough: Tensor, picture: Picture) -> SegmenterPrompt:
    (height, width), (rows, columns) = picture.shape[:2], attention.shape
    peaks = find_peaks(attention, rough)
    return SegmenterPrompt(
        points=tuple(((x + 0.5) * width / columns, (y + 0.5) * height / rows) for y, x in peaks)
    )


def _box(attention: Tensor, rough: Tensor, picture: Picture) -> SegmenterPrompt:
    (height, width), (rows, columns) = picture.shape[:2], attention.shape
    left, top, right, bottom = bounding_box(rough) or (0, 0, columns, rows)
    x, y = width / columns, height / rows
    return SegmenterPrompt(box=(left * x, top * y, right * x, bottom * y))


def _mask(attention: Tensor, rough: Tensor, picture: Picture) -> SegmenterPrompt:
    return SegmenterPrompt(mask=resize(rough, *picture.shape[:2]))


def _points_in_box(attention: Tensor, rough: Tensor, picture: Picture) -> SegmenterPrompt:
    return replace(_points(attention, rough, picture), box=_box(attention, rough, picture).box)


SAM_PROMPTS: dict[str, Callable[[Tensor, Tensor, Picture], SegmenterPrompt]] = {
    "attention_points_sam": _points,
    "attention_box_sam": _box,
    "attention_mask_sam": _mask,
    "attention_instance_sam": _points_in_box,
    "clipseg_sam": _points,
}
"""How a localizer turns the map it reads into a segmenter's prompt."""
SINGLED = ("attention_instance_sam",)
"""Localizers that take the heaviest part of the map for the thing: of several copies one is kept, whole."""
WORDS_MAPS = ("clipseg", "clipseg_sam")
"""Localizers that read the text segmenter's map, not the attention."""
BOXED = ("grounding_sam",)
"""Localizers that read no map but the detector's boxes."""
LOCALIZERS: dict[str, tuple[str, ...]] = {
    "attention": (),
    **dict.fromkeys(
        ("attention_points_sam", "attention_box_sam", "attention_mask_sam", "attention_instance_sam"),
        ("segmenter",),
    ),
    "grounding_sam": ("detector", "segmenter"),
    "clipseg": ("text_segmenter",),
    "clipseg_sam": ("text_segmenter", "segmenter"),
}
"""Every localizer with the fields of `Search` that it cannot do without."""
