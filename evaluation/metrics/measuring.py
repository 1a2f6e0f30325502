"""All that is measured of one edited picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.judges import Judges
from evaluation.metrics.pixels import (
    background_error,
    background_lpips,
    background_ssim,
    identical_share,
    outside,
)
from evaluation.metrics.placing import affordance, related
from evaluation.metrics.shift import geometric_shift
from evaluation.suites.items import Item
from toyland.score.clip_metrics import clip_metrics
from workers.addit.boxes import Box
from workers.addit.instances import Instances, new_detections
from workers.addit.localizers import Picture

Measured = dict[str, float | None]
"""Figures by name; None where a figure has no meaning for the item or no judge."""


def measure(
    judges: Judges,
    item: Item,
    source: Picture,
    edited: Picture,
    boxes: Sequence[Box],
    region: NDArray[np.bool_] | None,
) -> Measured:
    """source, edited: (H, W, 3); boxes, region: plausible places in their pixels.

    inclusion: the subject is found in the result (paper); added: one is found that the source did not show
    """
    found = judges.detector(edited, item.subject)
    already = Instances(tuple(one.box for one in judges.detector(source, item.subject)))
    added = [one.box for one in new_detections(found, already)]
    where = outside(added, *source.shape[:2])
    held = affordance(added, boxes, region)
    return {
        "inclusion": float(bool(found)),
        "added": float(bool(added)),
        "affordance": held,
        "relation": _relation(judges, item, edited, added, held),
        **(_clip(judges, item, source, edited)),
        "background_error": background_error(source, edited, where),
        "background_ssim": background_ssim(source, edited, where),
        "background_lpips": background_lpips(source, edited, where),
        "identical": identical_share(source, edited, where),
        "shift": geometric_shift(source, edited, where),
    }


def _clip(judges: Judges, item: Item, source: Picture, edited: Picture) -> Measured:
    if judges.clip is None:
        return dict.fromkeys(("clip_dir", "clip_im", "clip_out"))
    return {**clip_metrics(judges.clip, source, edited, item.source_prompt, item.prompt)}


def _relation(
    judges: Judges, item: Item, edited: Picture, added: Sequence[Box], held: float | None
) -> float | None:
    if item.relation is None:
        return None
    anchors = [one.box for one in judges.detector(edited, item.anchor)] if item.anchor else []
    return float(related(item.relation, added, anchors, held))
