"""The results of a job as pictures to look at: ranked, with mask and attention drawn on, told honestly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO

from PIL import Image, ImageChops, ImageFilter, ImageOps

from api_schemas.jobs import DroppedSeed, InsertionJob, InsertionResult, ResultImage, Try
from api_schemas.subjects import as_tuple
from client.async_client import AsyncAddit

MASK_COLOUR = (26, 152, 80)
MARGIN = 4.0  # percent of a picture's width


@dataclass(frozen=True)
class Shown:
    """One result with its pictures. before: the scene it was put into"""

    told: ResultImage
    picture: Image.Image
    before: Image.Image | None
    mask: Image.Image | None
    attention: Image.Image | None
    cutout: Image.Image | None


async def shown(addit: AsyncAddit, job: InsertionJob) -> tuple[Shown, ...]:
    """The results of a succeeded job, the surest first. Raises ClientError."""
    result = result_of(job)
    before = await _fetched(addit, result.source_url)
    loaded = await asyncio.gather(*(_one(addit, image, before) for image in ranked(result.images)))
    return tuple(loaded)


def result_of(job: InsertionJob) -> InsertionResult:
    """The result of a succeeded job."""
    assert job.result is not None
    return job.result


def ranked(images: Sequence[ResultImage]) -> list[ResultImage]:
    """The surest first."""
    return sorted(images, key=lambda image: image.rank or len(images))


async def fetch(addit: AsyncAddit, link: str) -> Image.Image:
    """The picture behind a link; asked where this page asks everything, however others reach the service."""
    picture = Image.open(BytesIO(await addit.download("/v1/" + link.partition("/v1/")[2])))
    picture.load()
    return picture


async def _fetched(addit: AsyncAddit, link: str | None) -> Image.Image | None:
    return await fetch(addit, link) if link else None


async def _one(addit: AsyncAddit, image: ResultImage, before: Image.Image | None) -> Shown:
    links = (image.mask_url, image.attention_url, image.cutout_url)
    picture, mask, attention, cutout = await asyncio.gather(
        fetch(addit, image.url), *(_fetched(addit, link) for link in links)
    )
    assert picture is not None
    return Shown(image, picture.convert("RGB"), before and before.convert("RGB"), mask, attention, cutout)


def drawn(one: Shown, overlays: Sequence[str]) -> Image.Image:
    """The result with what was asked for over it: `attention`, `mask`."""
    picture = one.picture
    if "attention" in overlays and one.attention is not None:
        picture = heated(picture, one.attention)
    if "mask" in overlays and one.mask is not None:
        picture = outlined(picture, one.mask, tinted="attention" not in overlays)
    return picture


def heated(picture: Image.Image, attention: Image.Image) -> Image.Image:
    """The picture, hot where the object's words drew attention."""
    weight = ImageOps.autocontrast(attention.convert("L").resize(picture.size))
    heat = ImageOps.colorize(weight, (20, 10, 60), (255, 240, 120), mid=(220, 60, 40))
    return Image.composite(heat, picture, weight.point(lambda value: round(value * 0.75)))


def outlined(picture: Image.Image, mask: Image.Image, *, tinted: bool) -> Image.Image:
    """The picture with the mask's edge drawn and, unless that would hide something, its area tinted."""
    area = mask.convert("L").resize(picture.size).point(lambda value: 255 * (value > 127))
    edge = ImageChops.difference(area.filter(ImageFilter.MaxFilter(3)), area.filter(ImageFilter.MinFilter(3)))
    if tinted:
        colour = Image.new("RGB", picture.size, MASK_COLOUR)
        picture = Image.composite(colour, picture, area.point(lambda value: value // 3))
    return Image.composite(Image.new("RGB", picture.size, "white"), picture, edge)


def uncovered_from(mask: Image.Image | None) -> float:
    """Where a slider between before and after begins, in percent of the width: just left of the object, so
    that all of it is seen."""
    box = mask.convert("L").point(lambda value: 255 * (value > 127)).getbbox() if mask else None
    left = 100 * box[0] / mask.width if mask and box else 0.0
    return max(MARGIN, left - MARGIN)


def caption(image: ResultImage) -> str:
    """Under a result in the gallery."""
    if not image.subject_found:
        return f"seed {image.seed} · not added"
    return f"seed {image.seed} · added" + (
        f", {image.confidence:.0%}" if image.confidence is not None else ""
    )


def verdicts(job: InsertionJob) -> str:
    """HTML: of each result whether the object was added, and what was tried; then what was dropped."""
    result = result_of(job)
    lines = [_verdict(image) for image in ranked(result.images)] + [_dropped(one) for one in result.dropped]
    warnings = [
        f'<li class="missing">{escape(one.message)}</li>'
        for one in result.warnings
        if one.code != "subject_not_found"  # the verdicts say it
    ]
    told = f"<p>{escape(understood(job))}</p><p>{escape(cost(result))}</p>"
    return f'<ul class="verdicts">{"".join(lines + warnings)}</ul>{told}'


def understood(job: InsertionJob) -> str:
    """The texts that were worked with, whoever worded them."""
    request, inferred = job.request, result_of(job).inferred
    source = inferred.source_prompt if inferred else request.source.prompt
    prompt = inferred.prompt if inferred else request.prompt
    subjects = as_tuple(inferred.subject if inferred else request.subject)
    return f"Understood: from “{source}” to “{prompt}”; new: {', '.join(subjects)}."


def cost(result: InsertionResult) -> str:
    """A line on what it took."""
    source = {"hit": "the scene was remembered", "miss": "the scene was new", "none": ""}
    spent, seconds = result.cost, result.cost.gpu_seconds
    parts = [f"{spent.forwards:g} forwards", f"{seconds:.1f} s of the worker", source[spent.source_memory]]
    return ", ".join(part for part in parts if part) + "."


def _verdict(image: ResultImage) -> str:
    if image.subject_found:
        text = f"Seed {image.seed}: added{_background(image)}."
        return f"<li>{escape(text)}{_ladder(image.tries)}</li>"
    missing = ", ".join(one.subject for one in image.subjects if not one.found) or "the object"
    text = f"Seed {image.seed}: not added. No trace of {missing}: {image.reason or 'nothing was found'}."
    return f'<li class="missing">{escape(text)}{_ladder(image.tries)}</li>'


def _background(image: ResultImage) -> str:
    kept = image.background_psnr
    return ", every other pixel as it was" if kept is None else f", the rest kept to {kept:.1f} dB"


def _ladder(tries: Sequence[Try]) -> str:
    """What the retries tried, in order."""
    if len(tries) < 2:
        return ""
    rungs = "".join(f"<li>{escape(_rung(one))}</li>" for one in tries)
    return f"<ol>{rungs}</ol>"


def _rung(one: Try) -> str:
    gamma = f"γ {one.extended_scale:g}" if one.extended_scale is not None else "γ by schedule"
    found = "added" if one.added else "not added"
    return f"{gamma}, from step {one.structure_transfer_step}, seed {one.seed}: {found}"


def _dropped(one: DroppedSeed) -> str:
    early = f"dropped early, {one.reason or 'the others promised more'}"
    text = f"Seed {one.seed}: {'let go by you' if one.score is None else early}."
    return f'<li class="dropped">{escape(text)}</li>'
