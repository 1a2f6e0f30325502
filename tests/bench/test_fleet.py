"""The fleet's simulation against what is known without it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.fleet.autoscaler import Autoscaler, Policy
from bench.fleet.erlang import mean_wait, waiting_share
from bench.fleet.job import Job, Traffic
from bench.fleet.line import RIPE_SECONDS, Line
from bench.fleet.service_times import ServiceTimes, of_bench, of_forwards
from bench.fleet.simulation import Fleet, Simulation

CASES = [(known, seeds) for known in (True, False) for seeds in (1, 4)]
EVEN = ServiceTimes(dict.fromkeys(CASES, 1.0), exponential=True)
ALIKE = Traffic(1.0, tenants=1, again=0.0, four_seeds=0.0, bulk=0.0)
EDITS = of_forwards(first=45, following=29, forward_seconds=0.2, other_seconds=1.0)


def test_erlang_c_is_the_load_of_one_server_and_the_table_of_many() -> None:
    assert waiting_share(1, 0.7) == pytest.approx(0.7)
    assert waiting_share(2, 1.0) == pytest.approx(1 / 3)
    assert waiting_share(10, 7.0) == pytest.approx(0.2217, abs=1e-4)
    with pytest.raises(ValueError, match="more than 2 servers"):
        waiting_share(2, 2.0)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (10, 0.8)])
def test_waits_are_those_of_erlang(servers: int, load: float) -> None:
    rate = servers * load
    fleet = Fleet(servers, affinity=False)
    seen = Simulation(fleet, replace(ALIKE, sessions_per_second=rate), EVEN, seed=1).run(100_000 / rate, 100)
    # so many jobs in a row tell a mean to about 7 %: those of a busy moment all wait
    assert seen.mean_wait == pytest.approx(mean_wait(servers, rate, 1.0), rel=0.15)
    assert seen.busy_seconds / seen.worker_seconds == pytest.approx(load, rel=0.03)


def test_looking_for_sources_raises_the_share_that_is_remembered() -> None:
    traffic = Traffic(0.2, tenants=20)
    with_, without = (
        Simulation(Fleet(20, affinity=affinity), traffic, EDITS, seed=2).run(6_000, 500)
        for affinity in (True, False)
    )
    assert without.hits / without.again < 0.3
    assert with_.hits / with_.again > 0.5, "a holder that is busy is not waited for"
    assert with_.busy_seconds / with_.jobs < without.busy_seconds / without.jobs


def test_waiting_for_a_busy_holder_is_worth_it_where_workers_are_scarce() -> None:
    traffic = Traffic(0.35, tenants=20)
    waited, not_waited = (
        Simulation(Fleet(20, patience=patience), traffic, EDITS, seed=2).run(8_000, 500)
        for patience in (6, 0)
    )
    assert waited.hits / waited.again > not_waited.hits / not_waited.again + 0.1
    assert waited.mean_completion < not_waited.mean_completion
    assert waited.busy_seconds / waited.jobs < not_waited.busy_seconds / not_waited.jobs


def test_a_job_that_is_left_is_passed_by_others_and_keeps_its_turn() -> None:
    line = Line(2)
    for tenant, source in ((0, 1), (0, 2), (1, 3)):
        line.add(job(tenant, float(source), source), 1.0)
    taken = [line.take(5.0, (), 1.0, lambda one: 10.0 * (one.source == 1)) for _ in range(3)]
    assert sorted(one.source for one in taken if one) == [2, 3]
    assert line.count == 1
    assert line.take(10.0, (), 1.0).source == 1  # type: ignore[union-attr]


def job(tenant: int, arrived: float, source: int = 0, *, bulk: bool = False) -> Job:
    return Job(tenant, source, 1, bulk, arrived)


def test_tenants_take_turns_however_much_one_asks() -> None:
    line = Line(2)
    for number in range(10):
        line.add(job(0, float(number)), 1.0)
    for number in range(3):
        line.add(job(1, 10.0 + number), 1.0)
    taken = [line.take(20.0, (), 1.0) for _ in range(6)]
    assert sorted(one.tenant for one in taken if one) == [0, 0, 0, 1, 1, 1]


def test_bulk_waits_for_interactive_until_it_is_ripe() -> None:
    line = Line(2)
    line.add(job(0, 0.0, bulk=True), 1.0)
    line.add(job(1, 1.0), 1.0)
    line.add(job(1, 2.0), 1.0)
    first, second = line.take(3.0, (), 1.0), line.take(RIPE_SECONDS + 1, (), 1.0)
    assert first
    assert not first.bulk
    assert second
    assert second.bulk


def test_a_held_source_goes_first_within_two_seconds() -> None:
    line = Line(1)
    for arrived, source in ((0.0, 1), (1.5, 2), (4.0, 3)):
        line.add(job(0, arrived, source), 1.0)
    taken = [line.take(5.0, holds, 1.0) for holds in ({2, 3}, {3}, {3})]
    assert [one.source for one in taken if one] == [2, 1, 3]
    assert line.take(5.0, (), 1.0) is None


def test_a_scaler_grows_at_once_and_shrinks_when_it_was_long_enough_quiet() -> None:
    scaler = Autoscaler(Policy(target=10, least=2))
    assert scaler.replicas(0, 10, 15.0) == 15
    assert scaler.replicas(15, 15, 100.0) == 30
    assert scaler.replicas(30, 30, 10.5) == 30
    assert scaler.replicas(45, 30, 0.0) == 30
    assert scaler.replicas(60, 30, 0.0, busy=29) == 37, "four fifths at work"
    quiet = [scaler.replicas(400 + 15 * n, 30, 0.0) for n in range(30)]
    assert min(quiet) == 29, "a tenth a minute"


def test_the_fleet_follows_its_load_and_is_paid_by_the_second() -> None:
    fleet = Fleet(5, cold_seconds=60, policy=Policy(target=10))
    traffic = Traffic(0.5, tenants=20)
    seen = Simulation(fleet, traffic, EDITS, seed=3).run(3_000, 3_000)
    workers = [moment[1] for moment in seen.moments]
    assert max(workers) > 10
    assert seen.busy_seconds < seen.worker_seconds * 1.02
    assert seen.worker_seconds == pytest.approx(3_000 * sum(workers) / len(workers), rel=0.1)


def test_service_times_come_from_the_benchmarks_values() -> None:
    names = ("first_edit", "first_edit_four_seeds", "another_seed_of_a_known_source", "four_more_seeds_of_it")
    times = of_bench({name: {"seconds": second} for second, name in enumerate(names, 1)})
    assert times.seconds == {(False, 1): 1, (False, 4): 2, (True, 1): 3, (True, 4): 4}
