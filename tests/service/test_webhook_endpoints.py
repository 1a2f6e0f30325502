"""Webhook endpoints over HTTP: secrets shown once, foreign ids like missing ones, a log to replay from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from redis import Redis
from standardwebhooks.webhooks import Webhook

from api_schemas.webhooks import WebhookDelivery, WebhookEndpointWithSecret
from job_store.jobs import JobStore
from job_store.outbox import Outbox
from job_store.webhook_endpoints import MAX_ENDPOINTS
from runtime.settings import Settings
from tests.service.conftest import BODY, make_settings, serving
from tests.service.test_problems import JSON, STRANGE_KEY, assert_problem
from tests.workers.receiver import Receiver, receiver
from workers.webhooks import WebhookSender

PATH = "/v1/webhook-endpoints"
NEW = {"url": "http://127.0.0.1:9/hook", "events": ["insertion.canceled"]}
ROUTES = [
    ("POST", ""), ("GET", ""), ("GET", "/x"), ("PATCH", "/x"), ("DELETE", "/x"), ("POST", "/x/rotate"),
    ("POST", "/x/test"), ("GET", "/x/deliveries"), ("GET", "/x/deliveries/y"),
    ("POST", "/x/deliveries/y/replay"), ("POST", "/x/replay"),
]  # fmt: skip
BODIES: dict[tuple[str, str], Any] = {
    ("POST", ""): NEW, ("PATCH", "/x"): {"enabled": False}, ("POST", "/x/rotate"): {},
    ("POST", "/x/replay"): {"since": "2026-01-01T00:00:00Z"},
}  # fmt: skip


def made(client: httpx.Client, **fields: object) -> dict[str, Any]:
    answer = client.post(PATH, json={**NEW, **fields})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def send(settings: Settings, redis: Redis) -> Callable[[], int]:
    """Try everything that is due, once; how many it was."""

    def sent() -> int:
        due = Outbox(redis).take(100, 60_000)
        for delivery in due:
            WebhookSender(settings, redis).deliver(delivery)
        return len(due)

    return sent


@pytest.fixture
def cancel_a_job(client: httpx.Client, worker: object) -> Callable[..., str]:
    """A job of acme ends; the message's id."""

    def canceled(**fields: object) -> str:
        job_id = client.post("/v1/insertions", json={**BODY, **fields}).json()["id"]
        client.post(f"/v1/insertions/{job_id}/cancel")
        return f"msg_{job_id}"

    return canceled


def verify(got: Receiver, number: int, secret: str) -> dict[str, Any]:
    _, headers, body = got.requests[number]
    told: dict[str, Any] = Webhook(secret).verify(body, headers)
    return told


def test_the_secret_is_shown_when_it_is_made_and_never_again(client: httpx.Client) -> None:
    answer = client.post(PATH, json=NEW | {"description": "orders"})
    endpoint = WebhookEndpointWithSecret.model_validate_json(answer.content)
    assert endpoint.secret.startswith("whsec_")
    assert answer.headers["Cache-Control"] == "no-store"
    shown = client.get(answer.headers["Location"])
    assert (shown.status_code, shown.json()["description"]) == (200, "orders")
    assert {**shown.json(), "secret": endpoint.secret} == answer.json()
    assert client.get(PATH).json()["data"] == [shown.json()]
    assert endpoint.secret not in client.patch(f"{PATH}/{endpoint.id}", json={"enabled": False}).text


def test_no_secret_lies_in_the_store(client: httpx.Client, redis: Redis) -> None:
    endpoint = made(client)
    rotated = client.post(f"{PATH}/{endpoint['id']}/rotate", json={}).json()
    assert rotated["secret"] != endpoint["secret"]
    stored = b"".join(redis.dump(key) or b"" for key in redis.scan_iter())
    for secret in (endpoint["secret"], rotated["secret"]):
        assert secret.removeprefix("whsec_").encode() not in stored


