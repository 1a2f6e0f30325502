"""How good the judges are: the detector's and CLIP's scores on pictures whose contents are known."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from toyland.label import Label
from toyland.placement import Box
from workers.addit.boxes import intersection_over_union
from workers.models.toyland.clip import Clip
from workers.models.toyland.detector import Detection, Detector

SAME_PLACE = 0.5  # IoU from which on a detection is of a thing
BATCH = 16

Pictures = Sequence[NDArray[np.uint8]]  # each (H, W, 3)
Contents = Sequence[tuple[str, Box]]  # name and box of the things in one picture


def detections(
    detector: Detector, pictures: Pictures, threshold: float | None = None
) -> list[list[Detection]]:
    """What the detector finds in each picture."""
    found = list[list[Detection]]()
    for start in range(0, len(pictures), BATCH):
        batch = torch.from_numpy(np.stack(list(pictures[start : start + BATCH])))
        found.extend(detector.detect_batch(batch, threshold))
    return found


def detector_f1(
    found: Iterable[Sequence[Detection]], contents: Iterable[Contents], threshold: float = 0.0
) -> float:
    """F1 over all things of all pictures: the right name at an IoU of at least 0.5, each thing found once.
    Detections with a lower score than the threshold are left out."""
    right = claimed = existing = 0
    for detections_here, things in zip(found, contents, strict=True):
        claims = [detection for detection in detections_here if detection.score >= threshold]
        right += count_right(claims, things)
        claimed += len(claims)
        existing += len(things)
    return 2 * right / max(1, claimed + existing)


def count_right(claims: Sequence[Detection], things: Contents) -> int:
    """How many of the claims, the surest first, are of a thing that no earlier one was of."""
    left = list(things)
    for claim in sorted(claims, key=lambda claim: -claim.score):
        matches = [
            thing for thing in left if thing[0] == claim.name and overlap(claim.box, thing[1]) >= SAME_PLACE
        ]
        if matches:
            left.remove(matches[0])
    return len(things) - len(left)


def overlap(box: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    return float(intersection_over_union(torch.tensor([box]).float(), torch.tensor([other]).float()))


def false_positive_share(found: Sequence[Sequence[Detection]], threshold: float = 0.0) -> float:
    """Share of pictures, all of empty scenes, in which something was found."""
    claimed = [any(detection.score >= threshold for detection in here) for here in found]
    return sum(claimed) / max(1, len(claimed))


def best_threshold(
    found: Sequence[Sequence[Detection]], contents: Sequence[Contents], empty: Sequence[Sequence[Detection]]
) -> float:
    """The threshold of the highest F1 among those with at most 0.5 % of the empty pictures claimed."""
    quiet = [t / 100 for t in range(10, 91, 2) if false_positive_share(empty, t / 100) <= 0.005] or [0.9]
    return max(quiet, key=lambda threshold: detector_f1(found, contents, threshold))


def content_of(label: Label) -> tuple[str, ...]:
    """Scene and names of a label: pictures of the same content may have each other's captions."""
    return (label.scene, *sorted(label.names))


def clip_accuracy(clip: Clip, pictures: Pictures, captions: Sequence[str]) -> float:
    """Share of the pictures whose own caption is the nearest of all, their contents being all different."""
    nearest = (clip.embed_pictures(pictures) @ clip.embed_texts(captions).T).argmax(1)
    return float((nearest == torch.arange(len(captions))).float().mean())
