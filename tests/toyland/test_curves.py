"""Loss curves become one picture, a panel a stage."""

import json
from pathlib import Path

from PIL import Image

from toyland.curves import draw_curves


def test_every_stage_gets_a_panel(tmp_path: Path) -> None:
    for stage in ("flux", "vae"):
        (tmp_path / stage).mkdir()
        lines = [json.dumps({"step": i, "seconds": 60 * i, "loss": 1 / i, "rate": 0.1}) for i in (1, 2, 3)]
        (tmp_path / stage / "losses.jsonl").write_text("\n".join(lines) + "\n")
    draw_curves(tmp_path, tmp_path / "curves.png")
    picture = Image.open(tmp_path / "curves.png").convert("L")
    quarter = picture.width // 4
    dark = [
        picture.crop((left, 0, left + quarter, picture.height)).getextrema()[0] < 128
        for left in range(0, 4 * quarter, quarter)
    ]
    assert dark == [True, True, False, False]
