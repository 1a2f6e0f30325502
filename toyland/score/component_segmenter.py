"""The segmenter by itself: how well it cuts out things whose masks are known."""

import numpy as np
from numpy.typing import NDArray
from sam2.sam2_image_predictor import SAM2ImagePredictor

from toyland.score.instruments import Instruments
from toyland.score.measures import iou
from toyland.score.samples import decoded, samples_of
from toyland.score.statistics import Rows
from toyland.world import PlacedObject


def measure_segmenter(instruments: Instruments, chunk: int) -> dict[str, Rows]:
    """IoU of everything placed, from its middle-most point and from its box; as drawn and after decoding."""
    numbers: dict[str, Rows] = {}
    for sample in samples_of(instruments, chunk):
        picture = np.asarray(sample.picture)
        for name, shown in (("", picture), ("decoded.", decoded(instruments, picture))):
            instruments.predictor.set_image(shown)
            for thing in sample.placed:
                by_point, by_box = segment(instruments.predictor, thing)
                numbers.setdefault(f"segmenter.{name}point_iou", []).append([by_point])
                numbers.setdefault(f"segmenter.{name}box_iou", []).append([by_box])
    return numbers


def segment(predictor: SAM2ImagePredictor, thing: PlacedObject) -> tuple[float, float]:
    """IoU from one point and from the box; the predictor has the picture set."""
    masks, ious, _ = predictor.predict(point_coords=inner_point(thing)[None], point_labels=np.array([1]))
    from_point = iou(masks[ious.argmax()] > 0, thing.mask)
    masks, _, _ = predictor.predict(box=np.array(thing.box), multimask_output=False)
    return from_point, iou(masks[0] > 0, thing.mask)


def inner_point(thing: PlacedObject) -> NDArray[np.float32]:
    """The thing's pixel (x, y) nearest to the middle of its pixels."""
    pixels = np.argwhere(thing.mask)
    middle = pixels.mean(0)
    row, column = pixels[((pixels - middle) ** 2).sum(1).argmin()]
    return np.array([column, row], np.float32)
