"""The whole table in a hurry, by real processes and the shipped model: its order, its end, its documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation import table
from evaluation.methods.addit import Addit
from evaluation.methods.catalogue import Entry, Places
from evaluation.methods.method import Method
from evaluation.methods.prompt_to_prompt import PromptToPrompt
from evaluation.methods.sdedit import SDEdit
from evaluation.report.docs import BEGIN, END, write_docs
from evaluation.suites.toyland_twins import Twin
from evaluation.table import OTHER_SUITES, SUITE, VALIDATION, Amounts, PaperTable, measure_table, sessions
from tests.evaluation.samples import no_world
from toyland.world import World
from workers.models.profiles import ModelProfile, embedded_profile

STEPS, ITEMS = 3, 2
AMOUNTS = Amounts(items=ITEMS, seeds=2, swept=1, tuned_on=1)
pytestmark = pytest.mark.timeout(900)  # loading and all is computing: a busy machine takes its time
HOUR = 60.0


def hurried(profile: ModelProfile, places: Places) -> Mapping[str, Entry]:
    """A method of every group."""
    real = replace(profile.presets["paper-real"], localizer="attention").at_steps(STEPS)
    ours = Addit(real, real)
    found = {
        "addit": Entry(ours, "presets", ""),
        "sdedit": Entry(SDEdit(0.7, steps=STEPS), "flow-rivals", ""),
    }
    for gamma in (1.0, 1.2):
        swept = replace(real, extended_scale=gamma)
        found[f"addit-gamma-{gamma:.3f}"] = Entry(Addit(swept, swept), "gamma", "")
    return found


def two_settings(profile: ModelProfile, places: Places) -> Mapping[str, tuple[Method, ...]]:
    return {"sdedit": (SDEdit(0.4, steps=STEPS), SDEdit(0.7, steps=STEPS))}


@pytest.fixture
def quick(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PaperTable:
    """Suites of a few pictures, few methods of few steps."""
    monkeypatch.setattr(table, "catalogue", hurried)
    monkeypatch.setattr(table, "grids", two_settings)
    for suite in (SUITE, VALIDATION, *OTHER_SUITES):
        Twin(ITEMS, pictured=True).write(world, tmp_path / "suites" / suite)
    return PaperTable(tmp_path, AMOUNTS, Places(), no_world)


def test_it_runs_to_its_end_and_documents_itself(quick: PaperTable) -> None:
    docs = quick.results / "docs" / "evaluation.md"
    docs.parent.mkdir()
    docs.write_text(f"above\n{BEGIN}\nstale lines\n{END}\nbelow\n")
    measure_table(quick, 1, HOUR, lambda: write_docs(quick, docs, "the command"))
    assert [(done, wanted) for _, done, wanted in quick.progress()] == [
        (2, 2),  # two settings on one item
        (2, 2),  # addit, and sdedit as tuned, on the first item
        (2, 2),  # two gammas on it
        (4, 4),  # on both items
        (4, 4),  # another seed
        (4, 4),  # two further suites
        (4, 4),
        (2, 2),  # sdedit as published
    ]
    written = docs.read_text()
    assert written.startswith("above\n")
    assert written.endswith("\nbelow\n")
    assert "stale lines" not in written
    for told in (
        "All of it is measured",
        "sdedit-tuned",
        "`the command`",
        "order of methods",
        "Gamma (paper",
    ):
        assert told in written
    assert (docs.parent / "assets" / "evaluation" / "gamma.png").exists()
    assert len(sessions(quick.results)) == 1


def test_nothing_is_begun_after_the_deadline(quick: PaperTable) -> None:
    measure_table(quick, 1, 1e-9, lambda: None)
    assert quick.records() == []
    assert {done for _, done, _ in quick.progress()} == {0}


def test_methods_stand_as_they_are_until_they_are_tuned(quick: PaperTable) -> None:
    assert set(quick.measured()[0].methods) == {"addit", "sdedit"}
    assert quick.bench.profile == embedded_profile()


def test_without_chance_no_further_seed_is_measured(
    quick: PaperTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def certain(profile: ModelProfile, places: Places) -> Mapping[str, Entry]:
        return {**hurried(profile, places), "prompt-to-prompt": Entry(PromptToPrompt(), "flow-rivals", "")}

    monkeypatch.setattr(table, "catalogue", certain)
    by_title = {stage.title: set(stage.methods) for stage in quick.measured()}
    assert by_title["every method, 2 items, seed 1"] == {"addit", "sdedit", "prompt-to-prompt"}
    assert by_title["every method, 2 items, seeds 2 to 2"] == {"addit", "sdedit"}
