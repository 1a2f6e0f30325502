"""Exporting puts results in their places, halved and summed, without a word of where they come from."""

import json
import subprocess
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from toyland.export import SUMS, checksums, export
from toyland.workshop import SHIPPED, Workshop


def leave_result(workshop: Workshop, stage: str) -> None:
    """A transformer as a stage leaves it."""
    folder = workshop.run_folder(stage) / "pipeline" / "transformer"
    folder.mkdir(parents=True)
    fields = {"stage": stage, "_name_or_path": "/somewhere/here", "dtype": "float32"}
    (folder / "config.json").write_text(json.dumps(fields))
    save_file({"weight": torch.ones(2), "step": torch.tensor(3)}, folder / "model.safetensors")


def test_later_stages_replace_earlier_ones(tmp_path: Path) -> None:
    workshop, target = Workshop(tmp_path / "cache", count=1), tmp_path / "shipped"
    for stage in ("flux", "guidance"):
        leave_result(workshop, stage)
    assert export(workshop, target) == [target / "pipeline", target / "pipeline"]
    config = json.loads((target / "pipeline/transformer/config.json").read_text())
    assert config == {"stage": "guidance", "dtype": "float16"}


def test_weights_are_halved_and_summed(tmp_path: Path) -> None:
    workshop, target = Workshop(tmp_path / "cache", count=1), tmp_path / "shipped"
    leave_result(workshop, "flux")
    export(workshop, target)
    weights = load_file(target / "pipeline/transformer/model.safetensors")
    assert {name: tensor.dtype for name, tensor in weights.items()} == {
        "weight": torch.float16,
        "step": torch.int64,
    }
    subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=target, check=True)


def test_nothing_trained_nothing_shipped(tmp_path: Path) -> None:
    assert export(Workshop(tmp_path, count=1), tmp_path / "shipped") == []


def test_the_shipped_weights_are_the_summed_ones() -> None:
    assert (SHIPPED / SUMS).read_text(encoding="utf-8") == checksums(SHIPPED)
    assert sum(file.stat().st_size for file in SHIPPED.rglob("*.safetensors")) < 50e6
