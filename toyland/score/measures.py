"""Two pictures or two masks compared: the measures that several scores share."""

import numpy as np
from numpy.typing import NDArray

from workers.addit.localizers import Picture


def squared_error(one: Picture, other: Picture) -> float:
    """Mean squared difference of two pictures, or of some of their pixels (N, 3), in grey levels."""
    return float(np.square(one.astype(np.float64) - other).mean())


def iou(mask: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    """Intersection over union of two (H, W) masks."""
    return float((mask & wanted).sum() / max(1, (mask | wanted).sum()))
