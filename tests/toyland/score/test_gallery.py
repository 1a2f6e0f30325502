"""The page shows what was measured, says how much that is, and is whole when little was."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toyland.score.drawings import DrawingJob
from toyland.score.figures import Figure
from toyland.score.gallery import ASSETS, first_of, write_gallery
from toyland.score.insertions import InsertionJob
from toyland.score.ledger import Ledger
from toyland.score.made import Made, make_once
from toyland.score.scoring import Score
from toyland.score.statistics import share
from toyland.score.tasks import drawing_tasks, insertion_tasks
from toyland.score.versions import Versions
from toyland.world import World
from workers.addit.config import PAPER_REAL

VERSIONS = Versions(*"abcdefg")
PICTURE = np.zeros((32, 32, 3), np.uint8)
FIGURES = [Figure("inclusion", share([True, False]), "%")]


@pytest.fixture(scope="module")
def score(world: World) -> Score:
    drawings = tuple(DrawingJob(task, VERSIONS) for task in drawing_tasks(world, "one", 3))
    insertions = tuple(
        InsertionJob(task, "paper-real", PAPER_REAL, VERSIONS)
        for task in insertion_tasks(world, "trained", 3)
    )
    return Score(drawings, insertions, (), ())


def measure(score: Score, folder: Path) -> Ledger:
    """The first drawing, and an insertion that was added and one that was not."""
    ledger, made = Ledger(folder / "records.jsonl"), folder / "made"
    drawing = score.drawings[0]
    ledger.add(drawing.key, {"present": {drawing.task.subject: True}, "holds": True})
    make_once(made, drawing.made_key, lambda: Made(PICTURE))
    for job, included in zip(score.insertions[:2], (True, False), strict=True):
        ledger.add(job.key, {"included": included, "holds": included})
        make_once(made, job.made_key, lambda: Made(PICTURE, PICTURE, forwards=43.0))
    return ledger


def page_of(score: Score, folder: Path) -> str:
    docs = folder / "docs"
    (docs / ASSETS).mkdir(parents=True)
    write_gallery(score, measure(score, folder), folder / "made", FIGURES, docs)
    return (docs / "toyland.md").read_text()


def test_a_part_of_the_score_gives_a_page_that_says_so(score: Score, tmp_path: Path) -> None:
    page = page_of(score, tmp_path)
    assert "Measured so far: 1 of 3 sentences and 2 of 3 insertions." in page
    assert f"{score.insertions[0].task.source_prompt} + {score.insertions[0].task.subject}" in page
    assert score.insertions[2].task.prompt not in page
    assert "paper-generated" not in page
    assert "Failures. All 1 measured" in page


def test_every_picture_of_the_page_is_there(score: Score, tmp_path: Path) -> None:
    for name in ("world.png", "curves.png", "sweep_gamma.png"):
        (tmp_path / "docs" / ASSETS).mkdir(parents=True, exist_ok=True)
        Image.fromarray(PICTURE).save(tmp_path / "docs" / ASSETS / name)
    write_gallery(score, measure(score, tmp_path), tmp_path / "made", FIGURES, tmp_path / "docs")
    page = (tmp_path / "docs" / "toyland.md").read_text()
    linked = [part.partition(")")[0] for part in page.split("](")[1:] if part.startswith("assets")]
    assert {f"{ASSETS}/world.png", f"{ASSETS}/curves.png", f"{ASSETS}/sweep_gamma.png"} <= set(linked)
    assert all((tmp_path / "docs" / link).exists() for link in linked)


def test_what_was_measured_and_then_lost_its_picture_is_left_out(score: Score, tmp_path: Path) -> None:
    ledger = measure(score, tmp_path)
    (tmp_path / "made" / f"{score.drawings[0].made_key}.npz").unlink()
    (tmp_path / "docs").mkdir()
    write_gallery(score, ledger, tmp_path / "made", FIGURES, tmp_path / "docs")
    page = (tmp_path / "docs" / "toyland.md").read_text()
    assert "0 of 3 sentences" in page
    assert "Sentences drawn" not in page


def test_how_many_are_shown_of_how_many() -> None:
    assert first_of(range(30), 24) == "The first 24 of 30 measured"
    assert first_of(range(5), 24) == "All 5 measured"
