"""Any order of calls by tenants, workers living and dead, and time: every record is as it should be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from api_schemas.base import new_id
from api_schemas.errors import JobError
from api_schemas.insertions import GeneratedSource
from api_schemas.jobs import TERMINAL, JobStatus
from job_store.audit import violations
from job_store.batches import BatchStore
from job_store.errors import IdempotencyKeyReused, NotFound, StaleToken, StoreError, WrongState
from job_store.jobs import DEADLINE_GRACE_MS, JobStore
from job_store.operations import Operations
from job_store.records import Claim, Idempotency, NewJob, ScenePlace
from job_store.scenes import SceneStore
from job_store.tenants import Limits, Tenants
from tests.job_store.samples import (
    LEASE_MS,
    MAX_CRASHES,
    MODEL,
    PROGRESS,
    TENANT,
    new_job,
    pass_time,
    result,
)

DEADLINE_SECONDS, RETAIN_SECONDS = 3600, 3600  # no machine is slow enough for them to pass by themselves
TENANTS = st.sampled_from([TENANT, "globex"])
ERROR = JobError(code="internal", message="broken")


@dataclass
class Expected:
    """What the machine thinks of a job. token: of its current attempt; doomed: it goes when it has ended."""

    status: JobStatus = "queued"
    token: str | None = None
    attempts: int = 0
    crashes: int = 0
    cancel_requested: bool = False
    tenant: str = TENANT
    moved: bool = False
    doomed: bool = False

    def end(self, status: JobStatus) -> None:
        self.status = status

    def give_back(self, crashed: bool) -> JobStatus:
        self.crashes += crashed
        if self.cancel_requested:
            self.status = "canceled"
        elif crashed and self.crashes >= MAX_CRASHES:
            self.status = "failed"
        else:
            self.status, self.token = "queued", None
        return self.status


@dataclass
class Tree:
    """What the machine thinks of a scene: its steps with what each builds upon, and its head."""

    steps: dict[str, str | None] = field(default_factory=dict)
    head: str | None = None


@dataclass
class Lines:
    """What the machine thinks of a batch: the job of each line."""

    jobs: dict[int, str] = field(default_factory=dict)
    canceled: bool = False


class JobMachine(RuleBasedStateMachine):
    """Calls go to the real store and to `Expected`; they must agree on every answer and every record."""

    redis: Redis
    jobs = Bundle("jobs")
    claims = Bundle("claims")
    trees = Bundle("trees")
    batches = Bundle("batches")

    def __init__(self) -> None:
        super().__init__()
        self.redis.flushall()
        self.store = JobStore(self.redis)
        self.expected: dict[str, Expected] = {}
        self.keys: dict[tuple[str, str], str] = {}
        self.caps: dict[str, int] = {}
        self.scene_store, self.batch_store = SceneStore(self.redis), BatchStore(self.redis)
        self.scenes: dict[str, Tree] = {}
        self.lines: dict[str, Lines] = {}
        self.paused = False

    # tenants

    @rule(target=jobs, tenant=TENANTS, bulk=st.booleans(), key=st.sampled_from(["", "a", "b"]))
    def submit(self, tenant: str, bulk: bool, key: str) -> str:
        job = self.job_of(tenant, bulk)
        record, fresh = self.store.submit(job, Idempotency(key, "body") if key else None)
        earlier = self.keys.get((tenant, key))
        assert fresh == (earlier not in self.expected)
        assert record.id == (job.id if fresh else earlier)
        if fresh:
            self.expected[record.id] = Expected(tenant=tenant)
            if key:
                self.keys[tenant, key] = record.id
        return record.id

    @rule(tenant=TENANTS, key=st.sampled_from(["a", "b"]))
    def submit_something_else_under_a_key(self, tenant: str, key: str) -> None:
        if self.keys.get((tenant, key)) in self.expected:
            job, other = self.job_of(tenant), Idempotency(key, "another body")
            assert self.refusal_of(lambda: self.store.submit(job, other)) is IdempotencyKeyReused

    @rule(target=jobs, tenant=TENANTS)
    def submit_twice_as_the_reply_was_lost(self, tenant: str) -> str:
        return self.accepted(tenant)

    # scenes and batches, all of one tenant

    @rule(target=trees)
    def begin_scene(self) -> str:
        scene_id = new_id("scn")
        source = GeneratedSource(prompt="a room")
        self.scene_store.create(scene_id, TENANT, source, image_id=None, metadata={}, seconds=RETAIN_SECONDS)
        self.scenes[scene_id] = Tree()
        return scene_id

    @rule(target=jobs, scene_id=trees, data=st.data())
    def add_step(self, scene_id: str, data: st.DataObject) -> object:
        tree = self.scenes.get(scene_id)
        parent = data.draw(st.sampled_from([None, *tree.steps])) if tree else None
        job = replace(self.job_of(TENANT), parent_id=parent, scene=ScenePlace(scene_id, None))
        refusal = self.refusal_of(lambda: self.store.submit(job))
        assert refusal is (None if tree else NotFound)
        if tree is None:
            return multiple()
        tree.steps[job.id], tree.head = parent, job.id
        self.expected[job.id] = Expected()
        return job.id

    @rule(scene_id=trees, data=st.data())
    def undo(self, scene_id: str, data: st.DataObject) -> None:
        tree = self.scenes.get(scene_id)
        if tree:
            tree.head = data.draw(st.sampled_from([None, *tree.steps]))
            self.scene_store.move_head(self.scene_store.get(scene_id, TENANT), tree.head)

    @rule(scene_id=trees)
    def delete_scene(self, scene_id: str) -> None:
        tree = self.scenes.pop(scene_id, None)
        if tree is None:
            assert self.refusal_of(lambda: self.scene_store.delete(scene_id, TENANT)) is NotFound
            return
        there = {job_id for job_id in tree.steps if job_id in self.expected}
        running = {job_id for job_id in there if self.expected[job_id].status == "running"}
        assert set(self.scene_store.delete(scene_id, TENANT)) == there - running
        for job_id in there - running:
            del self.expected[job_id]
        for job_id in running:
            self.expected[job_id].cancel_requested = self.expected[job_id].doomed = True

    @rule(target=batches)
    def create_batch(self) -> str:
        batch_id = new_id("bat")
        self.batch_store.create(batch_id, TENANT, total=9)
        self.lines[batch_id] = Lines()
        return batch_id

    @rule(target=jobs, batch_id=batches, number=st.integers(1, 9))
    def take_line(self, batch_id: str, number: int) -> object:
        lines = self.lines[batch_id]
        if number in lines.jobs:
            return multiple()
        job_id = self.accepted(TENANT)
        assert self.batch_store.note(batch_id, number, job_id) == lines.canceled
        lines.jobs[number] = job_id
        return job_id

    @rule(batch_id=batches)
    def cancel_batch(self, batch_id: str) -> None:
        self.batch_store.cancel(batch_id, TENANT)
        self.lines[batch_id].canceled = True
        for job_id in self.lines[batch_id].jobs.values():
            self.cancel(job_id)

    @rule(job_id=jobs)
    def cancel(self, job_id: str) -> None:
        expected = self.expected.get(job_id)
        refusal = self.refusal_of(lambda: self.store.cancel(job_id, self.tenant_of(job_id)))
        if expected is None:
            assert refusal is NotFound
        elif expected.status == "queued":
            expected.end("canceled")
        elif expected.status == "running":
            expected.cancel_requested = True
        else:
            assert refusal is (None if expected.status == "canceled" else WrongState)

    @rule(job_id=jobs)
    def delete(self, job_id: str) -> None:
        expected = self.expected.get(job_id)
        refusal = self.refusal_of(lambda: self.store.delete(job_id, self.tenant_of(job_id)))
        if expected is None:
            assert refusal is NotFound
        elif expected.status == "running":
            assert refusal is WrongState
        else:
            assert refusal is None
            del self.expected[job_id]

    # operators

    @rule(job_id=jobs)
    def move_to_front(self, job_id: str) -> None:
        expected = self.expected.get(job_id)
        refusal = self.refusal_of(lambda: Operations(self.redis).move_to_front(job_id))
        if expected is None:
            assert refusal is NotFound
        else:
            assert refusal is (None if expected.status == "queued" else WrongState)
            expected.moved |= expected.status == "queued"

    @rule(paused=st.booleans())
    def pause_or_resume(self, paused: bool) -> None:
        operations, self.paused = Operations(self.redis), paused
        operations.pause(MODEL) if paused else operations.resume(MODEL)

    @rule(tenant=TENANTS, cap=st.integers(0, 3), weight=st.sampled_from([0.5, 1, 3]))
    def limit(self, tenant: str, cap: int, weight: float) -> None:
        self.caps[tenant] = cap
        Tenants(self.redis, Limits()).put(tenant, {"max_running": cap, "weight": weight})

    # workers

    @rule(target=claims)
    def claim(self) -> object:
        running = Counter(job.tenant for job in self.expected.values() if job.status == "running")
        queued = [job for job in self.expected.values() if job.status == "queued"]
        room = {tenant for tenant in (TENANT, "globex") if running[tenant] < self.caps.get(tenant, 99)}
        free = [job for job in queued if not self.paused and (job.moved or job.tenant in room)]
        claim = self.store.claim(MODEL, "worker", LEASE_MS)
        assert (claim is None) == (not free)
        if claim is None:
            return multiple()
        expected = self.expected[claim.record.id]
        assert expected in free
        expected.status, expected.token = "running", claim.token
        expected.attempts += 1
        return claim

    @rule(claim=claims)
    def beat(self, claim: Claim) -> None:
        if self.holds(claim):
            wanted = self.store.beat(claim.record.id, claim.token, LEASE_MS)
            assert wanted.cancel == self.expected[claim.record.id].cancel_requested
        else:
            with pytest.raises(StaleToken):
                self.store.beat(claim.record.id, claim.token, LEASE_MS)

    @rule(claim=claims)
    def report(self, claim: Claim) -> None:
        refusal = self.refusal_of(lambda: self.store.report(claim.record.id, claim.token, PROGRESS))
        assert refusal is (None if self.holds(claim) else StaleToken)

    @rule(claim=claims, status=st.sampled_from(["succeeded", "failed", "canceled"]))
    def end(self, claim: Claim, status: JobStatus) -> None:
        job_id, token = claim.record.id, claim.token
        ways = {
            "succeeded": lambda: self.store.commit(job_id, token, result()),
            "failed": lambda: self.store.fail(job_id, token, ERROR),
            "canceled": lambda: self.store.canceled(job_id, token),
        }
        refusal = self.refusal_of(ways[status])
        expected = self.expected.get(job_id)
        if self.holds(claim):
            assert refusal is None
            cast(Expected, expected).end(status)
            self.bury(job_id)
        else:
            repeated = expected is not None and expected.token == token and expected.status == status
            assert refusal is (None if repeated else StaleToken)

    @rule(claim=claims, crashed=st.booleans())
    def release(self, claim: Claim, crashed: bool) -> None:
        if self.holds(claim):
            expected = self.expected[claim.record.id].give_back(crashed)
            status = self.store.release(
                claim.record.id, claim.token, crashed=crashed, max_crashes=MAX_CRASHES
            )
            assert status == expected
            self.bury(claim.record.id)
        else:
            self.refusal_of(  # either stale, or told how it is by now; what matters is that nothing moves
                lambda: self.store.release(
                    claim.record.id, claim.token, crashed=crashed, max_crashes=MAX_CRASHES
                )
            )

    # time

    @rule(job_id=jobs)
    def lease_runs_out(self, job_id: str) -> None:
        expected = self.expected.get(job_id)
        if expected and expected.status == "running":
            pass_time(self.redis, job_id, LEASE_MS)
            status = expected.give_back(crashed=True)
            swept = self.store.sweep(MAX_CRASHES)
            assert (swept.requeued if status == "queued" else swept.ended) == (job_id,)
            self.bury(job_id)
            if status == "queued":  # of an ended one it would put off the end of its retention
                pass_time(self.redis, job_id, -LEASE_MS)

    @rule(job_id=jobs)
    def deadline_passes(self, job_id: str) -> None:
        expected = self.expected.get(job_id)
        if expected and expected.status == "queued":
            pass_time(self.redis, job_id, DEADLINE_SECONDS * 1000 + DEADLINE_GRACE_MS)
            expected.end("failed" if expected.attempts else "expired")
            assert self.store.sweep(MAX_CRASHES).ended == (job_id,)

    @rule(job_id=jobs)
    def deadline_of_a_running_one_passes(self, job_id: str) -> None:
        """Its worker is gone as well: an hour is longer than any lease."""
        expected = self.expected.get(job_id)
        if expected and expected.status == "running":
            pass_time(self.redis, job_id, DEADLINE_SECONDS * 1000 + DEADLINE_GRACE_MS)
            token = expected.token
            if expected.give_back(crashed=True) == "queued":
                expected.status, expected.token = "failed", token
            assert self.store.sweep(MAX_CRASHES).ended == (job_id,)
            self.bury(job_id)

    @rule(job_id=jobs)
    def retention_passes(self, job_id: str) -> None:
        expected = self.expected.get(job_id)
        if expected and expected.status in TERMINAL:
            pass_time(self.redis, job_id, RETAIN_SECONDS * 1000)
            assert self.store.sweep(MAX_CRASHES).deleted == (job_id,)
            del self.expected[job_id]

    # always

    @invariant()
    def records_are_as_expected(self) -> None:
        for job_id, expected in self.expected.items():
            record = self.store.get(job_id, expected.tenant)
            assert (record.status, record.attempts, record.crashes) == (
                expected.status, expected.attempts, expected.crashes,
            )  # fmt: skip

    @invariant()
    def scenes_and_batches_are_as_expected(self) -> None:
        for scene_id, tree in self.scenes.items():
            scene = self.scene_store.get(scene_id, TENANT)
            assert {step.id: step.parent for step in scene.steps} == tree.steps
            assert scene.head == tree.head
        for batch_id, lines in self.lines.items():
            batch = self.batch_store.get(batch_id, TENANT)
            assert (batch.jobs, batch.canceled) == (lines.jobs, lines.canceled)

    def teardown(self) -> None:
        assert violations(self.redis) == []

    def job_of(self, tenant: str, bulk: bool = False) -> NewJob:
        return new_job(
            tenant, priority="bulk" if bulk else "interactive", deadline_seconds=DEADLINE_SECONDS,
            retain_seconds=RETAIN_SECONDS, webhook={"url": "https://example.com/"},
        )  # fmt: skip

    def accepted(self, tenant: str) -> str:
        """A new job, submitted twice; its id."""
        job = self.job_of(tenant)
        assert [self.store.submit(job)[0].id for _ in range(2)] == [job.id, job.id]
        self.expected[job.id] = Expected(tenant=tenant)
        return job.id

    def bury(self, job_id: str) -> None:
        """One whose scene was deleted goes with the next sweep after its end."""
        expected = self.expected[job_id]
        if expected.doomed and expected.status in TERMINAL:
            self.store.sweep(MAX_CRASHES)
            with pytest.raises(NotFound):
                self.store.get(job_id)
            del self.expected[job_id]

    def tenant_of(self, job_id: str) -> str:
        return self.expected[job_id].tenant if job_id in self.expected else TENANT

    def holds(self, claim: Claim) -> bool:
        expected = self.expected.get(claim.record.id)
        return expected is not None and expected.status == "running" and expected.token == claim.token

    @staticmethod
    def refusal_of(call) -> type[StoreError] | None:
        try:
            call()
        except StoreError as refusal:
            return type(refusal)
        return None


def test_any_order_of_calls_keeps_the_promises(redis: Redis) -> None:
    machine = type("Machine", (JobMachine,), {"redis": redis})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=settings().max_examples // 2,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # shrinking against a real server takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
