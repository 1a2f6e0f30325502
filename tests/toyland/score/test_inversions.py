"""The path of a source, looked at: noised ones imply plain noise, inverted ones find their way back."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.workers.test_insertion import EXAMPLES
from toyland.score.inversions import WAYS, path_figures, summary
from toyland.score.ledger import Record
from workers.addit.config import PAPER_REAL, Inversion
from workers.addit.edits import Edit, PictureSource, source_key
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.source_memory import SourceMemories
from workers.models.loading import LoadOptions, load
from workers.models.profiles import embedded_profile

Figures = Callable[[Inversion], Record]


@pytest.fixture(scope="module")
def figures() -> Figures:
    """Of a short insertion into a small picture, without a blend."""
    models: Models = load(embedded_profile(), LoadOptions(device="cpu"))
    picture = np.asarray(Image.open(EXAMPLES / "meadow.png").convert("RGB").resize((128, 128)))

    def of(inversion: Inversion) -> Record:
        config = replace(PAPER_REAL.at_steps(6), inversion=inversion, blend_steps=())
        source = PictureSource(picture, "a photo of a meadow")
        edit = Edit(source, "a photo of a meadow with a sheep", ("sheep",), (1,), config)
        memories = SourceMemories([], models.device)
        done = insert(models, edit, memories=memories)
        return path_figures(models, edit, memories.open(source_key(models, edit)), done.source)

    return of


def test_noising_implies_standard_normal_noise(figures: Figures) -> None:
    found = figures("noising")
    assert found["mean"] == pytest.approx(0, abs=0.08)
    assert found["std"] == pytest.approx(1, abs=0.08)
    assert found["kurtosis"] == pytest.approx(0, abs=0.4)
    assert found["neighbours"] == pytest.approx(0, abs=0.08)


def test_an_inversion_comes_back_where_noising_does_not(figures: Figures) -> None:
    inverted = figures("fixed_point")["reconstruction_error"]
    assert inverted < figures("noising")["reconstruction_error"] / 2


def test_every_inversion_is_compared() -> None:
    assert {inversion for inversion, _ in WAYS.values()} == {"noising", "euler", "midpoint", "fixed_point"}


def test_means_are_over_all_scenes() -> None:
    common: Record = {"holds": True, "supports": True, "located": True, "unmasked_error": None}
    common |= {"clip_dir": 0.0, "clip_im": 0.0, "clip_out": 0.0, "background_error": 65.025}
    common |= {"std": 1.0, "kurtosis": 0.0, "neighbours": 0.0, "forwards": 43.0}
    records = [
        common | {"included": included, "mean": mean, "reconstruction_error": error}
        for included, mean, error in ((True, -0.1, 6.5025), (False, 0.1, 123.5475))
    ]
    values = summary(records)
    assert values["inclusion"][0] == 0.5
    assert values["noise_mean"][0] == pytest.approx(0.1)  # of absolute values: signs would cancel
    assert values["reconstruction_psnr"][0] == pytest.approx(30)
    assert values["background_psnr"][0] == pytest.approx(30)
