"""The documents say no more than was measured, and keep what people wrote around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.methods.catalogue import Places
from evaluation.report.docs import BEGIN, END, write_docs
from evaluation.suites.toyland_twins import Twin
from evaluation.table import OTHER_SUITES, SUITE, VALIDATION, Amounts, PaperTable
from tests.evaluation.samples import no_world
from toyland.world import World

DOCS = Path(__file__).parents[3] / "docs" / "evaluation.md"


def test_nothing_measured_is_said_to_be_missing(world: World, tmp_path: Path) -> None:
    for suite in (SUITE, VALIDATION, *OTHER_SUITES):
        Twin(2, pictured=True).write(world, tmp_path / "suites" / suite)
    table = PaperTable(tmp_path, Amounts(2, 2, 1, 1), Places(), no_world)
    file = tmp_path / "evaluation.md"
    file.write_text(f"above\n{BEGIN}\nstale lines\n{END}\nbelow\n", encoding="utf-8")
    write_docs(table, file, "python -m evaluation toyland")
    written = file.read_text(encoding="utf-8")
    assert written.startswith("above\n")
    assert written.endswith(f"{END}\nbelow\n")
    assert "stale lines" not in written
    assert "| every method, first 1 items, seed 1 | 0 of 6 |" in written
    assert "Still to be measured: tuning" in written
    assert "comes out" not in written


@pytest.mark.parametrize("marker", [BEGIN, END])
def test_the_projects_page_has_its_place(marker: str) -> None:
    assert DOCS.read_text(encoding="utf-8").count(marker) == 1
