"""What follows from an answer. The sending is tested in test_webhook_sending.py and tests/faults."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from job_store.outbox import Delivery
from runtime.egress import EgressResponse
from runtime.settings import Settings
from workers.webhooks import JITTER, Answer, Dead, Delivered, Retry, decide, retry_after, to_attempt

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
SCHEDULE = Settings().webhook_schedule


def delivery(tries: int) -> Delivery:
    return Delivery(
        "msg_1", "we_1", "acme", "insertion.succeeded", "ins_1", tries, tries, created_at=NOW, taken_at=NOW
    )


def answered(status: int | None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(1.0, None if status is None else EgressResponse(status, named), error="took too long")


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_success_alone_is_success(status: int) -> None:
    assert decide(answered(status), delivery(1), SCHEDULE) == Delivered()


@pytest.mark.fault(32)
@pytest.mark.fault(33)
@pytest.mark.parametrize("status", [None, 100, 301, 302, 307, 400, 404, 429, 500, 503])
def test_anything_else_is_tried_again_over_three_days_and_then_given_up(status: int | None) -> None:
    answer = answered(status, location="http://169.254.169.254/")
    waited = timedelta()
    for tries in range(1, len(SCHEDULE)):
        fate = decide(answer, delivery(tries), SCHEDULE)
        assert isinstance(fate, Retry)
        delay = fate.at - NOW
        planned = timedelta(seconds=SCHEDULE[tries])
        assert planned <= delay <= planned * (1 + JITTER)
        waited += delay
    assert timedelta(hours=75) < waited < timedelta(hours=75) * 1.3
    assert decide(answer, delivery(len(SCHEDULE)), SCHEDULE) == Dead("10 tries")


@pytest.mark.fault(34)
def test_gone_is_final_and_a_wish_to_be_left_alone_is_honoured() -> None:
    gone = decide(answered(410), delivery(1), SCHEDULE)
    assert isinstance(gone, Dead)
    assert gone.gone
    fate = decide(answered(503, retry_after="3600"), delivery(1), SCHEDULE)
    assert fate == Retry(NOW + timedelta(hours=1))
    endless = decide(answered(503, retry_after="99999999999"), delivery(1), SCHEDULE)
    assert endless == Retry(NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("Tue, 01 Jan 2030 12:01:00 GMT", 60), ("soon", 0), ("-5", 0), ("", 0), ("9" * 400, 0)],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: int) -> None:
    assert retry_after({"retry-after": value}, NOW) == timedelta(seconds=seconds)


def test_a_test_is_tried_once_and_a_refused_address_never_again() -> None:
    test = replace(delivery(1), event="webhook_endpoint.test")
    assert decide(answered(500), test, SCHEDULE) == Dead("the test failed")
    assert decide(answered(200), test, SCHEDULE) == Delivered()
    refused = Answer(0.1, error="leads to an address that is not public", refused=True)
    assert decide(refused, delivery(1), SCHEDULE) == Dead(
        "the address leads to an address that is not public"
    )


def test_the_log_shows_what_was_answered_or_why_nothing_was() -> None:
    said = to_attempt(Answer(0.0124, EgressResponse(500, {}, "schön \udcff".encode(errors="replace"))), NOW)
    assert (said.status, said.duration_ms, said.error, said.answer) == (500, 12, None, "schön ?")
    broken = to_attempt(Answer(0.5, EgressResponse(200, {}, b"\xff\x00")), NOW)
    assert broken.answer == "\ufffd\x00"
    silent = to_attempt(answered(None), NOW)
    assert (silent.status, silent.error, silent.answer) == (None, "took too long", "")
