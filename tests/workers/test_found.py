"""What is told of several subjects together and of each."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from api_schemas.jobs import SubjectResult
from workers.addit.localizers import Located
from workers.addit.verdicts import Verdict
from workers.found import (
    attention_on_all,
    missing_of,
    ranked,
    subject_masks,
    told_of_each,
    united,
    whole_score,
    worth,
)
from workers.runner import OutputImage


def located(left: int, score: float | None) -> Located:
    attention, mask = torch.zeros(4, 4), torch.zeros(32, 32, dtype=torch.bool)
    attention[:, left // 8], mask[8:16, left : left + 8] = 1.0, True
    return Located(attention, attention > 0.5, mask, score)


EMPTY = torch.zeros(4, 4, dtype=torch.bool)
NOWHERE = Located(torch.zeros(4, 4), EMPTY, EMPTY, missing="no attention")
BOTH = (located(0, 0.9), located(24, 0.7))


def test_masks_of_any_size_unite_at_the_callers() -> None:
    masks = subject_masks((*BOTH, NOWHERE), (64, 64))
    assert [mask.getbbox() for mask in masks] == [(0, 16, 16, 32), (48, 16, 64, 32), None]
    whole = np.asarray(united(masks))
    assert (whole == np.max([np.asarray(mask) for mask in masks], axis=0)).all()
    assert (np.asarray(united(masks[:1])) == np.asarray(masks[0])).all()


def test_the_whole_draws_the_most_attention_and_has_the_least_score() -> None:
    assert attention_on_all(BOTH)[0].tolist() == [1, 0, 0, 1]
    assert whole_score((*BOTH, NOWHERE)) == 0.7
    assert whole_score([NOWHERE]) is None


def test_each_is_told_as_results_have_it() -> None:
    found = (BOTH[0], NOWHERE)
    verdicts = (Verdict(None, 0.8), Verdict("no attention", 0.0))
    told = told_of_each(["dog", "cat"], verdicts, found, subject_masks(found, (32, 32)))
    dog, cat = map(SubjectResult.model_validate, told)
    assert dog == SubjectResult(subject="dog", found=True, score=0.9, box=[0, 8, 8, 16])
    assert cat == SubjectResult(subject="cat", found=False, reason="no attention")


@pytest.mark.parametrize(
    ("found", "missing", "value"),
    [((True, True), [], 0.4), ((True, False), ["cat"], -1.0), ((False, False), ["dog", "cat"], -2.0)],
)
def test_what_lacks_less_is_worth_more(found: tuple[bool, bool], missing: list[str], value: float) -> None:
    each = [{"subject": name, "found": there} for name, there in zip(("dog", "cat"), found, strict=True)]
    image = OutputImage(Image.new("RGB", (8, 8)), {"subjects": each, "confidence": 0.4})
    assert missing_of(image) == missing
    assert worth(image) == value


def test_the_surest_has_the_first_rank_and_all_keep_their_places() -> None:
    each = [{"subject": "dog", "found": True}]
    images = tuple(
        OutputImage(Image.new("RGB", (8, 8)), {"subjects": each, "confidence": sure})
        for sure in (0.2, 0.9, 0.5)
    )
    placed = ranked(images)
    assert [image.fields["rank"] for image in placed] == [3, 1, 2]
    assert [image.fields["confidence"] for image in placed] == [0.2, 0.9, 0.5]
