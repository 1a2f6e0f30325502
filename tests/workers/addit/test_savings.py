"""The ten exact savings of docs/method.md: each leaves the result as it was, and each is counted.

The golden tensors (test_golden.py) come from an implementation that saves nothing; agreeing with them shows
1, 2, 5 and 6 for whole runs. Here each is also seen in the count of forwards, blocks counting by their share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.workers.addit import golden
from tests.workers.addit.backbones.families import CPU, FAMILIES, PROMPTS
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.boxes import Detection
from workers.addit.config import PAPER_REAL, Inversion
from workers.addit.denoise import gamma_step
from workers.addit.edits import Edit, PictureSource
from workers.addit.forward import Branches, ExtendTarget
from workers.addit.localizers import Located, Picture, Segmentation, SegmenterPrompt
from workers.addit.masks import fill_box
from workers.addit.memory_tiers import DeviceTier
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.source_memory import SourceMemories

NOISING, GENERATED = golden.config("real_noising"), golden.config("generated")
INVERSION = golden.config("real_inversion")
LAYERS = len(golden.backbone().layers)
DOUBLE = len(golden.transformer().transformer_blocks)
CASES = {"real_noising": NOISING, "generated": GENERATED, "real_inversion": INVERSION}


def same(given: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(given, wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("case", CASES)
def test_1_target_steps_before_the_transfer_are_not_computed(case: str) -> None:
    _, branches = golden.run(case, CASES[case])
    assert branches.count.target == 30 - CASES[case].structure_transfer_step


def test_2_after_the_last_extended_step_the_source_rests() -> None:
    _, until_15 = golden.run("real_noising", NOISING)
    _, until_25 = golden.run("real_noising", replace(NOISING, blend_steps=(25,)))
    strict, branches = golden.run("real_noising", replace(NOISING, blend_steps=(25,), strict_background=True))
    assert until_25.count.source == pytest.approx(
        until_15.count.source + 1 + 1 / LAYERS, abs=1 / LAYERS + 1e-6
    )
    assert branches.count.source < until_25.count.source
    assert strict.blends[0].step == 25


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "change",
    [{"extended_scale": 1.15, "guidance_scale": 2.0}, {"blend_steps": (12, 18), "use_offset": True}],
    ids=lambda change: next(iter(change)),
)
def test_3_another_edit_of_a_known_source_runs_no_source(case: str, change: dict[str, object]) -> None:
    another, known = replace(CASES[case], **change), golden.memory()  # type: ignore[arg-type]
    golden.run(case, CASES[case], seeds=[5], known=known)
    if case != "generated":  # velocities that the first had no use for
        golden.run(case, another, seeds=[6], known=known)
    done, branches = golden.run(case, another, seeds=[7, 8], known=known)
    fresh, _ = golden.run(case, another, seeds=[7, 8])
    assert branches.count.source == 0
    same(done.latents, fresh.latents)


@pytest.mark.parametrize("case", ["generated", "real_inversion"])
def test_4_what_makes_the_path_also_lends(case: str) -> None:
    kept, cheap = golden.run(case, CASES[case])
    recomputed, dear = golden.run(case, CASES[case], known=golden.memory(0))
    assert cheap.count.source < dear.count.source - 10
    same(kept.latents, recomputed.latents)


@torch.inference_mode()
def test_5_a_pass_ends_with_the_last_block_that_lends() -> None:
    branches = Branches(golden.backbone(), golden.GRID)
    layers = frozenset(branches.backbone.layers[:DOUBLE])
    cond, latents = golden.conditioning("source", 1.0), golden.expected("real_noising")["source_x0"][None]
    with branches.backbone.exchange_processors():
        whole = branches.source(latents, 0.5, cond, layers, velocity=True)
        part = branches.source(latents, 0.5, cond, layers, velocity=False)
    assert branches.count.source == 1 + DOUBLE / LAYERS
    assert part.velocity is None
    for layer in layers:
        same(part.lent[layer][0], whole.lent[layer][0])


@pytest.mark.parametrize(("inversion", "forwards"), [("euler", 26), ("fixed_point", 52), ("midpoint", 27)])
def test_6_inversions_stop_at_the_transfer_step(inversion: Inversion, forwards: int) -> None:
    config = replace(
        INVERSION, inversion=inversion, extend_double_until=-1, extend_single_until=-1, blend_steps=()
    )
    _, branches = golden.run("real_inversion", config)
    assert branches.count.source == forwards


@pytest.mark.parametrize("inversion", ["euler", "fixed_point", "midpoint"])
def test_6_and_go_on_from_there_when_more_is_wanted(inversion: Inversion) -> None:
    late, early = replace(INVERSION, inversion=inversion), golden.memory()
    golden.run("real_inversion", late, known=early)
    more = replace(late, structure_transfer_step=2)
    done, branches = golden.run("real_inversion", more, known=early)
    fresh, whole = golden.run("real_inversion", more)
    assert branches.count.source < whole.count.source / 2
    same(done.latents, fresh.latents)


@pytest.mark.parametrize(
    ("case", "strict"), [("generated", False), ("real_noising", True), ("real_inversion", False)]
)
def test_7_a_blend_is_replayed_with_another_mask(case: str, strict: bool) -> None:
    config = replace(CASES[case], strict_background=strict)
    mask = torch.zeros(golden.GRID.height, golden.GRID.width, dtype=torch.bool)
    mask[2:9, 3:12] = True

    def given(maps: Tensor, x0: Tensor) -> Sequence[tuple[Located, ...]]:
        return [(Located(row[0], mask, mask),) for row in maps]

    known = golden.memory()
    first, _ = golden.run(case, config, known=known)
    again, branches = golden.run(case, config, known=known, resume=first.blends[0], find=given)
    fresh, _ = golden.run(case, config, find=given)
    assert (branches.count.source, branches.count.target) == (0, 29 - first.blends[0].step)
    same(again.latents, fresh.latents)
    assert not torch.allclose(again.latents, first.latents)


def test_8_even_spread_is_searched_in_the_double_blocks_alone() -> None:
    auto = replace(NOISING, extended_scale="auto")
    found, branches = golden.run("real_noising", auto, seeds=[3, 4])
    assert found.gamma is not None
    assert branches.count.target == pytest.approx(2 * (26 + 4 * DOUBLE / LAYERS))
    assert ((found.gamma.value >= 1.0) & (found.gamma.value <= 1.2)).all()
    assert gamma_step(auto) == 5


def test_8_and_the_step_then_runs_once_with_what_was_found() -> None:
    auto = replace(NOISING, extended_scale="auto", structure_transfer_step=5)
    found, _ = golden.run("real_noising", auto)
    assert found.gamma is not None
    told, _ = golden.run("real_noising", replace(auto, extended_scale=float(found.gamma.value)))
    same(found.latents, told.latents)


@dataclass
class Counts:
    """Rows that went through a pipeline's text encoders and its decoder."""

    texts: list[int] = field(default_factory=list)
    decoded: int = 0

    @contextmanager
    def watching(self, pipe: Any) -> Iterator[Counts]:
        """While it lasts, `texts` gets one number a call, of T5's; CLIP is told the same."""

        def encoded(module: Any, args: Any, output: Any) -> None:
            self.texts.append(output[0].shape[0])

        def decoded(module: Any, args: Any, output: Any) -> None:
            self.decoded += output.shape[0]

        encoder, decoder = pipe.text_encoder_2, pipe.vae.decoder
        handles = encoder.register_forward_hook(encoded), decoder.register_forward_hook(decoded)
        try:
            yield self
        finally:
            for handle in handles:
                handle.remove()


