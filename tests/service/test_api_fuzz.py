"""A share of the run of Schemathesis; all of it: `make fuzz-api`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api_fuzz import fuzz, stack


@pytest.mark.fault(46)
@pytest.mark.timeout(600)
def test_no_drawn_call_breaks_the_description(tmp_path: Path) -> None:
    """No 5xx; no status, header or body beside the description; nothing without a key or after deletion."""
    with stack(tmp_path) as (addresses, key):
        found = fuzz(
            addresses, key, tmp_path, max_examples=8, phases=("examples", "coverage", "fuzzing", "stateful"),
            quick=True, seed=46,
        )  # fmt: skip
    print(f"{found.operations} operations, {found.cases} cases")  # noqa: T201
    assert found.problems == (), found.output[-20_000:]
    assert found.operations > 50
    assert found.cases > 1000
