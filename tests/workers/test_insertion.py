"""The production runner on the embedded model: requests in, pictures and verdicts out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from api_schemas.insertions import InsertionRequest
from api_schemas.jobs import DroppedSeed, ResultImage
from runtime.settings import Settings
from workers.addit.edits import PictureSource
from workers.addit.latents import LatentGrid
from workers.addit.localizers import find_instances
from workers.addit.pipeline import insert
from workers.addit.placing import make_prior
from workers.closeups import look_closer
from workers.crops import Crop
from workers.dropping import BY_CALLER
from workers.insertion import AdditRunner, load_runner
from workers.models.canary import fingerprint
from workers.models.errors import WrongFingerprint
from workers.runner import NothingLeft, Place, PreviewImage, RunError

EXAMPLES = Path(__file__).parents[2] / "examples"
BEACH = next(e for e in json.loads((EXAMPLES / "examples.json").read_text()) if "beach" in e["prompt"])


@pytest.fixture(scope="module")
def runner() -> AdditRunner:
    return load_runner(Settings(device="cpu", threads=2))


@pytest.fixture(scope="module")
def beach() -> Image.Image:
    return Image.open(EXAMPLES / BEACH["file"]).convert("RGB")


def request(**changes: object) -> InsertionRequest:
    body = {
        "source": {"kind": "image", "image": {"id": "img_1"}, "prompt": BEACH["source_prompt"]},
        "prompt": BEACH["prompt"],
        "subject": BEACH["subject"],
        "seeds": [BEACH["seed"]],
        "options": {"strict_background": True},
    }
    return InsertionRequest.model_validate(body | changes)


def ignore(*step: object) -> None:
    """Nobody watches."""


def test_an_object_appears_and_every_other_pixel_stays(runner: AdditRunner, beach: Image.Image) -> None:
    steps: list[tuple[str, int, int, float]] = []
    output = runner.run(request(), beach, lambda *step: steps.append(step))
    (image,) = output.images
    assert image.fields["subject_found"], image.fields["reason"]
    assert image.image.size == beach.size
    assert image.mask is not None
    before, after = np.asarray(beach).astype(int), np.asarray(image.image).astype(int)
    changed = np.abs(after - before).max(-1) > 0
    inside = np.asarray(image.mask) > 0
    assert np.abs(after - before)[inside].mean() > 8
    assert changed.mean() < 0.6
    assert (before[~changed] == after[~changed]).all()
    assert output.cost.forwards <= 47
    assert [percent for *_, percent in steps] == sorted(percent for *_, percent in steps)
    assert steps[-1][3] == 100
    assert {"encode", "denoise", "localize", "decode"} <= {
        name for name, seconds in output.timings.model_dump().items() if seconds > 0
    }


def test_a_sentence_is_enough(runner: AdditRunner, beach: Image.Image) -> None:
    asked = request(source={"kind": "image", "image": {"id": "img_1"}}, prompt="add a dog", subject=None)
    output = runner.run(asked, beach, ignore)
    assert output.inferred is not None
    assert output.inferred.model_dump() == {
        "source_prompt": BEACH["source_prompt"],
        "prompt": f"{BEACH['source_prompt']} with a dog",
        "subject": "dog",
    }
    told = {"source_prompt": BEACH["source_prompt"], "prompt": output.inferred.prompt, "subject": "dog"}
    source = {"kind": "image", "image": {"id": "img_1"}, "prompt": told.pop("source_prompt")}
    again = runner.run(request(source=source, **told), beach, ignore)
    assert again.inferred is None
    assert np.array_equal(np.asarray(again.images[0].image), np.asarray(output.images[0].image))


def test_the_card_tells_of_the_captioner(runner: AdditRunner) -> None:
    assert runner.card.captioner


def test_the_same_request_gives_the_same_picture(runner: AdditRunner, beach: Image.Image) -> None:
    short = request(options={"num_inference_steps": 6})
    one, other = (runner.run(short, beach, ignore).images[0].image for _ in range(2))
    assert np.array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.parametrize("size", [(300, 200), (97, 131), (512, 512)])
def test_any_size_comes_back_as_it_came(
    runner: AdditRunner, beach: Image.Image, size: tuple[int, int]
) -> None:
    extras = {"include": ["mask", "attention", "cutout"]}
    asked = request(options={"num_inference_steps": 3}, output=extras)
    output = runner.run(asked, beach.resize(size), ignore)
    assert output.images[0].attention is not None
    assert output.images[0].attention.size == size
    assert output.images[0].image.size == size
    assert output.images[0].mask is not None
    assert output.images[0].mask.size == size
    assert output.images[0].cutout is not None
    assert output.images[0].cutout.mode == "RGBA"


def test_a_generated_source_comes_back_too(runner: AdditRunner) -> None:
    source = {"kind": "generated", "prompt": BEACH["source_prompt"], "seed": 3}
    output = runner.run(
        request(source=source, seeds=[1, 2], options={"num_inference_steps": 4}), None, ignore
    )
    assert len(output.images) == 2
    assert output.source is not None
    assert output.source.size == (runner.card.native_width, runner.card.native_height)


@pytest.mark.parametrize("preset", ["paper-real", "reference-real", "paper-generated"])
def test_every_preset_runs_and_is_offered(runner: AdditRunner, beach: Image.Image, preset: str) -> None:
    assert preset in runner.card.presets
    output = runner.run(request(preset=preset, options={"num_inference_steps": 4}), beach, ignore)
    assert len(output.images) == 1


def test_another_one_is_found_beside_the_first(runner: AdditRunner) -> None:
    street = Image.open(EXAMPLES / "street_with_bus.png").convert("RGB")
    source = {"kind": "image", "image": {"id": "img_1"}, "prompt": "a photo of a street with a bus"}
    asked = request(source=source, prompt="a photo of a street with a bus and a bus", subject="bus")
    (bus,) = find_instances(np.array(street.resize((256, 256))), runner.models.search("bus")).masks
    for localizer in ("grounding_sam", "attention_points_sam", "attention_instance_sam"):
        options = asked.options.model_copy(update={"num_inference_steps": 8, "localizer": localizer})
        (image,) = runner.run(asked.model_copy(update={"options": options}), street, ignore).images
        assert image.mask is not None
        mask = np.asarray(image.mask.resize((256, 256))) > 127
        assert (mask & bus.numpy()).sum() < 0.5 * bus.sum()


def test_several_subjects_are_added_together_and_told_apart(runner: AdditRunner, beach: Image.Image) -> None:
    prompt = f"{BEACH['prompt']} and a boat"
    everything = {"include": ["mask", "attention", "cutout", "overlay"]}
    asked = request(prompt=prompt, subject=[BEACH["subject"], "boat"], output=everything)
    output = runner.run(asked, beach, ignore)
    (image,) = output.images
    result = ResultImage.model_validate({**image.fields, "url": "", "width": 1, "height": 1})
    assert [one.subject for one in result.subjects] == [BEACH["subject"], "boat"]
    assert result.subject_found == all(one.found for one in result.subjects)
    boxes = [one.box for one in result.subjects if one.box]
    assert boxes
    assert result.box == [*np.min(boxes, 0)[:2].tolist(), *np.max(boxes, 0)[2:].tolist()]
    assert result.score == min(one.score for one in result.subjects if one.score is not None)
    assert all((one.reason is None) == one.found for one in result.subjects)
    assert output.cost.forwards <= 47
    missing = [one.subject for one in result.subjects if not one.found]
    told = [warning.message for warning in output.warnings if warning.code == "subject_not_found"]
    assert [text.split()[:2] for text in told] == [["no", name] for name in missing]


def test_a_helper_that_the_model_has_not_is_said(runner: AdditRunner, beach: Image.Image) -> None:
    asked = request(options={"num_inference_steps": 3, "localizer": "clipseg"})
    with pytest.raises(RunError, match="grounding_sam") as caught:
        runner.run(asked, beach, ignore)
    assert caught.value.code == "unsupported_option"


def test_a_kept_shadow_changes_no_pixel_far_from_the_subject(runner: AdditRunner, beach: Image.Image) -> None:
    options = {"num_inference_steps": 6, "strict_background": True}
    kept, cut = (
        np.asarray(
            runner.run(request(options=options | {"keep_shadow": keep}), beach, ignore).images[0].image
        )
        for keep in (True, False)
    )
    source = np.asarray(beach)
    only_kept = (kept != source).any(-1) & (cut == source).all(-1)
    assert only_kept.mean() < 0.1
    assert (kept == source).all(-1).mean() > 0.5


def test_without_a_blend_nothing_is_located(runner: AdditRunner, beach: Image.Image) -> None:
    output = runner.run(request(options={"num_inference_steps": 3, "blend_steps": []}), beach, ignore)
    assert output.images[0].fields["subject_found"] is False
    assert [warning.code for warning in output.warnings if warning.code == "subject_not_found"]


def test_the_best_seeds_are_finished_and_the_others_told(runner: AdditRunner, beach: Image.Image) -> None:
    short, seeds = {"num_inference_steps": 6, "strict_background": True}, [1, 2, 3, 4]
    whole = runner.run(request(seeds=seeds, options=short), beach, ignore)
    best = runner.run(request(seeds=seeds, options=short | {"keep_best": 2}), beach, ignore)
    kept = [image.fields["seed"] for image in best.images]
    assert 1 <= len(kept) <= 2
    assert sorted([*kept, *(one.seed for one in best.dropped)]) == seeds  # type: ignore[type-var]
    assert all(one.reason for one in best.dropped)
    assert {image.fields["rank"] for image in best.images} == set(range(1, len(kept) + 1))
    assert whole.cost.forwards - best.cost.forwards >= 4  # of two rows the two steps after the blend
    alike = [image for image in whole.images if image.fields["seed"] in kept]
    for one, other in zip(best.images, alike, strict=True):
        assert one.fields["seed"] == other.fields["seed"]
        difference = np.asarray(one.image).astype(int) - np.asarray(other.image).astype(int)
        assert np.abs(difference).max() <= 1


def test_a_seed_dropped_on_the_way_is_told_and_the_others_are_as_they_were(
    runner: AdditRunner, beach: Image.Image
) -> None:
    asked = request(seeds=[1, 2, 3], options={"num_inference_steps": 8}, output={"previews": 4})
    whole = runner.run(asked, beach, ignore, source_id="beach")
    stages: list[str] = []
    shown: list[PreviewImage] = []
    output = runner.run(
        asked,
        beach,
        lambda stage, *_: stages.append(stage),
        source_id="beach",
        on_preview=shown.append,
        place=Place("edit"),
        dropped=lambda: {2} if stages.count("denoise") >= 3 else (),
    )
    assert [image.fields["seed"] for image in output.images] == [1, 3]
    assert [image.fields["rank"] for image in output.images] in ([1, 2], [2, 1])
    assert output.dropped == (DroppedSeed(seed=2, score=None, reason=BY_CALLER),)
    steps = stages.count("denoise")
    assert runner.run(asked, beach, ignore).cost.forwards - output.cost.forwards == pytest.approx(steps - 3)
    for one, other in zip(output.images, (whole.images[0], whole.images[2]), strict=True):
        difference = np.asarray(one.image).astype(int) - np.asarray(other.image).astype(int)
        assert np.abs(difference).max() <= 1
    assert {one.index: one.seed for one in shown} == {0: 1, 1: 2, 2: 3}
    assert {one.seed for one in shown if one.step == shown[-1].step} == {1, 3}
    again = asked.model_copy(update={"seeds": [1, 3]})
    replayed = runner.run(again, beach, ignore, source_id="beach", place=Place("again", "edit"))
    assert replayed.cost.blend == "replayed"


def test_without_a_seed_left_there_is_nothing_to_give(runner: AdditRunner, beach: Image.Image) -> None:
    asked = request(seeds=[1, 2], options={"num_inference_steps": 4}, if_not_added="retry")
    with pytest.raises(NothingLeft):
        runner.run(asked, beach, ignore, dropped=lambda: [1, 2])


def test_where_blocks_are_cached_a_dropped_seed_goes_at_the_end(
    runner: AdditRunner, beach: Image.Image
) -> None:
    asked = request(seeds=[1, 2], options={"num_inference_steps": 12}, mode="fast")
    whole = runner.run(asked, beach, ignore)
    stages: list[str] = []
    output = runner.run(
        asked,
        beach,
        lambda stage, *_: stages.append(stage),
        dropped=lambda: {2} if stages.count("denoise") >= 9 else (),
    )
    assert ([image.fields["seed"] for image in output.images], output.dropped[0].seed) == ([1], 2)
    assert np.array_equal(np.asarray(output.images[0].image), np.asarray(whole.images[0].image))


def test_a_subject_outside_the_prompt_is_said(runner: AdditRunner, beach: Image.Image) -> None:
    with pytest.raises(RunError, match="elephant") as caught:
        runner.run(request(subject="elephant"), beach, ignore)
    assert caught.value.code == "subject_not_in_prompt"


def test_a_picture_too_long_is_said(runner: AdditRunner, beach: Image.Image) -> None:
    with pytest.raises(RunError) as caught:
        runner.run(request(), beach.resize((500, 60)), ignore)
    assert caught.value.code == "unsupported_size"


def test_a_step_can_stop_the_run_and_the_next_one_is_unharmed(
    runner: AdditRunner, beach: Image.Image
) -> None:
    short = request(options={"num_inference_steps": 6})
    before = np.asarray(runner.run(short, beach, ignore).images[0].image)

    def stop(stage: str, done: int, total: int, percent: float) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(short, beach, stop)
    assert np.array_equal(np.asarray(runner.run(short, beach, ignore).images[0].image), before)


def test_a_picture_of_another_world_is_warned_about(runner: AdditRunner, beach: Image.Image) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    short = request(options={"num_inference_steps": 3})
    codes = [warning.code for warning in runner.run(short, Image.fromarray(noise), ignore).warnings]
    assert "out_of_domain" in codes
    assert "out_of_domain" not in [w.code for w in runner.run(short, beach, ignore).warnings]


@pytest.mark.fault(25)
def test_the_canary_notices_other_weights(runner: AdditRunner, tmp_path: Path) -> None:
    recorded = fingerprint(runner.profile, runner.models)
    (tmp_path / "same.json").write_text(json.dumps(recorded.tolist()))
    (tmp_path / "other.json").write_text(json.dumps((255 - recorded).tolist()))
    replace(runner, profile=replace(runner.profile, fingerprint=tmp_path / "same.json")).canary()
    with pytest.raises(WrongFingerprint, match="grey levels"):
        replace(runner, profile=replace(runner.profile, fingerprint=tmp_path / "other.json")).canary()


def test_nothing_keeps_a_gradient(runner: AdditRunner) -> None:
    assert not any(p.requires_grad for p in runner.models.pipe.transformer.parameters())
    assert torch.is_grad_enabled()


@pytest.fixture(scope="module")
def photo(beach: Image.Image) -> Image.Image:
    """A large, grainy photograph of the beach."""
    large = np.asarray(beach.resize((1200, 1000), Image.Resampling.LANCZOS)).astype(np.float32)
    grain = np.random.default_rng(0).normal(0, 3, large.shape)
    return Image.fromarray((large + grain).round().clip(0, 255).astype(np.uint8))


SHORT = {"num_inference_steps": 6, "strict_background": True}


def test_a_large_photograph_stays_what_it_is_around_what_was_added(
    runner: AdditRunner, photo: Image.Image
) -> None:
    steps: list[float] = []
    everything = {"include": ["mask", "attention", "cutout", "overlay"]}
    asked = request(options=SHORT, output=everything, seeds=[1, 2])
    output = runner.run(asked, photo, lambda *step: steps.append(step[3]))
    assert steps == sorted(steps)
    for image in output.images:
        pictures = image.image, image.mask, image.attention, image.cutout, image.overlay
        assert [picture.size for picture in pictures if picture] == [photo.size] * 5
        assert image.mask is not None
        box = image.mask.getbbox()
        assert image.fields["box"] == (list(box) if box else None)
        changed = (np.asarray(image.image) != np.asarray(photo)).any(axis=-1)
        assert changed.mean() < 0.6


def test_a_closer_look_starts_from_the_first_and_gives_the_part_at_its_own_size(
    runner: AdditRunner, photo: Image.Image
) -> None:
    edit = runner.to_edit(request(options=SHORT), photo)
    draft, steps = Image.fromarray(insert(runner.models, edit).pictures[0]), list[int]()
    crop = Crop(left=400, top=300, size=(512, 512), working=(256, 256))
    close_up = look_closer(runner.models, photo, crop, draft, edit, lambda *step: steps.append(step[1]))
    assert isinstance(close_up.edit.source, PictureSource)
    assert close_up.edit.source.draft is not None
    assert close_up.edit.source.draft.shape == close_up.edit.source.picture.shape == (256, 256, 3)
    assert close_up.done.pictures[0].shape == close_up.done.source.shape == (512, 512, 3)
    assert (np.asarray(close_up.part) == np.asarray(photo)[300:812, 400:912]).all()
    assert (close_up.edit.prompt, close_up.edit.subjects, close_up.edit.seeds) == (
        edit.prompt,
        edit.subjects,
        edit.seeds,
    )
    assert len(steps) == 6 - close_up.edit.config.structure_transfer_step
    output = runner.to_output(request(), photo, edit, insert(runner.models, edit), [close_up])
    assert output.cost.forwards > close_up.done.forwards.total


def test_what_a_closer_look_does_not_find_is_enlarged_and_said(
    runner: AdditRunner, photo: Image.Image
) -> None:
    edit = runner.to_edit(request(options=SHORT), photo)
    done = insert(runner.models, edit)
    output = runner.to_output(request(), photo, edit, done, [None])
    found = bool(output.images[0].fields["subject_found"])
    assert ("upscaled" in [warning.code for warning in output.warnings]) == found
    assert output.images[0].image.size == photo.size


def test_the_overlay_shows_what_happened(runner: AdditRunner, beach: Image.Image) -> None:
    short = request(options={"num_inference_steps": 4}, output={"include": ["overlay"]})
    (image,) = runner.run(short, beach, ignore).images
    assert image.overlay is not None
    assert image.overlay.size == beach.size
    assert (np.asarray(image.overlay) != np.asarray(image.image)).any()


def test_previews_come_nearer_to_the_result(runner: AdditRunner, beach: Image.Image) -> None:
    seen: list[PreviewImage] = []
    seeds = [BEACH["seed"], BEACH["seed"] + 1]
    asked = request(seeds=seeds, output={"previews": 3}, options={"strict_background": False})
    output = runner.run(asked, beach, ignore, on_preview=seen.append)
    assert [(shown.number, shown.index) for shown in seen] == [(n, i) for n in range(3) for i in range(2)]
    assert [shown.seed for shown in seen[:2]] == seeds
    result = np.asarray(output.images[0].image, np.float32)
    far = [
        np.abs(np.asarray(shown.image.resize(beach.size), np.float32) - result).mean()
        for shown in seen
        if shown.index == 0
    ]
    assert far == sorted(far, reverse=True)
    assert max(max(shown.image.size) for shown in seen) <= 256


def test_another_mask_costs_the_steps_after_the_blend(runner: AdditRunner, beach: Image.Image) -> None:
    asked = request(options={"num_inference_steps": 10, "strict_background": True})
    first = runner.run(asked, beach, ignore, "acme", place=Place("ins_1"))
    whole, mask = Image.new("L", (50, 50), 255), Image.new("L", beach.size)
    mask.paste(255, (0, 0, beach.width // 2, beach.height))
    again = runner.run(asked, beach, ignore, "acme", place=Place("ins_2", "ins_1", mask))
    anew = runner.run(asked, beach, ignore, "globex", place=Place("ins_3", "ins_1", mask))
    assert (first.cost.blend, again.cost.blend, anew.cost.blend) == (None, "replayed", "recomputed")
    assert again.cost.forwards < first.cost.forwards / 2 < anew.cost.forwards
    assert np.array_equal(np.asarray(again.images[0].image), np.asarray(anew.images[0].image))
    assert again.images[0].fields["box"] == [0, 0, beach.width // 2, beach.height]
    wider = runner.run(asked, beach, ignore, "acme", place=Place("ins_4", "ins_2", whole))
    assert wider.cost.blend == "replayed"
    with pytest.raises(RunError, match="empty"):
        runner.run(asked, beach, ignore, "acme", place=Place("ins_5", "ins_1", Image.new("L", (8, 8))))


def test_another_localizer_is_replayed_too(runner: AdditRunner, beach: Image.Image) -> None:
    options = {"num_inference_steps": 10, "localizer": "attention_points_sam"}
    runner.run(request(options=options), beach, ignore, "acme", place=Place("ins_6"))
    other = request(options={**options, "localizer": "attention"})
    again = runner.run(other, beach, ignore, "acme", place=Place("ins_7", "ins_6"))
    fresh = runner.run(other, beach, ignore, "acme")
    assert again.cost.blend == "replayed"
    assert np.array_equal(np.asarray(again.images[0].image), np.asarray(fresh.images[0].image))


def test_nothing_changes_outside_the_region_that_was_asked_for(
    runner: AdditRunner, beach: Image.Image
) -> None:
    width, height = beach.size
    options = {"num_inference_steps": 6, "strict_background": True, "keep_shadow": False}
    asked = request(options=options, region={"box": [0, 0, width // 2, height]})
    (image,) = runner.run(asked, beach, ignore).images
    changed = (np.asarray(image.image) != np.asarray(beach)).any(axis=-1)
    cell = -(-width * runner.models.size_multiple // 256)
    fade = cell // 8 + cell // 4  # the mask's feather, and the tail of its blur
    assert not changed[:, width // 2 + cell + fade :].any()


def test_a_mask_and_a_box_of_the_same_place_are_the_same_edit(
    runner: AdditRunner, beach: Image.Image
) -> None:
    width, height = beach.size
    mask = Image.new("RGB", (20, 10))
    mask.paste("white", (10, 0, 20, 10))
    boxed = runner.to_edit(request(region={"box": [width // 2, 0, width, height]}), beach)
    masked = runner.to_edit(request(region={"mask": {"id": "img_1"}}), beach, {"region": mask})
    assert boxed.placing is not None
    assert masked.placing is not None
    priors = [
        make_prior(edit.placing, 256, 256, LatentGrid(16, 16)) for edit in (boxed, masked) if edit.placing
    ]
    torch.testing.assert_close(priors[0].lift, priors[1].lift)


def test_a_region_that_is_all_to_be_avoided_fails_with_its_code(
    runner: AdditRunner, beach: Image.Image
) -> None:
    everything = {"box": [0, 0, *beach.size]}
    with pytest.raises(RunError) as failed:
        runner.run(request(region=everything, avoid=everything), beach, ignore)
    assert failed.value.code == "region_empty"
