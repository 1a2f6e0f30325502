from __future__ import annotations

import numpy as np
import pytest
import torch

from workers.addit.boxes import Detection
from workers.addit.localizers import Located
from workers.addit.verdicts import Verdict, contrast, foresee, judge, judge_whole, ranks, seen_there

SOURCE = np.zeros((16, 16, 3), np.uint8)
MASK = torch.zeros(16, 16, dtype=torch.bool)
MASK[4:12, 4:12] = True
ATTENTION = torch.zeros(4, 4)
ATTENTION[1:3, 1:3] = 0.8
HERE, ELSEWHERE = Detection((4, 4, 12, 12), 0.9), Detection((0, 0, 5, 5), 0.95)


def located(missing: str | None = None, score: float | None = 0.7) -> Located:
    return Located(ATTENTION, ATTENTION > 0.5, MASK, score, missing)


def drawn(grey: int = 200) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    result = SOURCE.copy()
    result[MASK.numpy()] = grey
    return result


def test_what_is_there_and_seen_is_added_and_sure() -> None:
    verdict = judge(SOURCE, drawn(), located(), [ELSEWHERE, HERE], None)
    assert verdict.added
    assert verdict.confidence == pytest.approx((0.8 + 0.7 + 0.9) / 3)


def test_without_a_detector_the_other_signs_count() -> None:
    assert judge(SOURCE, drawn(), located(), None, None).confidence == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("result", "found", "detections", "reason"),
    [
        (drawn(3), located(), [HERE], "nothing visible"),
        (drawn(), located("no attention"), [HERE], "no attention"),
        (drawn(), located(), [ELSEWHERE], "no detector sees"),
        (drawn(), located(), [], "no detector sees"),
    ],
)
def test_each_missing_sign_is_a_reason(
    result: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    found: Located,
    detections: list[Detection],
    reason: str,
) -> None:
    verdict = judge(SOURCE, result, found, detections, None)
    assert not verdict.added
    assert reason in str(verdict.reason)
    assert verdict.confidence == 0


def test_a_moved_background_halves_the_confidence() -> None:
    still, moved = (judge(SOURCE, drawn(), located(), None, psnr) for psnr in (30.0, 20.0))
    assert moved == Verdict(None, still.confidence / 2)


def test_nothing_is_seen_on_an_empty_mask_and_flat_attention_has_no_contrast() -> None:
    assert seen_there([HERE], torch.zeros(16, 16, dtype=torch.bool)) == 0
    everywhere = Located(ATTENTION, ATTENTION > 0, torch.ones(4, 4, dtype=torch.bool))
    assert contrast(everywhere) == 0


def test_the_whole_is_there_when_every_subject_is_and_as_sure_as_the_least_sure() -> None:
    sure, unsure, missing = Verdict(None, 0.9), Verdict(None, 0.4), Verdict("no attention", 0.0)
    assert judge_whole(["dog", "cat"], [sure, unsure]) == unsure
    assert judge_whole(["dog", "cat"], [sure, missing]) == Verdict("cat: no attention", 0.0)
    assert judge_whole(["dog"], [missing]) == missing


def test_ranks_are_by_confidence_and_equal_ones_keep_their_order() -> None:
    assert ranks([0.2, 0.9, 0.9, 0.0]) == [3, 1, 2, 4]


def test_half_way_it_is_judged_by_what_was_located_and_by_what_is_seen_there() -> None:
    assert foresee(located(), 0.9).confidence == pytest.approx((0.8 + 0.7 + 0.9) / 3)
    assert foresee(located(), 0.0).added
    assert foresee(located()).confidence == pytest.approx((0.8 + 0.7) / 2)
    assert foresee(located(score=None)).confidence == pytest.approx(0.8)
    assert foresee(located("it is nowhere")) == Verdict("it is nowhere", 0.0)
