"""Exporting puts results in their places, and says nothing of the machine they come from."""

import json
from pathlib import Path

from toyland.export import export
from toyland.workshop import Workshop


def test_later_stages_replace_earlier_ones(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path / "cache", count=1)
    for stage in ("flux", "guidance"):
        folder = workshop.run_folder(stage) / "pipeline" / "transformer"
        folder.mkdir(parents=True)
        fields = {"stage": stage, "_name_or_path": "/somewhere/here"}
        (folder / "config.json").write_text(json.dumps(fields))
    target = tmp_path / "shipped"
    assert export(workshop, target) == [target / "pipeline", target / "pipeline"]
    assert json.loads((target / "pipeline/transformer/config.json").read_text()) == {"stage": "guidance"}


def test_nothing_trained_nothing_shipped(tmp_path: Path) -> None:
    assert export(Workshop(tmp_path, count=1), tmp_path / "shipped") == []
