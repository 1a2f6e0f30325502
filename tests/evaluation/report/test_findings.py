"""Whether the paper's claims come out is computed, and said with its intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from evaluation.report.findings import (
    compared,
    difference,
    findings,
    gamma_curve,
    kept_order,
    order,
    structure_curve,
)
from evaluation.report.tables import Methods
from toyland.score.ledger import Record


def records(held: Sequence[float], seed: int = 0) -> list[Record]:
    """One an item; what is at a plausible place is there."""
    return [
        {
            "item": str(item),
            "seed": seed,
            "metrics": {"affordance": value, "inclusion": value, "added": value},
        }
        for item, value in enumerate(held)
    ]


def methods(shares: Mapping[str, int], items: int = 40) -> Methods:
    """By name, on how many of the items the subject is held."""
    return {(name,): records([1.0] * held + [0.0] * (items - held)) for name, held in shares.items()}


def test_the_papers_order_comes_out() -> None:
    said = order(methods({"sdedit": 10, "prompt-to-prompt": 22, "addit": 36, "toyland-rival": 2}))
    assert said is not None
    assert "(addit, prompt-to-prompt, sdedit, toyland-rival) comes out" in said
    assert said.count("as in the paper") == 3


def test_another_order_is_told_with_what_is_sure_of_it() -> None:
    said = order(methods({"addit": 30, "prompt-to-prompt": 8, "sdedit": 20}))
    assert said is not None
    assert "does not come out: addit 75.0 %" in said
    assert "prompt-to-prompt - sdedit -30.0 points" in said
    assert "the other way round" in said


def test_a_rival_is_compared_as_tuned_and_addit_as_served() -> None:
    found = compared(methods({"addit": 1, "addit-tuned": 1, "sdedit": 1, "sdedit-tuned": 1, "flowedit": 1}))
    assert set(found) == {"addit", "sdedit-tuned"}


def test_one_method_has_no_order() -> None:
    assert order(methods({"addit": 3, "flowedit": 2})) is None
    assert findings({}) == []


def test_gamma_is_said_from_its_ends_and_its_peak() -> None:
    said = gamma_curve(methods({"addit-gamma-1.200": 30, "addit-gamma-1.000": 10, "addit-gamma-1.050": 36}))
    assert said is not None
    assert "from 1 to 1.2 inclusion changes by +50.0 points" in said
    assert "best at 1.05 (90.0 %" in said


def test_structure_transfer_is_said_beside_its_best_step() -> None:
    said = structure_curve(
        methods({"addit-structure-0": 36, "addit-structure-4": 36, "addit-structure-10": 6})
    )
    assert said is not None
    assert "best at step 0" in said
    assert "at step 10 inclusion by -75.0 points" in said


def test_differences_are_of_common_items() -> None:
    gap = difference(records([1.0, 1.0, 0.0]), records([0.0, 0.0]), "affordance")
    assert gap is not None
    assert gap.value == pytest.approx(1.0)
    assert difference(records([1.0]), records([0.0]), "affordance") is None


def repainted(records_: Sequence[Record], error: float) -> Sequence[Record]:
    """The same with a background whose mean squared error is so large."""
    return [record | {"metrics": record["metrics"] | {"background_error": error}} for record in records_]


def test_who_repaints_the_picture_has_not_kept_it() -> None:
    all_of = methods({"addit": 32, "sdedit-tuned": 36, "flowedit-tuned": 28, "addit-tuned": 40})
    known = {
        name: repainted(own, 700.0 if name == ("sdedit-tuned",) else 60.0) for name, own in all_of.items()
    }
    said = kept_order(known)
    assert said is not None
    assert "(background of 25 dB or better, else 0): addit 80.0 %" in said
    assert said.index("flowedit-tuned 70.0 %") < said.index("sdedit-tuned 0.0 %")
    assert "addit - sdedit-tuned +80.0 points" in said
    assert "addit-tuned" not in said


def test_nobody_is_compared_by_what_is_kept_before_a_rival_was_tuned() -> None:
    assert kept_order(methods({"addit": 32, "sdedit": 36})) is None
