"""Twelve items of Toyland's twin through the command line, with the shipped model at a few steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation import __main__, commands
from evaluation.methods.addit import Addit
from evaluation.methods.catalogue import Entry, Places, catalogue
from evaluation.methods.method import Method
from evaluation.methods.sdedit import SDEdit
from evaluation.suites.toyland_twins import Twin
from toyland.score.ledger import Ledger
from toyland.world import World
from workers.models.profiles import ModelProfile

ITEMS, STEPS = 12, 3


def few_steps(names: list[str], profile: ModelProfile, places: Places) -> dict[str, Entry]:
    """The methods, in a hurry."""
    ours = catalogue(profile, places)["addit"]
    assert isinstance(ours.method, Addit)
    real = replace(ours.method.real, localizer="attention").at_steps(STEPS)
    quick: dict[str, Method] = {"addit": Addit(real, real), "sdedit": SDEdit(0.7, steps=STEPS)}
    return {name: replace(ours, method=quick[name]) for name in names}


@pytest.mark.timeout(600)  # ten seconds of an idle core; a busy one has it in minutes
def test_twelve_items(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "find_methods", few_steps)
    suite = tmp_path / "suites" / "twelve"
    Twin(ITEMS, pictured=True).write(world, suite)
    methods = ("addit", "sdedit")
    told = [word for name in methods for word in ("--method", name)]
    run = ["--folder", str(tmp_path), "run", "--suite", str(suite), "--judges", "toyland", *told]
    commands.run(__main__.parse_arguments([*run, "--device", "cpu"]), "python -m evaluation run")
    records = Ledger(tmp_path / "records.jsonl").records()
    assert len(records) == ITEMS * len(methods)
    assert all(record["failed"] is None for record in records)
    assert all(0 <= record["metrics"]["affordance"] <= 1 for record in records)
    assert "affordance" in capsys.readouterr().out
    commands.run(
        __main__.parse_arguments(["--folder", str(tmp_path), "report"]), "python -m evaluation report"
    )
    page = (tmp_path / "report.html").read_text()
    assert "python -m evaluation run" in page
    assert page.count("<figure") == ITEMS * len(methods)


def test_lists_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("suites", "methods"):
        commands.run(__main__.parse_arguments([command]), "")
    shown = capsys.readouterr().out
    for name in ("toyland-affordance", "emu-edit-add", "prompt-to-prompt", "kontext"):
        assert name in shown


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([], "--method"),
        (["--method", "nobody"], "no method"),
        (["--method", "addit", "--model", "no-such-profile"], "no-such-profile"),
        (["--method", "addit", "--model", "flux-dev"], "flux-1-dev-non-commercial"),
    ],
)
def test_what_the_caller_can_mend_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], told: list[str], said: str
) -> None:
    run = ["--folder", str(tmp_path), "run", "--suite", "additing", *told]
    assert __main__.main(run) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_command_is_shown_without_anybodys_home() -> None:
    shown = __main__.told(["toyland", "--rival", str(Path.home() / "runs" / "a rival")])
    assert shown == "python -m evaluation toyland --rival ~/'runs/a rival'"
