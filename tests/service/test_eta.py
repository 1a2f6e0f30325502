"""Times from work and pace."""

from __future__ import annotations

import numpy as np
import pytest

from service.eta import Work, eta, quantile


@pytest.mark.parametrize("q", [0, 0.1, 0.5, 0.9, 1])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_quantiles_are_numpys(size: int, q: float) -> None:
    values = np.random.default_rng(size).random(size).tolist()
    assert quantile(values, q) == pytest.approx(np.quantile(values, q))


PACES = [0.1, 0.1, 0.3]


def test_the_work_before_is_shared_and_the_own_is_not() -> None:
    found = eta([Work(30, PACES), Work(10, PACES, mine=True)], Work(10, PACES), workers=4, cap=4)
    assert found is not None
    assert found.p50 == pytest.approx(2.0)
    assert found.p90 == pytest.approx(20 * 0.26)


def test_each_goes_at_its_shapes_pace() -> None:
    found = eta([Work(5, [2.0]), Work(1, [])], Work(10, [0.5]), workers=1, cap=1)
    assert found is not None
    assert found.p50 == found.p90 == 5 * 2.0 + 11 * 0.5


def test_a_cap_slows_the_own_work_only() -> None:
    before = [Work(30, [1.0]), Work(10, [1.0], mine=True)]
    seconds = [found.p50 for cap in (4, 2, 1) if (found := eta(before, Work(2, [1.0]), workers=8, cap=cap))]
    assert seconds == [5 + 2, 5 + 2, 10 + 2]


def test_nothing_known_is_nothing_told() -> None:
    assert eta([], Work(1, []), 1, 1) is None
    assert eta([], Work(1, [0.1]), 0, 1) is None
    assert eta([], Work(1, [0.1]), 1, 0) is None
