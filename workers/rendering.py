"""A variation of an insertion as it is given back: its picture and maps at the caller's size, and what is
said of it. Sizes are (width, height)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from api_schemas.insertions import Extra
from workers import overlays
from workers.addit.edits import Edit
from workers.addit.localizers import Detector, Located
from workers.addit.results import Insertion
from workers.addit.verdicts import judge_whole
from workers.closeups import CloseUp, put_back
from workers.compositing import IDENTICAL, box_of, composite, cut_out, grey, psnr
from workers.found import attention_on_all, subject_masks, told_of_each, united, whole_score
from workers.judging import judge_each
from workers.own_pixels import own_pixels
from workers.runner import OutputImage


def render(
    detector: Detector | None,
    source: Image.Image,
    edit: Edit,
    done: Insertion,
    row: int,
    wanted: Sequence[Extra],
) -> OutputImage:
    """Variation `row` at the size of `source`, with the maps that are wanted."""
    result = Image.fromarray(done.pictures[row]).resize(source.size, Image.Resampling.LANCZOS)
    if done.located is None or done.cells is None:
        unseen = "blending is off, so the subject was not looked for"
        each = [{"subject": subject, "found": False, "reason": unseen} for subject in edit.subjects]
        return OutputImage(result, _fields(done, row, (), unseen) | {"subjects": each})
    located = done.located[row]
    masks = subject_masks(located, source.size)
    mask = united(masks)
    if edit.config.strict_background:
        result = composite(source, result, own_pixels(done, row, edit.config, source.size))
    difference = psnr(np.asarray(result), np.asarray(source), np.asarray(mask) == 0)
    background = None if difference >= IDENTICAL else round(difference, 2)
    verdicts = judge_each(detector, edit, done, row, background)
    verdict = judge_whole(edit.subjects, verdicts)
    fields = _fields(done, row, located, verdict.reason) | {
        "box": box_of(mask),
        "background_psnr": background,
        "confidence": verdict.confidence,
        "subjects": told_of_each(edit.subjects, verdicts, located, masks),
    }
    attention = cutout = overlay = None
    if "attention" in wanted:
        attention = grey(attention_on_all(located)).resize(source.size, Image.Resampling.BILINEAR)
    if "cutout" in wanted:
        cutout = cut_out(result, mask)
    if "overlay" in wanted:
        overlay = draw_overlay(result, located, masks)
    return OutputImage(result, fields, mask, attention, cutout, overlay)


def render_closer(
    detector: Detector | None, photo: Image.Image, close_up: CloseUp, wanted: Sequence[Extra]
) -> OutputImage | None:
    """The whole photograph with what the closer look added, None where that found no subject, or ended
    before it could."""
    if not close_up.done.seeds:
        return None
    part = render(detector, close_up.part, close_up.edit, close_up.done, 0, wanted)
    return put_back(photo, close_up.crop, part) if part.fields["subject_found"] else None


def _fields(done: Insertion, row: int, located: Sequence[Located], reason: str | None) -> dict[str, object]:
    return {
        "seed": done.seeds[row],
        "subject_found": reason is None,
        "reason": reason,
        "score": whole_score(located),
        "extended_scale": None if done.gammas is None else round(done.gammas[row], 4),
    }


def draw_overlay(
    picture: Image.Image, located: Sequence[Located], masks: Sequence[Image.Image]
) -> Image.Image:
    """The picture with the attention on all subjects, each one's mask (mode L), and what the segmenter was
    asked for it."""
    drawn = overlays.heat(picture, grey(attention_on_all(located)))
    for one, mask in zip(located, masks, strict=True):
        drawn = overlays.outline(drawn, mask)
        if one.prompt is not None:
            drawn = overlays.asked(drawn, one.prompt, one.mask.shape[1])
    return drawn
