"""Whether each subject was added to a variation: by what the method saw of it, and a detector where there is
one."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from workers.addit.boxes import Detection
from workers.addit.edits import Edit
from workers.addit.errors import AdditError
from workers.addit.localizers import Detector, Picture
from workers.addit.results import Insertion
from workers.addit.verdicts import Verdict, judge

log = structlog.get_logger()


def judge_each(
    detector: Detector | None, edit: Edit, done: Insertion, row: int, background_psnr: float | None
) -> tuple[Verdict, ...]:
    """A verdict on each of the edit's subjects in variation `row`, which was located.

    background_psnr: dB, as in `workers.addit.verdicts.judge`
    """
    assert done.located is not None
    picture = done.pictures[row]
    return tuple(
        judge(done.source, picture, located, _detect(detector, picture, subject), background_psnr)
        for subject, located in zip(edit.subjects, done.located[row], strict=True)
    )


def _detect(detector: Detector | None, picture: Picture, subject: str) -> Sequence[Detection] | None:
    """None without a detector; one that does not open has no say."""
    if detector is None:
        return None
    try:
        return detector(picture, subject)
    except AdditError as error:
        log.warning("no detector to judge by", error=str(error))
        return None
