"""The little that is understood of PromQL is understood rightly."""

from __future__ import annotations

import pytest

from tests.observability.promql import Query, is_bracketed, parse


@pytest.mark.parametrize(
    ("expression", "metrics", "labels"),
    [
        ("up", {"up"}, set()),
        ('rate(a_total{x="b(]", y=~".*"}[5m])', {"a_total"}, {"x", "y"}),
        ("sum by (le, m) (max by (le) (rate(a_bucket[$__rate_interval]))) > 60", {"a_bucket"}, {"le", "m"}),
        ("histogram_quantile(0.95, a) / on (m) b unless c or vector(0)", {"a", "b", "c"}, {"m"}),
    ],
)
def test_metrics_and_labels_are_found(expression: str, metrics: set[str], labels: set[str]) -> None:
    assert parse(expression) == Query(frozenset(metrics), frozenset(labels))
    assert is_bracketed(expression)


@pytest.mark.parametrize("expression", ["sum(a", "sum(a))", "a{b]", "a[5m)", ")("])
def test_a_bracket_without_a_partner_is_found(expression: str) -> None:
    assert not is_bracketed(expression)
