"""Loss curves become one figure, a panel a stage."""

import json
from pathlib import Path

import numpy as np

from toyland.curves import curves_figure


def test_every_stage_gets_a_panel(tmp_path: Path) -> None:
    for stage in ("flux", "vae"):
        (tmp_path / stage).mkdir()
        lines = [json.dumps({"step": i, "seconds": 60 * i, "loss": 1 / i, "rate": 0.1}) for i in (1, 2, 3)]
        (tmp_path / stage / "losses.jsonl").write_text("\n".join(lines) + "\n")
    panels = [panel for panel in curves_figure(tmp_path).axes if panel.get_visible()]
    assert [panel.get_title() for panel in panels] == ["flux", "vae"]
    assert np.allclose(panels[0].lines[0].get_xydata(), [(1, 1), (2, 1 / 2), (3, 1 / 3)])
