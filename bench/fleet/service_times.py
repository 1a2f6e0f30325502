"""How long a GPU works on a job: a table by whether its source is known and how many seeds it has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEASURED = {
    (False, 1): "first_edit",
    (False, 4): "first_edit_four_seeds",
    (True, 1): "another_seed_of_a_known_source",
    (True, 4): "four_more_seeds_of_it",
}
"""Cases of `python -m bench insertion`."""


@dataclass(frozen=True)
class ServiceTimes:
    """seconds: mean by (source known, seeds); spread: a job's about it, as a lognormal's sigma; 1 seed and 4
    seeds each stand for both kinds of sources. exponential: in place of that, for the check by Erlang C."""

    seconds: Mapping[tuple[bool, int], float]
    spread: float = 0.15
    exponential: bool = False


def of_bench(values: Mapping[str, Any]) -> ServiceTimes:
    """From the values of `python -m bench insertion --json FILE`."""
    return ServiceTimes({case: float(values[name]["seconds"]) for case, name in MEASURED.items()})


def of_forwards(first: float, following: float, forward_seconds: float, other_seconds: float) -> ServiceTimes:
    """From counted forwards of one seed (bench.cost's u) and a card's seconds a forward; `other_seconds` are
    all that is no forward. A seed more costs what a known source's edit costs."""
    return ServiceTimes(
        {
            (known, seeds): ((following if known else first) + (seeds - 1) * following) * forward_seconds
            + other_seconds
            for known in (False, True)
            for seeds in (1, 4)
        }
    )


def read_bench(file: Path) -> ServiceTimes:
    """From the file itself. Raises `KeyError` where it has no insertions."""
    return of_bench(json.loads(file.read_text())["insertion"])
