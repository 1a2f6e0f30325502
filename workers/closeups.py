"""A closer look at a large photograph: the part around the subject edited again, by itself and at the model's
own resolution, and put back where it was."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.addit.config import PUBLISHED_STEPS, AdditConfig, scale_step
from workers.addit.edits import Edit, PictureSource
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.progress import OnStep
from workers.addit.results import Insertion
from workers.addit.targets import Unwanted, all_wanted
from workers.areas import crop_placing
from workers.colours import apply_line, fit_line
from workers.crops import Crop, Size
from workers.grain import add_grain, measure_grain, missing_grain
from workers.runner import OutputImage

DRAFT_STEP = 8
"""Step of the published 30 at which the target starts from the draft. A start from the source itself finds
the subject as often but elsewhere, the presets' own 4 keeps the place less well (docs/decisions.md)."""


@dataclass(frozen=True)
class CloseUp:
    """One part of a photograph, edited.

    part: the photograph's own pixels in `crop`
    edit, done: the insertion into them, its pictures of the part's size, in its colours and grain
    """

    crop: Crop
    part: Image.Image
    edit: Edit
    done: Insertion


def look_closer(
    models: Models,
    photo: Image.Image,
    crop: Crop,
    draft: Image.Image,
    edit: Edit,
    on_step: OnStep,
    unwanted: Unwanted = all_wanted,
) -> CloseUp:
    """Do the `edit` of one seed again in one part of the photograph. Raises what `insert` raises; it ends
    without a picture once that seed is unwanted.

    draft: the whole photograph with the subject in it, at any size; the subject stays where it is there
    """
    part = photo.crop(crop.box)
    shown = np.asarray(part.resize(crop.working, Image.Resampling.LANCZOS))
    scale = draft.width / photo.width, draft.height / photo.height
    left, top, right, bottom = (at * scale[i % 2] for i, at in enumerate(crop.box))
    window = left, top, right, bottom
    begun = draft.resize(crop.working, Image.Resampling.LANCZOS, window)
    placing = edit.placing and crop_placing(edit.placing, draft.size, window, crop.working)
    assert isinstance(edit.source, PictureSource)
    closer = replace(
        edit,
        source=replace(edit.source, picture=shown, draft=np.asarray(begun)),
        config=from_draft(edit.config),
        placing=placing,
    )
    done = within(insert(models, closer, on_step, unwanted=unwanted), crop, photo.size)
    if not done.seeds:
        return CloseUp(crop, part, closer, done)
    return CloseUp(crop, part, closer, as_photographed(done, part, shown, edit.seeds[0]))


def from_draft(config: AdditConfig) -> AdditConfig:
    """The same edit starting late enough to keep where the draft has the subject; its background strict, for
    nothing else hides where the part ends."""
    late = scale_step(DRAFT_STEP, PUBLISHED_STEPS, config.num_inference_steps)
    start = max(config.structure_transfer_step, min(late, *config.blend_steps))
    return replace(config, structure_transfer_step=start, strict_background=True)


def within(done: Insertion, crop: Crop, photo: Size) -> Insertion:
    """The insertion without the cells at those edges of the crop beyond which the photograph goes on."""
    if done.cells is None:
        return done
    cells = done.cells.clone()
    left, top, right, bottom = crop.box
    ends = (left > 0, top > 0, right < photo[0], bottom < photo[1])
    for inside, edge in zip(
        ends, (cells[..., 0], cells[..., 0, :], cells[..., -1], cells[..., -1, :]), strict=True
    ):
        if inside:
            edge.zero_()
    return replace(done, cells=cells)


def as_photographed(done: Insertion, part: Image.Image, shown: Picture, seed: int) -> Insertion:
    """The insertion with its pictures of the part's size, and in its colours and grain.

    shown: the part at the size worked on. What the model gave back unchanged tells what it lacks of both.
    """
    unchanged = _unchanged(done, (shown.shape[1], shown.shape[0]))
    line = fit_line(done.pictures[0], shown, unchanged)

    def enlarged(picture: Picture) -> Picture:
        matched = apply_line(Image.fromarray(picture), line)
        return np.asarray(matched.resize(part.size, Image.Resampling.LANCZOS))

    drawn, where = enlarged(done.pictures[0]), _unchanged(done, part.size)
    lacking = missing_grain(measure_grain(np.asarray(part), where), measure_grain(drawn, where))
    source = add_grain(enlarged(done.source), lacking, seed)  # the same grain, so that it is no change
    return replace(done, pictures=(add_grain(drawn, lacking, seed),), source=source)


def _unchanged(done: Insertion, size: Size) -> NDArray[np.bool_]:
    """(H, W) of a picture of `size`: where nothing of the target's was kept."""
    if done.cells is None:
        return np.zeros(size[::-1], np.bool_)
    cells = done.cells[0].cpu().numpy() > 0
    kept: NDArray[np.bool_] = np.asarray(Image.fromarray(cells).resize(size, Image.Resampling.NEAREST))
    return ~kept


def put_back(photo: Image.Image, crop: Crop, image: OutputImage) -> OutputImage:
    """The output of a part as that of the whole photograph, which stays as it is around it."""

    def over(part: Image.Image | None, canvas: Image.Image | None = None) -> Image.Image | None:
        if part is None:
            return None
        whole = canvas.copy() if canvas else Image.new(part.mode, photo.size)
        whole.paste(part, crop.box)
        return whole

    whole, fields = over(image.image, photo), {**image.fields, **_fields(photo, crop, image)}
    assert whole is not None
    maps = over(image.mask), over(image.attention), over(image.cutout), over(image.overlay, photo)
    return OutputImage(whole, fields, *maps)


def _fields(photo: Image.Image, crop: Crop, image: OutputImage) -> dict[str, object]:
    """Boxes and background error of the part in terms of the whole."""
    noise, each = image.fields["background_psnr"], image.fields["subjects"]
    assert image.mask is not None
    assert isinstance(noise, float | None)
    assert isinstance(each, list)
    subject = int(np.count_nonzero(np.asarray(image.mask)))
    outside = max(1, crop.size[0] * crop.size[1] - subject)
    diluted = 10 * math.log10((photo.width * photo.height - subject) / outside)
    return {
        "box": _moved(image.fields["box"], crop),
        "subjects": [{**one, "box": _moved(one["box"], crop)} for one in each],
        "background_psnr": noise and round(noise + diluted, 2),
    }


def _moved(box: object, crop: Crop) -> list[int] | None:
    """A box of the part in the whole photograph."""
    assert isinstance(box, list | None)
    return box and [at + crop.box[i % 2] for i, at in enumerate(box)]