def test_a_repeated_creation_makes_one_endpoint(client: httpx.Client) -> None:
    key = {"Idempotency-Key": "once"}
    first, again = (client.post(PATH, json=NEW, headers=key) for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    other = client.post(PATH, json=NEW | {"description": "x"}, headers=key)
    problem = assert_problem(other, 422, "idempotency_key_reused")
    assert problem.data == {"endpoint_id": first.json()["id"]}
    assert len(client.get(PATH).json()["data"]) == 1


def test_tests_are_ten_a_minute(client: httpx.Client) -> None:
    one, two = made(client)["id"], made(client)["id"]
    answers = [client.post(f"{PATH}/{one}/test") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    assert_problem(answers[-1], 429, "rate_limited")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert client.post(f"{PATH}/{two}/test").status_code == 202


def test_there_are_so_many_and_no_more(client: httpx.Client) -> None:
    for _ in range(MAX_ENDPOINTS):
        made(client)
    assert_problem(client.post(PATH, json=NEW), 429, "quota_exceeded")


@pytest.mark.fault(47)
@pytest.mark.parametrize("header", [None, "Bearer x", STRANGE_KEY])
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_route_works_without_a_key(address: str, method: str, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = httpx.request(method, address + PATH + path, headers=headers)
    assert_problem(answer, 401, "unauthorized")


@pytest.mark.fault(47)
@pytest.mark.parametrize(("method", "path"), ROUTES[2:])
def test_a_foreign_endpoint_answers_exactly_like_a_missing_one(
    client: httpx.Client, client_of: Callable[[str], httpx.Client], method: str, path: str
) -> None:
    foreign = made(client_of("other"))["id"]
    body = {"json": BODIES[method, path]} if (method, path) in BODIES else {}
    answers = [
        client.request(method, PATH + path.replace("x", endpoint), **body)
        for endpoint in (foreign, "we_000000000000000000000000", "Default", "%00")
    ]
    problems = [assert_problem(answer, 404, "not_found") for answer in answers]
    assert len({problem.model_copy(update={"request_id": ""}).model_dump_json() for problem in problems}) == 1
    assert client_of("other").get(f"{PATH}/{foreign}").json()["enabled"]


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "strange",
    ["%00", "..%2f..%2fetc", "%F0%9F%92%A9", "%ED%A0%80", "a" * 4000, "*", "default%2Fother", "%0A"],
)
def test_strange_ids(client: httpx.Client, strange: str) -> None:
    endpoint = made(client)["id"]
    for path in (strange, f"{strange}/deliveries", f"{endpoint}/deliveries/{strange}"):
        assert_problem(client.get(f"{PATH}/{path}"), 404, "not_found")
    for path in (f"{strange}/test", f"{endpoint}/deliveries/{strange}/replay"):
        assert_problem(client.post(f"{PATH}/{path}"), 404, "not_found")


def test_deliveries_of_another_endpoint_are_missing(
    client: httpx.Client, cancel_a_job: Callable[..., str]
) -> None:
    one, two = made(client), made(client, events=["insertion.failed"])
    message = cancel_a_job()
    assert client.get(f"{PATH}/{one['id']}/deliveries/{message}").status_code == 200
    for path in (f"{two['id']}/deliveries/{message}", f"{one['id']}/deliveries/msg_absent"):
        assert_problem(client.get(f"{PATH}/{path}"), 404, "not_found")
        assert_problem(client.post(f"{PATH}/{path}/replay"), 404, "not_found")


@pytest.mark.fault(37)
@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest", "https://10.0.0.1/", "https://[::1]/", "https://2130706433/",
        "http://example.com/", "https://user:secret@127.0.0.1/", "ftp://127.0.0.1/", "https://127.0.0.1/",
        "https://93.184.215.14:8443/", "no url", "https://does-not-resolve.invalid/",
    ],
)  # fmt: skip
def test_an_address_that_may_not_be_reached_is_refused(
    valkey, tmp_path, redis: Redis, client: httpx.Client, url: str
) -> None:
    endpoint = made(client)
    with serving(make_settings(valkey, tmp_path, allow_loopback_egress=False)) as strict:
        for method, path in (("POST", PATH), ("PATCH", f"{PATH}/{endpoint['id']}")):
            answer = client.request(method, strict + path, json={"url": url})
            (error,) = assert_problem(answer, 422, "invalid_request").errors
            assert error.path == "url"
            assert "secret" not in answer.text
    assert [one["url"] for one in client.get(PATH).json()["data"]] == [NEW["url"]]


