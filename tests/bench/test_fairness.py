"""The benchmark of shares: its index, and that a flood takes no more than its share."""

from __future__ import annotations

import numpy as np
import pytest
from redis import Redis

from bench.fairness import FLOODER, SCENARIOS, STEPS, index_of, jain, run
from tests.figures import Figure


def test_jains_index_is_the_naive_formula() -> None:
    shares = np.random.default_rng(0).random(5)
    assert jain(shares.tolist()) == pytest.approx(shares.mean() ** 2 / (shares**2).mean())
    assert jain([3, 3, 3]) == 1
    assert jain([7, 0, 0, 0]) == 0.25


@pytest.mark.fault(50)
@pytest.mark.parametrize("name", SCENARIOS)
def test_one_that_floods_gets_its_share_and_no_more(redis: Redis, name: str, figure: Figure) -> None:
    tenants = SCENARIOS[name]
    served = run(redis, tenants)
    assert set(served.work) == {tenant.name for tenant in tenants}
    figure(50, "Jain's index of their shares", index_of(tenants, served.work))
    shares = {tenant.name: served.work[tenant.name] / tenant.weight for tenant in tenants}
    largest_job = max(STEPS * tenant.seeds for tenant in tenants)
    assert shares[FLOODER] <= min(shares.values()) + largest_job
