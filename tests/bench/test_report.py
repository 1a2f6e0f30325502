"""A benchmark's figures reach the terminal, a file, and the one block of the page that is theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import report as reports
from bench.figures import Figures, to_markdown, with_interval
from bench.gateway.__main__ import PARTS
from bench.report import PAGES, measured, pictured, report, with_block
from toyland.score.commands import SWEEPS

FIGURES = Figures("Some ways, 3 scenes", ["way", "dB"], [["one", "30.1"], ["other", ""]], {"one": 30.1})
PAGE = "before\n<!-- ways: python -m bench.ways --docs -->\nold\n<!-- /ways -->\nafter\n"


def test_a_table_in_markdown_has_its_title_and_rows() -> None:
    assert to_markdown(FIGURES).splitlines() == [
        "Some ways, 3 scenes:",
        "",
        "| way | dB |",
        "| --- | --- |",
        "| one | 30.1 |",
        "| other |  |",
    ]


def test_a_picture_stands_over_its_table() -> None:
    assert (
        pictured(FIGURES, "assets/ways.png")
        == f"![{FIGURES.title}](assets/ways.png)\n\n{to_markdown(FIGURES)}"
    )


def test_intervals_are_scaled_and_rounded() -> None:
    assert with_interval((0.625, 0.4525, 0.7708), scale=100) == "62 (45..77)"
    assert with_interval((28.04, 27.2, 28.9), digits=1) == "28.0 (27.2..28.9)"


def test_only_the_named_block_changes() -> None:
    page = with_block(PAGE, "ways", "new")
    assert page == PAGE.replace("old", "new")
    assert with_block(page, "ways", "old") == PAGE


@pytest.mark.parametrize("name", ["way", "wayside", "others"])
def test_a_page_without_the_block_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="0 blocks"):
        with_block(PAGE, name, "new")


def test_values_go_to_the_file_and_the_table_into_the_page_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page, file = tmp_path / "page.md", tmp_path / "folder" / "ways.json"
    page.write_text(PAGE)
    monkeypatch.setattr(reports, "PAGE", page)
    report("ways", FIGURES, file, docs=False)
    assert page.read_text() == PAGE
    report("ways", FIGURES, file, docs=True)
    assert "| one | 30.1 |" in page.read_text()
    assert json.loads(file.read_text())["ways"] == {"one": 30.1}
    assert "Some ways" in capsys.readouterr().out


def test_every_block_of_the_method_page_can_be_written() -> None:
    page = reports.PAGE.read_text()
    sweeps = [f"sweep-{sweep}" for sweep in SWEEPS]
    for name in ("inversions", "chain", "aspect", "localization", "modes", *sweeps):
        assert "written here" in with_block(page, name, "written here")


@pytest.mark.parametrize("name", ["scaling", "fleet-check", *(f"gateway-{part}" for part in PARTS)])
def test_each_load_test_has_its_block_of_the_page(name: str) -> None:
    assert measured(FIGURES) in with_block((PAGES / "scaling.md").read_text(), name, measured(FIGURES))
