"""A study holds every case that both methods made, as the studio reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.errors import EvaluationError
from evaluation.methods.method import Workbench
from evaluation.report.pairs import write_pairs
from evaluation.running import Evaluation
from studio.votes import Study
from tests.evaluation.samples import TOLD, picture
from tests.evaluation.scripted import Painter, judges
from workers.models.profiles import embedded_profile


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two items, two seeds; the rival failed one item."""
    items = []
    for number in range(2):
        file = tmp_path / f"{number}.png"
        Image.fromarray(picture(number, side=256)).save(file)
        items.append(replace(TOLD, name=str(number), image=file, seed=0))
    ours = Evaluation(tmp_path / "results", "toyland-affordance", Workbench(embedded_profile()), judges)
    ours.run({"addit": Painter(), "rival": Painter(every=2, fails="1")}, items, range(2))
    return ours.folder


def test_only_cases_of_both_are_paired_with_their_pictures(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    assert write_pairs(results, ("addit", "rival"), folder) == 2
    pairs = Study(folder).pairs
    assert [(pair.first.method, pair.second.method) for pair in pairs] == [("addit", "rival")] * 2
    assert all("a photo of a beach with a dog" in pair.question for pair in pairs)
    for pair in pairs:
        for name in (pair.first.image, pair.second.image):
            assert np.asarray(Image.open(folder / name)).shape == (256, 256, 3)


def test_methods_without_a_common_case_are_refused(results: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="both addit and nobody"):
        write_pairs(results, ("addit", "nobody"), tmp_path / "study")
