"""Times from work and pace."""

from __future__ import annotations

import numpy as np
import pytest

from service.eta import eta, quantile


@pytest.mark.parametrize("q", [0, 0.1, 0.5, 0.9, 1])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_quantiles_are_numpys(size: int, q: float) -> None:
    values = np.random.default_rng(size).random(size).tolist()
    assert quantile(values, q) == pytest.approx(np.quantile(values, q))


def test_the_work_before_is_shared_and_the_own_is_not() -> None:
    found = eta([0.1, 0.1, 0.3], before=40, own=10, workers=4)
    assert found is not None
    assert found.p50 == pytest.approx(2.0)
    assert found.p90 == pytest.approx(20 * 0.26)


def test_nothing_known_is_nothing_told() -> None:
    assert eta([], 1, 1, 1) is None
    assert eta([0.1], 1, 1, 0) is None
