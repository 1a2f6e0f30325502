"""What a result warns of: a picture of another world, an enlarged subject, one that was not found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from api_schemas.jobs import ResultWarning
from workers.addit.results import Insertion
from workers.found import missing_of
from workers.runner import OutputImage, RunOutput


def out_of_domain(done: Insertion, most: float | None) -> list[ResultWarning]:
    """Of a source that the model knows nothing like.

    most: the velocity error from which on it is so; None for a model that draws everything
    """
    error = done.source_error
    if most is None or error is None or error <= most:
        return []
    text = f"unlike this model's world: velocity error {error:.2f}, expected at most {most:g}"
    return [ResultWarning(code="out_of_domain", message=text)]


def upscaled(
    images: Sequence[OutputImage], closer: Sequence[OutputImage | None], times: float
) -> list[ResultWarning]:
    """Of results of a large photograph that are no finer than the whole of it was worked on.

    closer: where a closer look made the image; times: how much larger the photograph is, by its sides
    """
    pairs = zip(images, closer, strict=True)
    coarse = [image for image, near in pairs if image.fields["subject_found"] and not near]
    if not coarse:
        return []
    text = f"a closer look gave nothing better for {_seeds(coarse)}: what was added is enlarged"
    return [ResultWarning(code="upscaled", message=f"{text} {times:.1f} times")]


def with_missing(output: RunOutput) -> RunOutput:
    """The output with a warning for each subject that variations are without."""
    without = dict[str, list[OutputImage]]()
    for image in output.images:
        for subject in dict.fromkeys(missing_of(image)):
            without.setdefault(subject, []).append(image)
    return replace(output, warnings=(*output.warnings, *(_not_found(*one) for one in without.items())))


def _not_found(subject: str, images: Sequence[OutputImage]) -> ResultWarning:
    text = f"no {subject} was found for {_seeds(images)}; try others, or a higher extended_scale"
    return ResultWarning(code="subject_not_found", message=text)


def _seeds(images: Sequence[OutputImage]) -> str:
    return f"seed{'s' if len(images) > 1 else ''} {', '.join(str(one.fields['seed']) for one in images)}"
