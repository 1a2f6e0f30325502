"""Loss curves become one figure, a panel a stage."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toyland.__main__ import main
from toyland.curves import curves_figure, draw_curves


def write_losses(runs: Path) -> None:
    for stage in ("flux", "vae"):
        (runs / stage).mkdir(parents=True)
        lines = [json.dumps({"step": i, "seconds": 60 * i, "loss": 1 / i, "rate": 0.1}) for i in (1, 2, 3)]
        (runs / stage / "losses.jsonl").write_text("\n".join(lines) + "\n")


def test_every_stage_gets_a_panel(tmp_path: Path) -> None:
    write_losses(tmp_path)
    panels = [panel for panel in curves_figure(tmp_path).axes if panel.get_visible()]
    assert [panel.get_title() for panel in panels] == ["flux", "vae"]
    assert np.allclose(panels[0].lines[0].get_xydata(), [(1, 1), (2, 1 / 2), (3, 1 / 3)])


def test_the_command_draws_what_the_cache_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_losses(tmp_path / "runs")
    file = tmp_path / "assets" / "curves.png"
    monkeypatch.setattr("sys.argv", ["toyland", "--cache", str(tmp_path), "curves", "--output", str(file)])
    main()
    assert np.asarray(Image.open(file).convert("L")).std() > 1


def test_without_runs_there_are_no_curves(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no losses\.jsonl"):
        draw_curves(tmp_path, tmp_path / "curves.png")
