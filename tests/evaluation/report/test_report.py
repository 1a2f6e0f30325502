"""The report: one file, figures with intervals beside the paper's, the worst cases first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from evaluation.methods.method import Workbench
from evaluation.report.figures import FIGURES, estimate_of, grouped, newest, value_of
from evaluation.report.gallery import badness
from evaluation.report.page import write_report
from evaluation.report.paper import paper_number
from evaluation.report.tables import (
    Methods,
    best_of_curve,
    best_of_table,
    class_table,
    count_of,
    main_table,
    relation_table,
)
from evaluation.running import Evaluation
from evaluation.suites.items import Relation
from tests.evaluation.samples import TOLD, picture
from tests.evaluation.scripted import Painter, judges
from toyland.score.ledger import Record
from workers.models.profiles import embedded_profile

SUITE = "toyland-affordance"
METHODS = {
    "addit": Painter(),
    "sdedit": Painter(every=2),
    "addit-gamma-1.000": Painter(every=3),
    "addit-gamma-1.050": Painter(every=1, fails="1"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three items, four seeds, four methods."""
    folder = tmp_path_factory.mktemp("evaluation")
    items = []
    relations: tuple[Relation, ...] = ("on", "next to", "two of")
    for number, relation in enumerate(relations):
        file = folder / f"{number}.png"
        Image.fromarray(picture(number, side=256)).save(file)
        boxes = ((0.0, 0.0, 64.0, 64.0),)
        item = replace(TOLD, name=str(number), image=file, seed=0, boxes=boxes, relation=relation)
        items.append(item)
    ours = Evaluation(folder / "results", SUITE, Workbench(embedded_profile()), judges)
    ours.run(METHODS, items, range(4))
    return ours.folder


@pytest.fixture(scope="module")
def records(results: Path) -> list[Record]:
    return Evaluation(results, SUITE, Workbench(embedded_profile()), judges).records.records()


def test_the_page_stands_alone(results: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_report(results, file, "python -m evaluation report <now>")
    page = file.read_text()
    assert "python -m evaluation report &lt;now&gt;" in page
    assert "src='http" not in page
    assert page.count("data:image/png") >= 2  # the sweep and the best of N
    assert page.count("data:image/jpeg") >= 8
    assert "UnsupportedOption: not this one" in page
    assert "(paper: 82.8 %)" in page
    assert "By class" in page
    for name in METHODS:
        assert name in page


def test_tables_say_what_the_records_do(records: list[Record]) -> None:
    methods = grouped(records, "method")
    table = main_table(SUITE, methods)
    rows = {row[0]: dict(zip(table.head, row, strict=True)) for row in table.rows}
    assert rows["addit"]["affordance"] == "100.0 % (paper: 82.8 %)"
    assert rows["sdedit"]["inclusion"].startswith("50.0 % [")
    assert rows["sdedit"]["not added"].startswith("50.0 % [")
    assert rows["addit-gamma-1.050"]["items x seeds"] == "3 x 4, 4 failed"
    fewer: Methods = {("addit",): methods["addit",][:-2]}
    assert count_of(fewer, "addit").startswith("3 x 2 to 4, 10 pictures")
    assert "CLIP_dir" not in table.head  # these judges have no CLIP
    assert table.to_rich().row_count == len(table.head) - 1
    relations = relation_table(SUITE, methods)
    assert relations is not None
    assert dict(zip(relations.head, relations.rows[0], strict=True)) == {
        "method": "addit", "on": "100.0 %", "next to": "0.0 %", "two of": "0.0 %",
    }  # fmt: skip
    assert class_table(SUITE, methods).rows[0][1] == "100.0 % / 100.0 %"


def test_choosing_among_seeds_helps(records: list[Record]) -> None:
    inclusion = next(figure for figure in FIGURES if figure.key == "inclusion")
    half = [record for record in records if record["method"] == "sdedit"]
    curve = [found.value for found in best_of_curve(half, inclusion)]
    assert curve == pytest.approx([0.5, 5 / 6, 1.0, 1.0])
    table = best_of_table(SUITE, grouped(records, "method"))
    assert table is not None
    assert table.head[-1] == "N = 4"


def test_the_worst_come_first(records: list[Record]) -> None:
    half = sorted((record for record in records if record["method"] == "sdedit"), key=badness)
    assert [value_of(record, "added") for record in half] == [0.0] * 6 + [1.0] * 6


def test_later_records_replace_earlier_ones(records: list[Record]) -> None:
    changed = records[0] | {"seconds": 99.0}
    assert len(newest([*records, changed])) == len(records)
    assert changed in newest([*records, changed])


def test_figures_without_values_are_not_estimated(records: list[Record]) -> None:
    clip = next(figure for figure in FIGURES if figure.key == "clip_dir")
    assert estimate_of(records, clip) is None


def test_the_papers_numbers_stand_beside_their_own_methods() -> None:
    assert paper_number("toyland-affordance", "sdedit-tuned", "affordance") == 0.397
    assert paper_number("toyland-affordance", "toyland-rival", "affordance") == 0.276
    assert paper_number("additing", "addit", "clip_dir") == 0.2
    assert paper_number("relations", "addit", "affordance") is None
