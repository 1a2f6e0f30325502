"""Prometheus' text as numbers."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, generate_latest

from studio.measures import Glance, glance, hit_rate, per_minute, samples, share, size, total


def exposed(hits: int, misses: int) -> str:
    registry = CollectorRegistry()
    for name, count in (("hits", hits), ("misses", misses)):
        counter = Counter(f"addit_source_memory_{name}", "…", ["worker"], registry=registry)
        counter.labels('a "quoted" one').inc(count)
    jobs = Counter("addit_jobs", "…", ["status"], registry=registry)
    jobs.labels("succeeded").inc(7)
    return generate_latest(registry).decode()


def test_numbers_are_found_by_name_and_label() -> None:
    found = samples(exposed(3, 1))
    assert total(found, "addit_jobs_total", status="succeeded") == 7
    assert total(found, "addit_jobs_total", status="failed") == 0
    assert hit_rate(found) == 0.75
    assert hit_rate(samples("")) is None
    assert glance(found, 5.0) == Glance(5.0, 7, 0, {})


def test_memory_held_is_summed_by_tier() -> None:
    name = "addit_source_memory_bytes"
    lines = [f'{name}{{worker="{worker}",tier="{tier}"}} 8' for worker in "ab" for tier in ("host", "device")]
    assert glance(samples("\n".join(lines)), 0.0).held == {"device": 16, "host": 16}


def test_throughput_is_the_difference_over_the_time_and_never_below_nothing() -> None:
    glances = [Glance(0, 10, 0, {}), Glance(30, 12, 0, {}), Glance(60, 2, 0, {})]
    assert per_minute(glances) == [(-30, 4.0), (0, 0.0)]
    assert per_minute([]) == []


def test_memory_is_told_in_gibibytes_and_where_there_is_none_that_is_said() -> None:
    assert share(6 * 2**30, 24 * 2**30) == "6.0 GiB of 24.0 GiB, 25%"
    assert share(None, None) == "none"
    assert (size(3 * 2**29), size(None)) == ("1.5 GiB", "-")
