"""`addit verify`, for real: on the shipped model as it is typed, and on a small FLUX checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import constants
from typer.testing import CliRunner

from client.cli import app
from runtime.settings import Settings
from tests.workers.pipelines import flux
from workers.models.profiles import FLUX_DEV, embedded_profile
from workers.verify.report import STEPS, verify
from workers.verify.steps import Trial, outcomes

CUDA_ONLY = {"memory peaks", "CUDA graphs"}


def test_the_shipped_model_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADDIT_DEVICE", "cpu")
    monkeypatch.setenv("ADDIT_DTYPE", "float32")
    file = tmp_path / "report.json"
    done = CliRunner().invoke(app, ["verify", "--model", "embedded", "--json", str(file)])
    assert done.exit_code == 0, done.output
    steps = {step["step"]: step for step in json.loads(file.read_text())["steps"]}
    assert list(steps) == [step.name for step in STEPS]
    assert {name for name, step in steps.items() if step["state"] == "not run"} == CUDA_ONLY
    assert steps["memory peaks"]["found"]["summary"] == "no CUDA here"
    assert steps["forward"]["found"]["values"]["seconds"] > 0
    assert set(steps["batches"]["found"]["values"]["256x256"]) == {"1", "2", "4", "8"}
    assert "H100" in steps["cards"]["found"]["values"]


def test_a_damaged_checkpoint_fails_two_steps_and_the_others_still_speak(tmp_path: Path) -> None:
    flux().save_pretrained(tmp_path / "small")
    weights = tmp_path / "small" / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    sam2 = embedded_profile().segmenter
    assert sam2 is not None
    settings = Settings(
        model=str(tmp_path / "small"),
        device="cpu",
        dtype="float32",
        segmenter=sam2.checkpoint,
        segmenter_config=sam2.config,
    )
    found = {each.step: each for each in verify(settings) if each.step != "golden cases"}
    assert [name for name, each in found.items() if each.state == "failed"] == ["files", "load"]
    assert all(found[name].next_step for name in ("files", "load"))
    assert found["environment"].state == "passed"
    assert found["canary"].state == "not run"


def test_a_model_that_was_never_pulled_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    accepted = ("flux-1-dev-non-commercial",)
    trial = Trial(Settings(model="flux-dev", device="cpu", accept_licences=accepted), FLUX_DEV)
    found = {
        each.step: each
        for each in outcomes([step for step in STEPS if step.name in ("files", "load")], trial)
    }
    assert found["files"].next_step == "addit models pull flux-dev"
    assert found["load"].state == "not run"
    assert "would have to be fetched" in found["load"].found.summary
    assert list(tmp_path.iterdir()) == []
