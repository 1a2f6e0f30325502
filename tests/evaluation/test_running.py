"""Runs: everything once, whatever interrupts; failures are results; seeds only where there is chance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from evaluation.methods.method import Workbench
from evaluation.metrics.judges import Judges
from evaluation.running import Evaluation, plan
from evaluation.sourcing import model_name, source_of
from evaluation.suites.items import Item
from tests.evaluation.samples import TOLD, picture, tiny_bench
from tests.evaluation.scripted import CALLS, Painter, judges
from toyland.score.made import load_made
from workers.models.profiles import embedded_profile


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """Two pictures of the base's own size."""
    found = []
    for number in range(2):
        file = tmp_path / f"{number}.png"
        Image.fromarray(picture(number, side=256)).save(file)
        item = replace(TOLD, name=str(number), image=file, seed=10 * number, boxes=((0.0, 0.0, 64.0, 64.0),))
        found.append(item)
    return found


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    CALLS.clear()


def evaluation(folder: Path) -> Evaluation:
    return Evaluation(folder / "results", "mine", Workbench(embedded_profile()), judges)


def test_records_hold_figures_and_costs(tmp_path: Path, items: list[Item]) -> None:
    ours = evaluation(tmp_path)
    ours.run({"painter": Painter()}, items, range(2))
    records = ours.records.records()
    assert [(record["item"], record["seed"]) for record in records] == [
        ("0", 0),
        ("0", 1),
        ("1", 10),
        ("1", 11),
    ]
    for record in records:
        assert record["metrics"]["inclusion"] == 1.0
        assert record["metrics"]["affordance"] == 1.0
        assert record["metrics"]["identical"] == 1.0
        assert record["forwards"] == 2.0
        assert record["seconds"] >= 0
        assert record["peak_bytes"] > 0
        assert record["settings"] == {
            "type": "Painter", "every": 1, "fails": "", "chance": True, "shares": False,
        }  # fmt: skip
        assert load_made(ours.made / f"{record['made']}.npz").picture.shape == (256, 256, 3)


def test_nothing_is_made_twice(tmp_path: Path, items: list[Item]) -> None:
    evaluation(tmp_path).run({"painter": Painter()}, items[:1], range(1))
    evaluation(tmp_path).run({"painter": Painter()}, items, range(2))
    assert sorted(CALLS) == [("0", 0), ("0", 1), ("1", 10), ("1", 11)]


def test_other_settings_are_another_picture_and_other_judges_are_not(
    tmp_path: Path, items: list[Item]
) -> None:
    ours = evaluation(tmp_path)
    ours.run({"painter": Painter()}, items[:1], range(1))
    ours.run({"painter": Painter(every=3)}, items[:1], range(1))
    assert len(CALLS) == 2
    others = Evaluation(
        ours.folder, "mine", ours.bench, lambda: Judges("blind", None, lambda picture, text: [])
    )
    others.run({"painter": Painter()}, items[:1], range(1))
    assert len(CALLS) == 2
    newest = others.records.records()[-1]
    assert newest["metrics"]["inclusion"] == 0.0
    assert newest["seconds"] == ours.records.records()[0]["seconds"]


def test_a_failure_is_a_result(tmp_path: Path, items: list[Item]) -> None:
    ours = evaluation(tmp_path)
    ours.run({"painter": Painter(fails="0")}, items, range(1))
    failed, fine = ours.records.records()
    assert failed["failed"] == "UnsupportedOption: not this one"
    assert failed["metrics"] == {"inclusion": 0.0, "added": 0.0, "affordance": 0.0, "relation": None}
    assert fine["failed"] is None
    evaluation(tmp_path).run({"painter": Painter(fails="0")}, items, range(1))
    assert len(CALLS) == 2


def test_without_chance_one_seed_is_enough(items: list[Item]) -> None:
    sure, unsure = Painter(chance=False), Painter()
    planned = [(trial.name, trial.seed) for trial in plan({"a": sure, "b": unsure}, items[:1], range(3))]
    assert planned == [("a", 0), ("b", 0), ("b", 1), ("b", 2)]


def test_sources_are_brought_to_a_size_the_base_works_on(tmp_path: Path) -> None:
    file, region = tmp_path / "large.png", tmp_path / "region.png"
    Image.fromarray(picture(side=512)).save(file)
    Image.new("L", (512, 512), 255).save(region)
    item = replace(TOLD, image=file, region=region, boxes=((0.0, 128.0, 256.0, 512.0),))
    source = source_of(Workbench(embedded_profile()), item, 0, tmp_path)
    assert source.picture.shape == (256, 256, 3)
    assert source.boxes == ((0.0, 64.0, 128.0, 256.0),)
    assert source.region is not None
    assert source.region.shape == (256, 256)


def test_told_sources_are_drawn_once_for_all_methods(tmp_path: Path) -> None:
    bench = tiny_bench()
    bench.profile = replace(bench.profile, native_side=64)
    first = source_of(bench, TOLD, 5, tmp_path)
    again = source_of(Workbench(bench.profile), TOLD, 5, tmp_path)  # has no model to draw it anew
    assert first.digest == again.digest
    assert first.picture.shape == (64, 64, 3)
    assert source_of(bench, TOLD, 6, tmp_path).digest != first.digest


def test_costs_are_known_of_pictures_made_alone(tmp_path: Path, items: list[Item]) -> None:
    ours = evaluation(tmp_path)
    ours.reuse = True
    ours.run({"painter": Painter(shares=True)}, items[:1], range(1))
    (record,) = ours.records.records()
    assert record["failed"] is None
    assert (record["forwards"], record["seconds"], record["peak_bytes"]) == (None, None, None)


def test_other_weights_are_another_model(tmp_path: Path) -> None:
    profile = replace(embedded_profile(), segmenter=None)
    names = set()
    for written in (b"one", b"two"):
        folder = tmp_path / written.decode()
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(written)
        names.add(model_name(Workbench(replace(profile, place=str(folder)))).split()[-1])
    assert len(names) == 2
