"""The spans of one attempt, made by its supervisor: how long it waited, the attempt, the engine's stages."""

from __future__ import annotations

from datetime import datetime

from opentelemetry.trace import Span

from job_store.records import JobRecord
from runtime import telemetry
from workers.messages import Lap

ENDED_WELL = frozenset({"succeeded", "canceled"})


def begin_attempt(record: JobRecord) -> Span:
    """The attempt's, beside the time that the job had waited for it; the caller ends it."""
    attributes: telemetry.Attributes = {
        "job_id": record.id, "tenant": record.tenant, "model": record.model, "attempt": record.attempts,
        "worker": record.worker,
    }  # fmt: skip
    _tell_queue(record, attributes)
    return telemetry.start("attempt", record.traceparent, attributes)


def tell_lap(span: Span, lap: Lap) -> None:
    """A stage of the engine's as a span below the attempt's, its steps as events."""
    stage = telemetry.start(lap.stage, telemetry.traceparent(span), {}, started_ns=lap.began_ns)
    for step in lap.steps:
        stage.add_event(f"{step.stage} step", {"step": step.number, "total": step.total}, step.at_ns)
    stage.end(lap.ended_ns)


def tell_ending(span: Span, ending: str) -> None:
    """How the attempt ended, as an `Ending` or a `guard.Reason`."""
    telemetry.note(span, {"ending": ending})
    if ending not in ENDED_WELL:
        telemetry.fail(span, ending)


def _tell_queue(record: JobRecord, attributes: telemetry.Attributes) -> None:
    """By the store's clock, both ends of it."""
    if record.ready_at is None or record.claimed_at is None:
        return
    waited = telemetry.start("queue", record.traceparent, attributes, started_ns=_ns(record.ready_at))
    waited.end(_ns(record.claimed_at))


def _ns(moment: datetime) -> int:
    return round(moment.timestamp() * 1000) * 1_000_000
