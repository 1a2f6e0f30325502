"""The shipped SAM-2: loads as Meta's code loads its own, and finds things it never saw in training."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sam2.sam2_image_predictor import SAM2ImagePredictor

from toyland.score.measures import iou
from toyland.segmenter import image_predictor, load_segmenter
from toyland.workshop import SHIPPED

HELD_OUT = Path(__file__).with_name("held_out.npz")  # pictures (20, H, W, 3) and instances (20, H, W)

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")


@pytest.fixture(scope="module")
def predictor() -> SAM2ImagePredictor:
    """Meta's predictor with the shipped weights."""
    return image_predictor(load_segmenter(SHIPPED / "sam2"))


def things() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
    """Every held-out picture with the mask of each thing in it."""
    with np.load(HELD_OUT) as held_out:
        for picture, instances in zip(held_out["pictures"], held_out["instances"], strict=True):
            for number in range(1, instances.max() + 1):
                yield picture, instances == number


def box_of(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Left, top, right, bottom of a mask (H, W)."""
    rows, columns = np.nonzero(mask)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)


def test_finds_things_from_their_boxes(predictor: SAM2ImagePredictor) -> None:
    scores = []
    for picture, mask in things():
        predictor.set_image(picture)
        found, _, _ = predictor.predict(box=box_of(mask), multimask_output=False)
        scores.append(iou(found[0] > 0, mask))
    assert len(scores) >= 20
    assert np.mean(scores) > 0.7


def test_a_point_gives_three_masks_of_which_it_names_the_best(predictor: SAM2ImagePredictor) -> None:
    picture, mask = next(things())
    row, column = np.argwhere(mask)[mask.sum() // 2]
    predictor.set_image(picture)
    masks, ious, low_res = predictor.predict(
        point_coords=np.array([[column, row]], np.float32), point_labels=np.array([1])
    )
    assert masks.shape == (3, *mask.shape)
    assert low_res.shape == (3, 64, 64)
    assert iou(masks[ious.argmax()] > 0, mask) > 0.4
