"""Whether a subject was added, and how sure that is: what results say of themselves and are ranked by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from workers.addit.boxes import Detection, share_on
from workers.addit.localizers import Located, Picture
from workers.addit.masks import bounding_box, resize

VISIBLE_CHANGE = 8.0
"""Mean difference of grey levels inside the mask below which nothing was added."""
STILL_BACKGROUND = 25.0
"""dB outside the mask below which the background counts as moved."""
IN_PLACE = 0.5
"""Share of a detection's area that has to lie on the mask's box for it to be the subject."""


@dataclass(frozen=True)
class Verdict:
    """reason: why the subject counts as not added, None if it was; confidence: 0..1, for comparing seeds."""

    reason: str | None
    confidence: float

    @property
    def added(self) -> bool:
        """Whether the subject is there."""
        return self.reason is None


def judge(
    source: Picture,
    result: Picture,
    located: Located,
    detections: Sequence[Detection] | None,
    background_psnr: float | None,
) -> Verdict:
    """Judge one subject of a variation by what was located, what changed, and what a detector sees there.

    source, result: (H, W, 3), decoded alike
    detections: of the subject in the result, None without a detector
    background_psnr: dB outside the mask, None where it is identical
    """
    height, width = source.shape[:2]
    inside = resize(located.mask, height, width) > 0.5
    seen = None if detections is None else seen_there(detections, inside)
    reason = located.missing or _no_change(source, result, inside)
    if reason is None and seen == 0:
        reason = "no detector sees the subject where it was looked for"
    moved = background_psnr is not None and background_psnr < STILL_BACKGROUND
    confidence = _confidence(reason, located, seen) / (2 if moved else 1)
    return Verdict(reason, round(confidence, 4))


def foresee(located: Located, seen: float | None = None) -> Verdict:
    """Judge one variation half of its way, by what was located and what a detector sees there, 0..1."""
    return Verdict(located.missing, _confidence(located.missing, located, seen))


def _confidence(reason: str | None, located: Located, seen: float | None) -> float:
    """The mean of the signs there are, 0 where there is a reason against."""
    signs = [contrast(located), *(sign for sign in (located.score, seen) if sign is not None)]
    return 0.0 if reason else round(min(1.0, max(0.0, sum(signs) / len(signs))), 4)


def judge_whole(subjects: Sequence[str], verdicts: Sequence[Verdict]) -> Verdict:
    """All subjects together: added when each of them is, as surely as the least sure one."""
    reasons = [
        one.reason if len(subjects) == 1 else f"{subject}: {one.reason}"
        for subject, one in zip(subjects, verdicts, strict=True)
        if one.reason is not None
    ]
    return Verdict("; ".join(reasons) or None, min(one.confidence for one in verdicts))


def seen_there(detections: Sequence[Detection], inside: Tensor) -> float:
    """The best score of a detection that lies mostly on the box of the mask (H, W); 0 where none does."""
    box = bounding_box(inside)
    if box is None:
        return 0.0
    scores = (found.score for found in detections if share_on(found.box, box) >= IN_PLACE)
    return max(scores, default=0.0)


def contrast(located: Located) -> float:
    """How much more attention (0..1) the mask's cells draw than the others."""
    height, width = located.attention.shape
    inside = resize(located.mask, height, width) > 0.5
    if not bool(inside.any()) or bool(inside.all()):
        return 0.0
    return float(located.attention[inside].mean() - located.attention[~inside].mean())


def ranks(confidences: Sequence[float]) -> list[int]:
    """1 for the surest, and so on; equal ones keep their order."""
    order = sorted(range(len(confidences)), key=lambda index: -confidences[index])
    return [order.index(index) + 1 for index in range(len(confidences))]


def _no_change(source: Picture, result: Picture, inside: Tensor) -> str | None:
    where = inside.numpy()
    before, after = source[where].astype(np.float32), result[where].astype(np.float32)
    change = float(np.abs(after - before).mean()) if where.any() else 0.0
    if change >= VISIBLE_CHANGE:
        return None
    return f"nothing visible was added where the subject was looked for ({change:.1f} grey levels)"
