"""What the loop promises beside its numbers: its cost, its independence of the batch, its harmlessness."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.workers.addit import golden
from workers.addit.blending import mix, open_cells
from workers.addit.cast_shadow import shadow_room
from workers.addit.forward import Branches
from workers.addit.localizers import Located, Search, locate

NOISING = golden.config("real_noising")
LAYERS = len(golden.backbone().layers)
DOUBLE = len(golden.transformer().transformer_blocks)


def test_noising_costs_at_most_26_target_and_17_source_forwards() -> None:
    _, branches = golden.run("real_noising", NOISING)
    assert branches.count.target == 26
    assert branches.count.source <= 17


def test_four_variations_share_one_source() -> None:
    done, branches = golden.run("real_noising", NOISING, seeds=[1, 2, 3, 4])
    assert done.latents.shape[0] == 4
    assert branches.count.source <= 17
    assert branches.count.total <= 2.9 * 43


def test_a_variation_does_not_depend_on_its_batch() -> None:
    alone, _ = golden.run("real_noising", NOISING, seeds=[3])
    among, _ = golden.run("real_noising", NOISING, seeds=[1, 3, 4])
    torch.testing.assert_close(among.latents[1], alone.latents[0], atol=1e-4, rtol=0)


def test_a_generated_source_is_run_once_when_its_memory_fits() -> None:
    config = golden.config("generated")
    kept, cheap = golden.run("generated", config)
    recomputed, dear = golden.run("generated", config, known=golden.memory(0))
    assert (cheap.count.source, cheap.count.target) == (30, 28)
    assert dear.count.source > cheap.count.source
    torch.testing.assert_close(kept.latents, recomputed.latents, atol=1e-4, rtol=0)


def test_an_inversion_stops_at_the_transfer_step_and_lends_its_first_evaluations() -> None:
    config = golden.config("real_inversion")
    kept, cheap = golden.run("real_inversion", config)
    recomputed, dear = golden.run("real_inversion", config, known=golden.memory(0))
    assert cheap.count.source <= 2 * 26 + 1  # one more forward, for the transfer step itself
    assert dear.count.source > cheap.count.source
    torch.testing.assert_close(kept.latents, recomputed.latents, atol=1e-4, rtol=0)


def test_strict_background_ends_on_the_source_outside_the_subject() -> None:
    config = replace(NOISING, strict_background=True, keep_shadow=False)
    done, _ = golden.run("real_noising", config)
    outside = done.blends[-1].keep[0, :, 0] == 0
    source = golden.expected("real_noising")["source_x0"]
    assert outside.any()
    torch.testing.assert_close(done.latents[0][outside], source[outside], atol=1e-5, rtol=0)


def test_a_kept_shadow_frees_its_room_and_nothing_beyond() -> None:
    config = replace(NOISING, strict_background=True)
    done, _ = golden.run("real_noising", config)
    keep = done.blends[-1].keep
    cells = keep.reshape(golden.GRID.height, golden.GRID.width) > 0
    free = shadow_room(cells).flatten()
    assert torch.equal(open_cells(keep, golden.GRID, config)[0, :, 0] > 0, free)
    source = golden.expected("real_noising")["source_x0"]
    torch.testing.assert_close(done.latents[0][~free], source[~free], atol=1e-5, rtol=0)
    around = free & ~cells.flatten()
    assert around.any()
    assert not torch.isclose(done.latents[0][around], source[around], atol=1e-3).all()


def test_every_blend_finds_the_subject_afresh() -> None:
    done, _ = golden.run("real_noising", replace(NOISING, blend_steps=(10, 15, 20)))
    assert [one.step for one in done.blends] == [10, 15, 20]
    maps = [one.maps for one in done.blends]
    assert not any(torch.equal(one, other) for one, other in combinations(maps, 2))
    last, _ = golden.run("real_noising", replace(NOISING, blend_steps=(10, 20)))
    assert torch.equal(last.blends[0].maps, maps[0])


SCORES = [0.2, 0.9, 0.4, 0.8]


def surer(maps: Tensor, x0: Tensor) -> list[tuple[Located, ...]]:
    """What attention alone finds, and the second and fourth rows of four surest."""
    found = locate("attention", maps, lambda row: golden.no_picture(), [Search()])
    scores = SCORES if len(found) == 4 else [0.5] * len(found)
    return [(replace(one, score=score),) for (one,), score in zip(found, scores, strict=True)]


VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "strict": {"strict_background": True, "softness": 1.0},
    "several blends": {"blend_steps": (10, 11, 18)},
    "auto gamma": {"extended_scale": "auto"},
    "auto gamma after the blend": {"extended_scale": "auto", "blend_steps": (4, 20)},
    "offset": {"use_offset": True},
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("case", ["real_noising", "real_inversion", "generated"])
def test_those_kept_end_as_if_nobody_had_been_dropped(case: str, variant: str) -> None:
    config = replace(golden.config(case), **VARIANTS[variant])
    first, known, seeds = config.blend_steps[0], golden.memory(), [1, 2, 3, 4]
    whole, all_four = golden.run(case, config, seeds, known, find=surer)
    best, two = golden.run(case, replace(config, keep_best=2), seeds, known, find=surer)
    torch.testing.assert_close(best.latents, whole.latents[[1, 3]], atol=1e-4, rtol=0)
    assert list(best.dropped) == [0, 2]
    assert all_four.count.target - two.count.target == pytest.approx(
        2 * (29 - first) + (2 * 4 * DOUBLE / LAYERS if variant == "auto gamma after the blend" else 0)
    )
    for one, other in zip(best.blends, whole.blends, strict=True):
        assert len(one.located) == 2
        torch.testing.assert_close(one.maps, other.maps[[1, 3]], atol=1e-5, rtol=0)
        torch.testing.assert_close(one.keep, other.keep[[1, 3]], atol=1e-4, rtol=0)
    if variant.startswith("auto"):
        assert best.gamma is not None
        assert whole.gamma is not None
        torch.testing.assert_close(best.gamma.value, whole.gamma.value[[1, 3]], atol=1e-4, rtol=0)
        assert isinstance(best.scale, Tensor)
        assert len(best.scale) == 2


def test_a_replayed_blend_may_drop_too_and_what_is_kept_can_be_replayed() -> None:
    config, seeds = replace(NOISING, strict_background=True), [1, 2, 3, 4]
    keeping = replace(config, keep_best=2)
    whole, _ = golden.run("real_noising", config, seeds, find=surer)
    best, _ = golden.run("real_noising", keeping, seeds, find=surer)
    dropped, branches = golden.run("real_noising", keeping, resume=whole.blends[0], find=surer)
    again, _ = golden.run("real_noising", keeping, resume=best.blends[0], find=surer)
    assert list(dropped.dropped) == [0, 2]
    assert branches.count.target == 2 * (29 - whole.blends[0].step)
    assert not again.dropped
    for one in (dropped, again):
        torch.testing.assert_close(one.latents, best.latents, atol=1e-4, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_rows_leave_between_any_two_steps_and_the_others_end_alike(variant: str) -> None:
    config = replace(NOISING, **VARIANTS[variant])
    first, later = config.structure_transfer_step, config.blend_steps[0] + 2
    known, seeds, leaves = golden.memory(), [1, 2, 3, 4], {0: first, 2: later}
    whole, all_four = golden.run("real_noising", config, seeds, known)
    left, fewer = golden.run(
        "real_noising",
        config,
        seeds,
        known,
        unwanted=lambda step: {row for row, at in leaves.items() if step >= at},
    )
    assert (left.rows, dict(left.dropped)) == ((1, 3), {})
    torch.testing.assert_close(left.latents, whole.latents[[1, 3]], atol=1e-4, rtol=0)
    looks = 4 * DOUBLE / LAYERS if variant.startswith("auto") else 0
    saved = (30 - first) + (30 - later) + looks
    assert all_four.count.target - fewer.count.target == pytest.approx(saved)
    for one, other in zip(left.blends, whole.blends, strict=True):
        assert len(one.located) == 2
        torch.testing.assert_close(one.maps, other.maps[[1, 3]], atol=1e-5, rtol=0)


def test_rows_that_leave_are_not_among_those_a_blend_chooses_from() -> None:
    config = replace(NOISING, keep_best=2)
    done, _ = golden.run(
        "real_noising", config, [1, 2, 3, 4], find=surer, unwanted=lambda step: {1} if step > 10 else ()
    )
    assert {*done.rows, *done.dropped} == {0, 2, 3}
    assert len(done.rows) == 2


def test_without_a_row_left_nothing_more_is_done() -> None:
    done, branches = golden.run(
        "real_noising", NOISING, [1, 2], unwanted=lambda step: {0, 1} if step > 7 else ()
    )
    assert (done.rows, len(done.latents)) == ((), 0)
    assert branches.count.target == 2 * 4  # steps 4 to 7


def test_what_is_told_by_row_goes_with_its_row() -> None:
    config = replace(NOISING, keep_best=2)
    scales = torch.tensor([1.0, 2.0, 3.0, 4.0])
    best, _ = golden.run("real_noising", config, [1, 2, 3, 4], find=surer, guidance=scales)
    told, _ = golden.run("real_noising", config, [2, 4], find=surer, guidance=scales[[1, 3]])
    torch.testing.assert_close(best.latents, told.latents, atol=1e-4, rtol=0)


def test_extension_alone_changes_the_target() -> None:
    never = replace(NOISING, extend_double_until=-1, extend_single_until=-1, blend_steps=())
    plain, branches = golden.run("real_noising", never)
    extended, _ = golden.run("real_noising", replace(NOISING, blend_steps=()))
    assert branches.count.source == 0
    assert not torch.allclose(plain.latents, extended.latents)


def test_processors_are_given_back_whatever_happens() -> None:
    model = golden.transformer()
    before = {name: type(processor) for name, processor in model.attn_processors.items()}
    with pytest.raises(KeyboardInterrupt), golden.backbone().exchange_processors():
        raise KeyboardInterrupt
    assert {name: type(processor) for name, processor in model.attn_processors.items()} == before


def test_blend_takes_each_side_where_it_belongs() -> None:
    source, target = torch.zeros(1, 3, 2), torch.ones(2, 3, 2)
    keep = torch.tensor([[1.0, 0, 0], [0, 1, 1]])[..., None]
    assert torch.equal(mix(source, target, keep), keep.expand(2, 3, 2))


@torch.inference_mode()
def test_the_bytes_of_a_pass_are_known_before_it() -> None:
    branches = Branches(golden.backbone(), golden.GRID)
    layers = frozenset(branches.backbone.layers[:3])
    cond, latents = golden.conditioning("source", 1.0), golden.expected("real_noising")["source_x0"][None]
    with branches.backbone.exchange_processors():
        passed = branches.source(latents, 0.5, cond, layers, velocity=True)
    assert branches.lent_bytes(latents, layers) == passed.nbytes
