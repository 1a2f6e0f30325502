"""The count of passes made beforehand is the count of those that run."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from api_schemas.forwards import (
    CLOSER_START,
    EVALUATIONS,
    LARGE,
    PUBLISHED_STEPS,
    RETRIES,
    SPREAD_LOOKS,
    closer_look,
    forwards,
    forwards_at_most,
    schedule_of,
)
from api_schemas.insertions import InsertionRequest
from api_schemas.models import ModelCard
from tests.workers.addit.backbones.families import PROMPTS
from tests.workers.addit.backbones.test_insertion import models_of
from workers import closeups, crops
from workers.addit import config, gamma, sources
from workers.addit.edits import Edit, PictureSource, PromptSource
from workers.addit.memory_tiers import DeviceTier
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.results import Insertion
from workers.addit.source_memory import SourceMemories
from workers.insertion import AdditRunner
from workers.ladder import Try, rungs
from workers.model_card import make_card
from workers.models.loras import Loras
from workers.models.profiles import SD35_MEDIUM, ModelProfile, embedded_profile

FLUX, GUIDED = embedded_profile(), SD35_MEDIUM


class Served:
    """A tiny random model, whose memory holds all."""

    def __init__(self, family: str, profile: ModelProfile) -> None:
        self.models: Models = models_of(family)
        self.card: ModelCard = make_card(profile, self.models)
        self._runner = AdditRunner(
            profile, self.models, self.card, self.memories(), Loras(self.models.pipe, ())
        )

    def memories(self) -> SourceMemories:
        return SourceMemories([DeviceTier(2**40)], torch.device("cpu"))

    def run(self, request: InsertionRequest, memories: SourceMemories) -> Insertion:
        """With a mask that is given, for nothing is found by random weights."""
        side, seeds = 2 * self.models.size_multiple, tuple(request.seeds)
        picture = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
        generated = request.source.kind == "generated"
        source = PromptSource(PROMPTS[0], 3, side, side) if generated else PictureSource(picture, PROMPTS[0])
        mask = torch.ones(side, side, dtype=torch.bool)
        settings = self._runner.to_config(request)
        edit = Edit(source, PROMPTS[1], ("dog",), seeds, settings, mask=mask)
        return insert(self.models, edit, memories=memories)

    def request(self, kind: str, seeds: list[int] | None = None, **options: Any) -> InsertionRequest:
        """As the gateway resolves it."""
        preset = self.card.default_presets[kind]  # type: ignore[index]
        before = self.card.presets[preset].at_steps(options.get("num_inference_steps", 6))
        given = before.model_copy(update=options)
        if "structure_transfer_t" in options:
            given = given.model_copy(update={"structure_transfer_step": None})
        source = {"kind": kind, "prompt": PROMPTS[0]} | (
            {"image": {"id": "img_1"}} if kind == "image" else {}
        )
        body = {"source": source, "prompt": PROMPTS[1], "subject": "dog", "preset": preset}
        return InsertionRequest.model_validate(
            {**body, "seeds": seeds or [1], "options": given.model_dump(exclude_none=True)}
        )


@pytest.fixture(scope="module", params=[("flux", FLUX), ("sd3", GUIDED)], ids=["flux", "guided"])
def served(request: pytest.FixtureRequest) -> Served:
    return Served(*request.param)


def drawn(dice: random.Random, steps: int) -> dict[str, Any]:
    """Options of every kind, such as may stand together."""
    start = dice.randrange(steps // 2)
    blends = sorted(dice.sample(range(start, steps), dice.choice((0, 1, 2))))
    by_time = {"structure_transfer_t": dice.choice((0.97, 0.8))} if not blends else {}
    return {
        "num_inference_steps": steps,
        "structure_transfer_step": start,
        "blend_steps": blends,
        "strict_background": dice.choice((True, False)),
        "use_offset": dice.choice((True, False)),
        "guidance_scale": dice.choice((1.0, 3.5)),
        "inversion": dice.choice(tuple(sources.EVALUATIONS)),
        **by_time,
    }


@pytest.mark.parametrize("dice", range(8))
@pytest.mark.parametrize("kind", ["image", "generated"])
def test_what_is_counted_is_what_runs(served: Served, kind: str, dice: int) -> None:
    options = drawn(random.Random(f"{kind}{dice}"), 4 + dice % 5)
    request, memories = served.request(kind, [1, 2], **options), served.memories()
    first, again = served.run(request, memories), served.run(request, memories)
    assert forwards(request, served.card, known=False) == pytest.approx(first.forwards.total), options
    assert forwards(request, served.card, known=True) == pytest.approx(again.forwards.total), options


@pytest.mark.parametrize(("kept", "seeds"), [(1, [1, 2, 3]), (2, [1, 2, 3]), (3, [1, 2])])
def test_dropped_variations_end_at_the_first_blend(served: Served, kept: int, seeds: list[int]) -> None:
    """A given mask leaves none without hope, so the count is exact."""
    request = served.request("image", seeds, num_inference_steps=6, blend_steps=[3], keep_best=kept)
    done = served.run(request, served.memories())
    assert len(done.seeds) == min(kept, len(seeds))
    assert forwards(request, served.card, known=False) == pytest.approx(done.forwards.total)


@pytest.mark.parametrize("start", [0, 4])
def test_the_search_for_even_spread_is_counted(served: Served, start: int) -> None:
    request = served.request(
        "image", num_inference_steps=12, structure_transfer_step=start, extended_scale="auto", blend_steps=[6]
    )
    done = served.run(request, served.memories())
    assert forwards(request, served.card, known=False) == pytest.approx(done.forwards.total)


def test_a_closer_look_is_an_insertion_that_starts_late(served: Served) -> None:
    request = served.request("image", num_inference_steps=12)
    schedule = schedule_of(request, served.card)
    assert schedule is not None
    settings = AdditRunner.to_config(served._runner, request)
    late = closeups.from_draft(settings)
    start = late.structure_transfer_step
    part = served.request(
        "image", num_inference_steps=12, structure_transfer_step=start, strict_background=True
    )
    done = served.run(part, served.memories())
    assert closer_look(schedule) == pytest.approx(done.forwards.total)
    large = forwards_at_most(request, served.card, large=True)
    assert large == pytest.approx((forwards(request, served.card, known=False) or 0) + closer_look(schedule))


def test_retries_are_counted_as_the_dearest(served: Served) -> None:
    request = served.request("image").model_copy(update={"if_not_added": "retry"})
    settings = served._runner.to_config(request)
    tries = [settings, *(rung.config for rung in rungs(Try(1, settings)))]
    spent = 0.0
    for one in tries:
        again = served.request("image", structure_transfer_step=one.structure_transfer_step)
        spent += served.run(again, served.memories()).forwards.total
    at_most = forwards_at_most(request, served.card, large=False)
    assert at_most is not None
    assert len(tries) == 1 + RETRIES
    assert spent <= at_most + 1e-6


def test_a_model_that_does_not_tell_is_not_counted(served: Served) -> None:
    silent = served.card.model_copy(update={"transformer": None})
    assert forwards(served.request("image"), silent, known=True) is None
    assert forwards_at_most(served.request("image"), silent, large=False) is None


def test_both_sides_of_the_seam_know_the_same_numbers() -> None:
    assert {"noising": 0, **EVALUATIONS} == sources.EVALUATIONS
    assert (PUBLISHED_STEPS, SPREAD_LOOKS) == (config.PUBLISHED_STEPS, gamma.EVALUATIONS)
    assert (CLOSER_START, LARGE) == (closeups.DRAFT_STEP, crops.LARGE)
    assert replace(config.PAPER_REAL).inversion == "noising"
