"""What a result warns of."""

from __future__ import annotations

from PIL import Image

from api_schemas.jobs import Cost, Timings
from workers.result_warnings import upscaled, with_missing
from workers.runner import OutputImage, RunOutput


def image(seed: int, *missing: str) -> OutputImage:
    each = [{"subject": name, "found": name not in missing} for name in ("dog", "cat")]
    fields = {"seed": seed, "subjects": each, "subject_found": not missing}
    return OutputImage(Image.new("RGB", (8, 8)), fields)


def test_each_subject_is_missed_once_with_all_seeds_that_are_without() -> None:
    images = (image(1, "dog"), image(2), image(3, "cat", "dog"))
    cost = Cost(forwards=1, gpu_seconds=1, source_memory="miss", source_memory_bytes=0)
    warnings = with_missing(RunOutput(images, Timings(), cost)).warnings
    assert {warning.code for warning in warnings} == {"subject_not_found"}
    dog, cat = (warning.message for warning in warnings)
    assert dog.startswith("no dog was found for seeds 1, 3;")
    assert cat.startswith("no cat was found for seed 3;")


def test_what_was_found_and_not_looked_at_closer_is_enlarged() -> None:
    near, far, lost = image(1), image(2), image(3, "dog")
    (warning,) = upscaled((near, far, lost), (near, None, None), 2.5)
    assert warning.code == "upscaled"
    assert warning.message == (
        "a closer look gave nothing better for seed 2: what was added is enlarged 2.5 times"
    )
    assert upscaled((near, lost), (near, None), 2.5) == []
