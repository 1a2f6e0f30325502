"""Result pictures as images of their tenant: an id that tells job and variation, so nothing is kept twice."""

from __future__ import annotations

import re

from api_schemas.insertions import ImageSource
from job_store.records import JobRecord

_ID = re.compile(r"img_([0-9a-f]{24})_(\d{1,2})", re.ASCII)


def result_image_id(job_id: str, index: int) -> str:
    """Of the variation that stands at `index` in the job's result."""
    return f"img_{job_id.removeprefix('ins_')}_{index}"


def variation_of(image_id: str) -> tuple[str, int] | None:
    """(job id, index) of a result picture; None for the id of an upload."""
    found = _ID.fullmatch(image_id)
    return (f"ins_{found[1]}", int(found[2])) if found else None


def builds_on_result(record: JobRecord) -> bool:
    """Whether the job, or one that it goes back to, names a result picture as its source: of no other does
    anybody know the latents."""
    source = record.request.source
    named = source.image.id if isinstance(source, ImageSource) else None
    return record.parent_id is not None and named is not None and variation_of(named) is not None
