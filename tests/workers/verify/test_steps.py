"""One step's end ends no other step, and each says what to do next."""

from __future__ import annotations

from runtime.settings import Settings
from workers.models.errors import PullFailed
from workers.models.profiles import embedded_profile
from workers.verify.report import STEPS
from workers.verify.steps import NO_CUDA, Found, NotRun, Step, StepFailed, Trial, outcomes


def passing(trial: Trial) -> Found:
    return Found("well")


def failing(trial: Trial) -> Found:
    raise StepFailed("ill", "take rest", Found("", {"fever": 39}))


def lacking(trial: Trial) -> Found:
    raise PullFailed("a file is away", "bring it")


def crashing(trial: Trial) -> Found:
    raise RuntimeError("CUDA error: no kernel image is available")


def idle(trial: Trial) -> Found:
    raise NotRun(NO_CUDA)


def test_every_step_has_an_outcome_whatever_became_of_the_others() -> None:
    steps = [Step(run.__name__, run, "ask") for run in (failing, lacking, crashing, idle, passing)]
    found = list(outcomes(steps, Trial(Settings(), embedded_profile())))
    assert [each.state for each in found] == ["failed", "failed", "failed", "not run", "passed"]
    assert [each.next_step for each in found] == ["take rest", "bring it", "ask", "", ""]
    assert found[0].found == Found("ill", {"fever": 39})
    assert "no kernel image" in found[2].found.summary


def test_steps_that_need_the_model_are_not_run_without_it_and_every_step_knows_what_to_do() -> None:
    needing = [
        step for step in STEPS if step.name in ("canary", "forward", "batches", "memory tiers", "cards")
    ]
    found = list(outcomes(needing, Trial(Settings(), embedded_profile())))
    assert [each.state for each in found] == ["not run"] * len(needing)
    assert all(step.unforeseen for step in STEPS)