@pytest.mark.fault(46)
@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "url"), ({**NEW, "events": []}, "events"), ({**NEW, "events": ["x"]}, "events.0"),
        ({**NEW, "secret": "mine"}, "secret"), ({**NEW, "description": "x" * 201}, "description"),
        ({**NEW, "enabled": "maybe"}, "enabled"), ({**NEW, "url": "https://" + "x" * 3000}, "url"),
    ],
)  # fmt: skip
def test_what_is_no_endpoint_is_invalid(client: httpx.Client, body: dict[str, Any], path: str) -> None:
    problem = assert_problem(client.post(PATH, json=body), 422, "invalid_request")
    assert path in {error.path for error in problem.errors}


@pytest.mark.fault(46)
@pytest.mark.parametrize("method_and_path", BODIES)
def test_bodies_that_are_no_json(client: httpx.Client, method_and_path: tuple[str, str]) -> None:
    method, path = method_and_path
    url = PATH + path.replace("x", made(client)["id"])
    for content in (b"", b"{", b"\xff", b'{"a": NaN}', b"[" * 100_000):
        answer = client.request(method, url, content=content, headers=JSON)
        assert_problem(answer, 400, "malformed_request")
    for content in (b"null", b"[]", b'"text"', b"7"):
        answer = client.request(method, url, content=content, headers=JSON)
        assert_problem(answer, 422, "invalid_request")
    plain = client.request(method, url, content=b"{}", headers={"Content-Type": "text/plain"})
    assert_problem(plain, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("rotate", {"overlap_seconds": -1}), ("rotate", {"overlap_seconds": 10**9}),
        ("replay", {}), ("replay", {"since": "yesterday"}), ("replay", {"since": "2026-01-01T00:00:00"}),
        ("replay", {"since": 10**400}), ("replay", {"since": "10000-01-01T00:00:00Z"}),
    ],
)  # fmt: skip
def test_overlaps_and_times_have_bounds(client: httpx.Client, path: str, body: dict[str, Any]) -> None:
    endpoint = made(client)
    assert_problem(client.post(f"{PATH}/{endpoint['id']}/{path}", json=body), 422, "invalid_request")


def test_a_rotation_signs_with_both_secrets_and_says_until_when(
    client: httpx.Client, cancel_a_job: Callable[..., str], send: Callable[[], int]
) -> None:
    with receiver(204) as got:
        endpoint = made(client, url=got.url)
        rotated = client.post(f"{PATH}/{endpoint['id']}/rotate", json={"overlap_seconds": 600}).json()
        left = datetime.fromisoformat(rotated["old_secrets_until"]) - datetime.now(UTC)
        assert timedelta(seconds=500) < left <= timedelta(seconds=601)
        message = cancel_a_job()
        assert send() == 1
        for secret in (endpoint["secret"], rotated["secret"]):
            assert verify(got, 0, secret)["data"]["id"] == message.removeprefix("msg_")


def test_a_test_arrives_and_stands_in_the_log(client: httpx.Client, send: Callable[[], int]) -> None:
    with receiver(204) as got:
        endpoint = made(client, url=got.url, enabled=False)
        answer = client.post(f"{PATH}/{endpoint['id']}/test")
        assert (answer.status_code, answer.json()["status"]) == (202, "pending")
        send()
        told = verify(got, 0, endpoint["secret"])
    assert told["type"] == "webhook_endpoint.test"
    assert told["data"] == {"endpoint_id": endpoint["id"]}
    done = WebhookDelivery.model_validate_json(client.get(answer.headers["Location"]).content)
    assert (done.status, done.attempts[0].status) == ("delivered", 204)


