"""Results told honestly, and drawn."""

from __future__ import annotations

from PIL import Image, ImageOps

from api_schemas.jobs import ResultImage
from studio.results import MARGIN, Shown, caption, drawn, ranked, uncovered_from, verdicts
from tests.studio.samples import image, job


def shown(mask: Image.Image | None = None, attention: Image.Image | None = None) -> Shown:
    told = ResultImage.model_validate(image())
    return Shown(told, Image.new("RGB", (16, 16), "gray"), None, mask, attention, None)


def half(mode: str = "L") -> Image.Image:
    area = Image.new(mode, (16, 16))
    area.paste(255, (0, 0, 8, 16))
    return area


def test_the_surest_stands_first() -> None:
    done = job(image(1, rank=3), image(2, rank=1), image(3, rank=2))
    assert done.result is not None
    assert [one.seed for one in ranked(done.result.images)] == [2, 3, 1]


def test_what_was_not_added_is_said_with_the_ladder_that_was_tried() -> None:
    tries = [
        {"seed": 1, "extended_scale": 1.05, "structure_transfer_step": 4, "added": False},
        {"seed": 1, "extended_scale": 1.075, "structure_transfer_step": 4, "added": False},
    ]
    missing = {"subject": "dog", "found": False}
    told = verdicts(job(image(1, found=False, reason="no <b> there", subjects=[missing], tries=tries)))
    assert "not added. No trace of dog" in told
    assert "&lt;b&gt;" in told
    assert told.count("<li>γ 1.0") == 2


def test_dropped_seeds_warnings_and_cost_are_told() -> None:
    weak, unwanted = (
        {"seed": 9, "score": 0.1, "reason": "weak"},
        {"seed": 8, "score": None, "reason": "asked"},
    )
    warnings = [{"code": "out_of_domain", "message": "unlike what it knows"}]
    told = verdicts(job(image(), result={"dropped": [weak, unwanted], "warnings": warnings}))
    assert "Seed 9: dropped early, weak" in told
    assert "Seed 8: let go by you." in told
    assert "unlike what it knows" in told
    assert "26 forwards, 1.2 s of the worker, the scene was remembered." in told
    assert "from “a place” to “a place with a dog”; new: dog." in told


def test_a_caption_does_not_call_a_missing_object_sure() -> None:
    lacking = ResultImage.model_validate(image(found=False, confidence=0.4))
    assert caption(lacking) == "seed 1 · not added"
    assert caption(ResultImage.model_validate(image(confidence=0.931))) == "seed 1 · added, 93%"


def test_overlays_change_only_what_they_cover() -> None:
    one = shown(mask=half(), attention=half())
    assert drawn(one, []) is one.picture
    for overlays in (["mask"], ["attention"], ["mask", "attention"]):
        over = drawn(one, overlays)
        assert over.getpixel((2, 8)) != one.picture.getpixel((2, 8))
        assert over.getpixel((13, 8)) == one.picture.getpixel((13, 8))


def test_a_result_without_mask_or_attention_stays_as_it_is() -> None:
    assert drawn(shown(), ["mask", "attention"]).tobytes() == shown().picture.tobytes()


def test_the_slider_begins_left_of_the_object_and_uncovers_all_where_none_is_known() -> None:
    mask = ImageOps.mirror(half())
    assert uncovered_from(mask) == 50 - MARGIN
    assert [uncovered_from(one) for one in (half(), Image.new("L", (16, 16)), None)] == [MARGIN] * 3
