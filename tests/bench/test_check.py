"""What the service counts stays within the committed limits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import check
from bench.check import fails, read_limits, renewed, to_figures, verdicts

LIMITS = {"kept": 10.0, "broken": 10.0, "idle": 10.0, "gone": 1.0}
VALUES = {"kept": 9.5, "broken": 10.5, "idle": 5.0, "new": 1.0}


@pytest.mark.timeout(900)  # half a minute of an idle core; a busy one has it in minutes
def test_every_count_is_within_its_limit() -> None:
    limits, values = read_limits(), check.seen()
    broken = {name: (limits.get(name), values.get(name)) for name in fails(verdicts(limits, values))}
    assert broken == {}, "(limit, seen); `python -m bench.check --renew` if it has to be"


def test_what_is_over_new_or_gone_fails_and_what_is_well_under_is_told() -> None:
    judged = verdicts(LIMITS, VALUES)
    assert judged == {
        "broken": "over",
        "gone": "not seen",
        "idle": "lower it",
        "kept": "ok",
        "new": "no limit",
    }
    assert fails(judged) == ["broken", "gone", "new"]


def test_a_row_names_quantity_limit_and_count() -> None:
    rows = {row[0]: row[1:] for row in to_figures(LIMITS, VALUES).rows}
    assert rows["broken"] == ["10", "10.5", "over"]
    assert rows["new"] == ["", "1", "no limit"]


def test_renewed_limits_are_what_was_seen_but_bytes_have_room(tmp_path: Path) -> None:
    file = tmp_path / "limits.json"
    file.write_text(json.dumps(renewed({"x.bytes": 1000.0, "x.queries": 3.0})))
    assert read_limits(file) == {"x.bytes": 1050, "x.queries": 3}
