"""What is said of peaks, by numbers as a card would give them: no card is at hand here."""

from __future__ import annotations

import pytest

from runtime.settings import Settings
from workers.models.profiles import embedded_profile
from workers.verify.peaks import GIB, SEEDS, above_expectation, check_peaks, table_of
from workers.verify.steps import NO_CUDA, NotRun, Trial

EXPECTED = {"full": dict.fromkeys(SEEDS, 37 * GIB), "nf4": dict.fromkeys(SEEDS, 10 * GIB)}


def test_more_than_computed_and_a_spare_is_told() -> None:
    measured = {"full": dict.fromkeys(SEEDS, 38 * GIB), "nf4": {1: 10 * GIB, 2: 10 * GIB, 4: 12 * GIB}}
    assert above_expectation(EXPECTED, measured) == ["nf4"]
    assert above_expectation({}, measured) == []


def test_the_table_has_both_and_the_reason_where_there_is_no_measurement() -> None:
    rows = {
        row[0]: row[1:] for row in table_of(EXPECTED, {"nf4": {1: 11 * GIB}}, {"fp8": "needs torchao"})[1:]
    }
    assert rows["nf4"] == ["11.0, 10.0", "-, 10.0", "-, 10.0", ""]
    assert rows["full"] == ["-, 37.0", "-, 37.0", "-, 37.0", ""]
    assert rows["fp8"] == ["-, -", "-, -", "-, -", "needs torchao"]


def test_without_a_card_nothing_is_passed() -> None:
    with pytest.raises(NotRun, match=NO_CUDA):
        check_peaks(Trial(Settings(device="cpu"), embedded_profile()))
