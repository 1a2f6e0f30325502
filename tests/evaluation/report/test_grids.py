"""What tunings published, as a table, and what is reached by those that keep the background."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evaluation.report.grids import Grid, at_our_background, grid_table, published

ADDIT = (
    {"type": "Addit", "real": {"gamma": 1.1, "step": 2}, "generated": {"gamma": 1.1, "step": 2}},
    {"type": "Addit", "real": {"gamma": 1.2, "step": 2}, "generated": {"gamma": 1.2, "step": 2}},
)


def points(
    settings: Sequence[dict[str, Any]], scores: Sequence[float], backgrounds: Sequence[float]
) -> list[dict[str, Any]]:
    """The best score is the chosen one's."""
    rows = zip(settings, scores, backgrounds, strict=True)
    return [
        {"settings": one, "score": score, "background": background, "chosen": score == max(scores)}
        for one, score, background in rows
    ]


def grid(method: str, scores: Sequence[float], backgrounds: Sequence[float]) -> Grid:
    settings = [{"strength": round(0.1 * number, 1)} for number in range(len(scores))]
    return Grid(method, "twelve items", "weights", points(settings, scores, backgrounds))


def test_they_are_read_as_they_were_written(tmp_path: Path) -> None:
    told = {"about": "twelve items", "model": "weights", "points": points(ADDIT, (0.5, 0.9), (30.0, 31.0))}
    (tmp_path / "tuned").mkdir()
    (tmp_path / "tuned" / "addit.json").write_text(json.dumps(told))
    (found,) = published(tmp_path)
    assert (found.method, found.model) == ("addit", "weights")
    assert found.chosen["settings"] == ADDIT[1]
    assert published(tmp_path / "elsewhere") == []


def test_a_row_tells_what_was_turned_and_what_it_gave() -> None:
    rows = grid_table(
        [Grid("addit", "", "", points(ADDIT, (0.5, 0.9), (30.0, 31.25))), grid("sdedit", (1, 0), (9, 8))]
    )
    assert rows.rows == (
        ("addit", "gamma", "1.1: 0.50, 30.0; **1.2: 0.90, 31.2**"),
        ("sdedit", "strength", "**0.0: 1.00, 9.0**; 0.1: 0.00, 8.0"),
    )


def test_scores_at_the_same_background() -> None:
    ours, far = grid("addit", (0.6, 0.8), (35.0, 30.0)), grid("prompt-to-prompt", (0.9, 0.9), (20.0, 26.9))
    said = at_our_background([ours, grid("sdedit", (0.9, 0.2, 0.4), (19.0, 33.0, 27.0)), far])
    assert said is not None
    assert "(30.0 dB): addit 0.80, sdedit 0.40, prompt-to-prompt has none." in said


def test_nothing_is_said_without_ours() -> None:
    assert at_our_background([grid("sdedit", (0.9,), (30.0,))]) is None