def test_a_failed_delivery_is_replayed_alone_or_with_all_others(
    client: httpx.Client, cancel_a_job: Callable[..., str], send: Callable[[], int]
) -> None:
    with receiver(410, 204) as got:
        endpoint = made(client, url=got.url)
        path = f"{PATH}/{endpoint['id']}"
        message = cancel_a_job()
        send()
        assert client.get(path).json()["disabled_reason"] == "gone"
        since = {"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
        assert_problem(client.post(f"{path}/deliveries/{message}/replay"), 409, "wrong_state")
        assert_problem(client.post(f"{path}/replay", json=since), 409, "wrong_state")
        assert client.patch(path, json={"enabled": True}).json()["disabled_reason"] is None
        assert client.post(f"{path}/replay", json=since).json() == {"count": 1}
        send()
        assert client.post(f"{path}/deliveries/{message}/replay").json()["status"] == "pending"
        send()
        assert client.post(f"{path}/replay", json=since).json() == {"count": 0}
    assert got.ids == [message] * 3
    log = client.get(f"{path}/deliveries/{message}").json()
    assert [attempt["status"] for attempt in log["attempts"]] == [410, 204, 204]


def test_the_log_comes_in_pages_and_by_state(
    client: httpx.Client, cancel_a_job: Callable[..., str], send: Callable[[], int]
) -> None:
    with receiver(204, 500) as got:
        endpoint = made(client, url=got.url)
        messages = [cancel_a_job() for _ in range(3)]
        send()
    path = f"{PATH}/{endpoint['id']}/deliveries"
    first = client.get(path, params={"limit": 2}).json()
    second = client.get(path, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [delivery["id"] for delivery in first["data"] + second["data"]] == messages[::-1]
    assert second["next_cursor"] is None
    found = client.get(path, params={"status": "pending"}).json()["data"]
    assert {delivery["id"] for delivery in found} == {*messages[1:]}
    assert_problem(client.get(path, params={"cursor": "x"}), 422, "invalid_request")
    assert_problem(client.get(path, params={"status": "lost"}), 422, "invalid_request")


def test_the_default_endpoint_has_a_secret_and_a_log_and_nothing_to_change(
    client: httpx.Client, cancel_a_job: Callable[..., str], send: Callable[[], int]
) -> None:
    path = f"{PATH}/default"
    assert client.get(path).json()["url"] is None
    for answer in (
        client.patch(path, json={"enabled": False}), client.delete(path), client.post(f"{path}/test"),
    ):  # fmt: skip
        assert_problem(answer, 409, "wrong_state")
    secret = client.post(f"{path}/rotate", json={"overlap_seconds": 0}).json()["secret"]
    with receiver(500, 204) as got:
        message = cancel_a_job(webhook={"url": got.url})
        send()
        assert verify(got, 0, secret)["type"] == "insertion.canceled"
        assert client.get(f"{path}/deliveries").json()["data"][0]["id"] == message
        client.post(f"{path}/deliveries/{message}/replay")
        send()
    assert got.ids == [message] * 2


def test_a_deleted_endpoint_is_gone_with_its_log(
    client: httpx.Client, cancel_a_job: Callable[..., str], send: Callable[[], int], store: JobStore
) -> None:
    with receiver(204) as got:
        endpoint = made(client, url=got.url)
        cancel_a_job()
        assert client.delete(f"{PATH}/{endpoint['id']}").status_code == 204
        send()
        assert got.requests == []
    assert_problem(client.get(f"{PATH}/{endpoint['id']}/deliveries"), 404, "not_found")
    assert client.get(PATH).json()["data"] == []
