"""Methods by name: presets, ablations and sweeps are values of one config; rivals are who they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.errors import EvaluationError
from evaluation.methods.addit import Addit
from evaluation.methods.catalogue import Places, catalogue, find_methods
from toyland.score.sweeps import GAMMAS
from workers.addit.config import PAPER_REAL
from workers.models.profiles import FLUX_DEV, HUB_PROFILES, ModelProfile, embedded_profile


def addit(name: str) -> Addit:
    method = catalogue(FLUX_DEV, Places())[name].method
    assert isinstance(method, Addit)
    return method


def test_presets_are_the_profiles() -> None:
    assert addit("addit").real == FLUX_DEV.presets["paper-real"]
    assert addit("addit").generated == FLUX_DEV.presets["paper-generated"]
    assert addit("addit-reference").real == FLUX_DEV.presets["reference-real"]
    strict = addit("addit-strict")
    assert strict.real.strict_background
    assert strict.generated.strict_background


def test_each_ablation_leaves_one_thing_out() -> None:
    assert addit("addit-no-wesa").real.last_extended_step < 0
    assert addit("addit-no-weights").real.extended_scale == 1.0
    assert addit("addit-no-structure").real.structure_transfer_step == 0
    assert addit("addit-no-blending").generated.blend_steps == ()
    assert addit("addit-points-sam").real.localizer == PAPER_REAL.localizer


def test_groups_and_names_may_be_mixed() -> None:
    found = find_methods(["flow-rivals", "addit", "gamma"], embedded_profile(), Places())
    assert {"sdedit", "prompt-to-prompt", "flowedit", "addit"} < set(found)
    assert len(found) == 4 + len(GAMMAS)
    with pytest.raises(EvaluationError, match="no method"):
        find_methods(["erasedraw"], embedded_profile(), Places())


def test_what_is_given_is_there() -> None:
    given = catalogue(embedded_profile(), Places(Path("a.ckpt"), Path("b"), "http://127.0.0.1:1"))
    assert {"erasedraw", "toyland-rival", "service"} <= set(given)


@pytest.mark.parametrize("profile", HUB_PROFILES.values(), ids=lambda profile: profile.name)
def test_every_base_has_methods(profile: ModelProfile) -> None:
    assert {"addit", "addit-structure-2", "sdedit"} <= set(catalogue(profile, Places()))
