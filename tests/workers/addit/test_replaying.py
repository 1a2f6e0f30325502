"""Replayed passes give, bit for bit, what passes give that are run, and are left alone where they are not
alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest
import torch
from torch import Tensor

from tests.evaluation import samples
from tests.workers import pipelines
from tests.workers.addit import golden
from tests.workers.addit.backbones.families import CPU, FAMILIES, GRID, noise, told
from tests.workers.addit.tape import Tape
from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.flux import FluxBackbone
from workers.addit.config import PAPER_REAL
from workers.addit.edits import Edit, PictureSource
from workers.addit.forward import Branches, ExtendTarget
from workers.addit.memory_tiers import DeviceTier
from workers.addit.pipeline import insert
from workers.addit.replaying import ROOM, ReplayingBackbone
from workers.addit.source_memory import SourceMemories, StepMemory

NOBODY: frozenset[str] = frozenset()


def replaying(backbone: Backbone, tape: Tape | None = None, most: int = 16) -> ReplayingBackbone:
    return ReplayingBackbone(backbone, tape or Tape(), most)


def as_backbone(backbone: ReplayingBackbone) -> Backbone:
    return cast(Backbone, backbone)


@pytest.fixture(autouse=True)
def inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.mark.parametrize("case", ["real_noising", "generated", "real_inversion"])
def test_golden_cases_are_bit_equal_however_often_they_are_replayed(case: str) -> None:
    config = golden.config(case)
    wanted = golden.run(case, config, seeds=[3])[0].latents
    backbone = replaying(golden.backbone())
    for _ in range(2):
        assert torch.equal(
            golden.run(case, config, seeds=[3], backbone=as_backbone(backbone))[0].latents, wanted
        )
    other = golden.run(case, config, seeds=[5], backbone=as_backbone(backbone))[0].latents
    assert torch.equal(other, golden.run(case, config, seeds=[5])[0].latents)
    assert backbone.counts["replayed"] > backbone.counts["eager"]
    assert backbone.counts["recorded"] <= 8
    assert not backbone.counts["refused"]


def test_a_whole_insertion_is_bit_equal_and_so_is_the_next_with_other_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FluxBackbone, "foresee", lambda *_: None)  # as on a GPU, where passes are replayed
    models = samples.tiny_bench().models
    config = replace(PAPER_REAL, localizer="attention").at_steps(8)
    source = PictureSource(samples.picture(), "a photo of a beach")
    others = replace(source, picture=samples.picture(5)), "a photo of a beach with a sheep", ("sheep",)
    edits = [
        Edit(source, "a photo of a beach with a dog", ("dog",), (1, 2), config, owner="a"),
        Edit(source, "a photo of a beach with a dog", ("dog",), (3, 4), config, owner="a"),
        Edit(*others, (1, 2), replace(config, guidance_scale=2.0), owner="b"),
    ]
    backbone = replaying(models.backbone)
    quick, slow = (SourceMemories([DeviceTier(2**30)], CPU) for _ in range(2))
    for edit in edits:
        given = insert(replace(models, backbone=as_backbone(backbone)), edit, memories=quick)
        wanted = insert(models, edit, memories=slow)
        assert torch.equal(given.latents, wanted.latents)
        assert given.forwards == wanted.forwards
        assert all((a == b).all() for a, b in zip(given.pictures, wanted.pictures, strict=True))
    assert backbone.counts["replayed"] > 3 * backbone.counts["recorded"] > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_lends_and_attends_alike(family: str) -> None:
    inner = FAMILIES[family]()
    backbone = replaying(inner)
    for seed in range(4):
        given, wanted = (lend_and_attend(one, seed) for one in (as_backbone(backbone), inner))
        assert all(torch.equal(*pair) for pair in zip(given, wanted, strict=True))
    guided = inner.guides_twice
    assert backbone.counts["replayed"] == 2 * 3 + (0 if guided else 3)


def lend_and_attend(backbone: Backbone, seed: int) -> list[Tensor]:
    """A source pass to its end, one that stops early, and a target that is lent both; all they give."""
    source, target = told(backbone)
    branches, latents = Branches(backbone, GRID), noise(backbone, seed)
    first, *_, last = backbone.layers
    with backbone.exchange_processors():
        whole = branches.source(latents, 0.2 + seed / 9, source, frozenset({first, last}), velocity=True)
        part = branches.source(latents, 0.3, source, frozenset({first}), velocity=False)
        weights = torch.full((1, 1, 1, 1), 1.0 + seed / 10)
        exchange = ExtendTarget(seed, whole, frozenset(whole.lent), weights)
        velocity = branches.target(latents, 0.5, target, exchange)
    assert whole.velocity is not None
    return [velocity, whole.velocity, *part.tensors().values(), *whole.tensors().values()]


def attend(
    backbone: ReplayingBackbone, sigma: float = 0.5, rows: int = 1, memory: StepMemory | None = None
) -> Tensor:
    latents = noise(as_backbone(backbone), *range(rows))
    exchange = ExtendTarget(0, memory, NOBODY, 1.05)
    with backbone.exchange_processors():
        return Branches(as_backbone(backbone), GRID).target(
            latents, sigma, told(as_backbone(backbone))[1], exchange
        )


@pytest.fixture
def backbone() -> ReplayingBackbone:
    return replaying(FluxBackbone(pipelines.flux(), 32, CPU))


def test_a_shape_is_recorded_when_it_comes_again(backbone: ReplayingBackbone) -> None:
    for rows in (1, 2, 3):
        attend(backbone, rows=rows)
    assert backbone.counts == {"eager": 3}
    for _ in range(3):
        attend(backbone, rows=2)
    assert backbone.counts == {"eager": 3, "recorded": 1, "replayed": 3}


def test_there_are_never_more_than_so_many(backbone: ReplayingBackbone) -> None:
    backbone.most = 2
    for rows in (1, 2, 3):
        for _ in range(2):
            attend(backbone, rows=rows)
    recorded = [kind for kind in backbone._kinds.values() if kind.replay is not None]
    assert len(recorded) == 2
    before = backbone.counts["eager"]
    attend(backbone, rows=1)
    assert backbone.counts["eager"] == before + 1
    assert {place[1][0] for place in backbone._buffers if place[0] == "latents"} == {2, 3}  # type: ignore[index]


def test_weights_that_moved_are_not_replayed(backbone: ReplayingBackbone) -> None:
    for _ in range(2):
        attend(backbone)
    weight = backbone.inner.transformer.x_embedder.weight
    weight.data = weight.data * 2
    fresh = replaying(backbone.inner)
    assert torch.equal(attend(backbone), attend(fresh))
    assert backbone.counts["eager"] == 2


def test_where_python_has_a_part_all_is_run(backbone: ReplayingBackbone) -> None:
    transformer, seen = backbone.inner.transformer, []
    for _ in range(3):
        attend(backbone)
    handle = transformer.register_forward_pre_hook(lambda module, args: seen.append(1))
    for _ in range(2):
        attend(backbone)
    handle.remove()
    assert len(seen) == 2
    block = transformer.transformer_blocks[0]
    block.forward = block.forward
    attend(backbone)
    del block.forward
    assert backbone.counts["eager"] == 4
    attend(backbone)
    assert backbone.counts["eager"] == 5, "what was recorded before the hooks is not trusted after them"


def test_whoever_looks_on_is_shown_every_pass(backbone: ReplayingBackbone) -> None:
    seen: list[str] = []

    class Watcher:
        def record(self, step: int, layer: str, query: Tensor, key: Tensor) -> None:
            seen.append(layer)

    exchange = ExtendTarget(0, None, NOBODY, 1.0, recorders=(Watcher(),))
    one = as_backbone(backbone)
    for _ in range(3):
        with backbone.exchange_processors():
            Branches(one, GRID).target(noise(one), 0.5, told(one)[1], exchange)
    assert len(seen) == 3 * len(one.layers)
    assert backbone.counts == {"eager": 3}


@pytest.mark.parametrize("tape", [Tape(broken=True), Tape(free=ROOM)])
def test_what_cannot_be_recorded_is_run(tape: Tape) -> None:
    backbone = replaying(FluxBackbone(pipelines.flux(), 32, CPU), tape)
    given = [attend(backbone) for _ in range(3)]
    assert torch.equal(given[0], given[2])
    assert backbone.counts["eager"] == 3
    assert backbone.counts["refused"] == tape.broken
    assert not backbone._buffers
