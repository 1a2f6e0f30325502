"""Which cell a tenant has: stable, even, and moved by nothing but a new cell or an operator's word."""

from __future__ import annotations

from collections import Counter

import pytest

from job_store.cells import home, pins

TENANTS = [f"tenant-{number}" for number in range(3000)]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_new_cell_takes_its_share_and_nobody_moves_between_the_others(count: int) -> None:
    cells = [f"cell-{number}" for number in range(count)]
    before = {tenant: home(tenant, cells, {}) for tenant in TENANTS}
    after = {tenant: home(tenant, [*cells, "new"], {}) for tenant in TENANTS}
    moved = [tenant for tenant in TENANTS if before[tenant] != after[tenant]]
    assert {after[tenant] for tenant in moved} == {"new"}
    assert len(moved) / len(TENANTS) == pytest.approx(1 / (count + 1), abs=0.03)


def test_cells_have_even_shares_whatever_their_order() -> None:
    shares = Counter(home(tenant, "abcd", {}) for tenant in TENANTS)
    assert all(count / len(TENANTS) == pytest.approx(0.25, abs=0.03) for count in shares.values())
    assert all(home(tenant, "abcd", {}) == home(tenant, "dcba", {}) for tenant in TENANTS)


def test_the_rule_never_changes_with_a_release() -> None:
    assert {tenant: home(tenant, ("one", "two"), {}) for tenant in RECORDED} == RECORDED


def test_an_operators_word_comes_before_the_rule() -> None:
    moved = {"acme": "b", "globex": ""}
    assert home("acme", ("a", "b"), moved) == "b"
    assert home("globex", ("a", "b"), moved) == ""


def test_with_its_pins_a_new_cell_takes_nobody_yet() -> None:
    moved = {"tenant-7": "a", "tenant-8": ""}
    pinned = pins(TENANTS, "ab", "c", moved)
    assert all(home(one, "abc", pinned) == home(one, "ab", moved) for one in TENANTS)
    assert len(pinned) / len(TENANTS) == pytest.approx(1 / 3, abs=0.03)


RECORDED = {"acme": "one", "globex": "two", "initech": "two", "umbrella": "one", "hooli": "one"}
"""What workers' stores were filled by: another answer would lose tenants."""