@dataclass
class Finder:
    """Sees one thing in everything, and counts the pictures it is shown."""

    shown: int = 0

    def __call__(self, picture: Picture, text: str) -> list[Detection]:
        self.shown += 1
        left = 8.0 * (self.shown % 5)
        return [Detection((left, 0.0, left + 8.0, 16.0), 0.9)]


def outline(picture: Picture, prompt: SegmenterPrompt) -> Segmentation:
    """The box itself."""
    assert prompt.box is not None
    return Segmentation(fill_box(prompt.box, *picture.shape[:2]), 0.8)


def test_9_one_encoding_for_a_prompt_and_one_decoding_at_a_blend() -> None:
    backbone, finder = cast(Any, FAMILIES["flux"]()), Finder()
    models = Models(
        backbone.pipe, backbone, outline, backbone.layers[-1:], backbone.text_len, CPU, detector=finder
    )
    side, memories = 3 * models.size_multiple, SourceMemories([DeviceTier(2**30)], CPU)
    source = PictureSource(np.zeros((side, side, 3), np.uint8), PROMPTS[0])
    config = replace(PAPER_REAL.at_steps(4), localizer="grounding_sam")
    edit = Edit(source, PROMPTS[1], ("dog",), (1, 2), config)

    def spent(edit: Edit, models: Models = models) -> tuple[list[int], int]:
        with Counts().watching(backbone.pipe) as counts:
            insert(models, edit, memories=memories)
        return counts.texts, counts.decoded

    assert spent(edit) == ([2], 2 + 1 + 2)  # at the blend, the source once, at the end
    assert finder.shown == 3  # the source, and each clean guess
    assert spent(replace(edit, seeds=(3,))) == ([], 1 + 1)
    assert spent(replace(edit, seeds=(3,), prompt="a photo of a dog")) == ([1], 1 + 1)
    assert spent(replace(edit, owner="another")) == ([2], 2 + 1 + 2)
    dropping = replace(edit, config=replace(config, keep_best=1))
    assert spent(dropping) == ([], 2 + 1)  # what is judged is what was located in
    assert spent(edit, replace(models, identity="with an adapter")) == ([2], 2 + 1 + 2)


@torch.inference_mode()
def test_10_steps_of_different_jobs_share_a_batch() -> None:
    branches = Branches(golden.backbone(), golden.GRID)
    conds = [golden.conditioning("target", 3.5), golden.conditioning("source", 2.0)]
    levels, exchange = [0.8, 0.3], ExtendTarget(25, None, frozenset(), 1.0)
    latents = golden.expected("real_noising")["source_x0"][None] + torch.tensor([0.1, -0.2])[:, None, None]
    together = Conditioning(
        torch.cat([cond.prompt_embeds for cond in conds]),
        torch.cat([cond.pooled_prompt_embeds for cond in conds if cond.pooled_prompt_embeds is not None]),
        torch.tensor([3.5, 2.0]),
    )
    with branches.backbone.exchange_processors():
        alone = [
            branches.target(row[None], level, cond, exchange)
            for row, level, cond in zip(latents, levels, conds, strict=True)
        ]
        batch = branches.target(latents, torch.tensor(levels), together, exchange)
    same(batch, torch.cat(alone))
