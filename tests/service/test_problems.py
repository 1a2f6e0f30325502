"""Whatever is wrong with a request, the answer is a problem with a code and a request id."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import select
import socket
from typing import Any, get_args

import httpx
import pytest
from redis import Redis

from api_schemas.errors import Problem, RequestErrorCode
from job_store.api_keys import ApiKeys
from runtime.settings import Settings
from service.app import create_app
from service.errors import STATUS
from tests.figures import Figure
from tests.service.conftest import BODY

pytestmark = pytest.mark.usefixtures("worker")
STRANGE_KEY = "Bearer addit_" + "0" * 12 + "_" + "0" * 32
JSON = {"Content-Type": "application/json"}


def assert_problem(answer: httpx.Response, status: int, code: str) -> Problem:
    problem = Problem.model_validate(answer.json())
    assert (answer.status_code, problem.status, problem.code) == (status, status, code), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"] == problem.request_id
    return problem


def test_every_code_has_a_status() -> None:
    assert set(STATUS) == set(get_args(RequestErrorCode))


@pytest.mark.fault(46)
@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999999}x', b'{"a": "\\ud800"}', b"[" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000, b'"' + b"a" * 100 + b"\0",
    ],
)  # fmt: skip
def test_what_is_not_json_is_malformed(client: httpx.Client, content: bytes) -> None:
    assert_problem(client.post("/v1/insertions", content=content, headers=JSON), 400, "malformed_request")


@pytest.mark.fault(46)
@pytest.mark.parametrize(
    "value", [None, [], "text", 7, {}, {**BODY, "seeds": [10**400]}, {**BODY, "prompt": None}]
)
def test_json_that_is_no_request_is_invalid(client: httpx.Client, value: object) -> None:
    answer = client.post("/v1/insertions", content=json.dumps(value), headers=JSON)
    assert assert_problem(answer, 422, "invalid_request").errors


@pytest.mark.fault(46)
def test_mutated_requests_never_break_the_gateway(client: httpx.Client, figure: Figure) -> None:
    dice = random.Random(46)
    seed = json.dumps(
        {**BODY, "options": {"blend_steps": [1]}, "metadata": {"a": [1.5, {"b": "\\u00e9"}]}}
    ).encode()
    pieces = [
        b"null",
        b"[]",
        b"{}",
        b"-1",
        b"1e400",
        b'"',
        b"\\u0000",
        b"\xff",
        b"true",
        b"9" * 400,
        b"",
        b":",
        b",",
    ]
    statuses = []
    for _ in range(200):
        at, size = dice.randrange(len(seed)), dice.choice((0, 1, 4, 12))
        content = seed[:at] + dice.choice(pieces) + seed[at + size :]
        answer = client.post("/v1/insertions", content=content, headers=JSON)
        assert answer.status_code in (202, 400, 422), content
        statuses.append(answer.status_code)
    figure(46, "bodies tried", len(statuses))
    figure(46, "5xx", sum(status >= 500 for status in statuses))


@pytest.mark.fault(46)
@pytest.mark.parametrize(
    "metadata",
    [
        {"deep": json.loads("[" * 150 + "]" * 150)},
        {"large": 10**400},
        {"": None},
        {"nul": "\0", "🦆": "\u2028"},
    ],
)
def test_metadata_comes_back_as_it_came(client: httpx.Client, metadata: dict) -> None:
    answer = client.post("/v1/insertions", json={**BODY, "metadata": metadata})
    assert answer.status_code == 202, answer.text
    assert client.get(answer.headers["Location"]).json()["metadata"] == metadata


def test_invalid_fields_are_named_without_their_input(client: httpx.Client) -> None:
    body = {**BODY, "seeds": [-1, 2], "prompt": "", "output": {"format": "s3cret"}}
    problem = assert_problem(client.post("/v1/insertions", json=body), 422, "invalid_request")
    assert {error.path for error in problem.errors} == {"seeds.0", "prompt", "output.format"}
    assert "s3cret" not in problem.model_dump_json()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_other_media_types(client: httpx.Client, kind: str) -> None:
    for path in ("/v1/insertions", "/v1/images"):
        assert_problem(
            client.post(path, content=b"a=1", headers={"Content-Type": kind}), 415, "unsupported_media_type"
        )


@pytest.mark.parametrize(
    "parts",
    [
        [("photo", ("a.png", b"x"))],
        [("request", (None, json.dumps(BODY))), ("request", (None, json.dumps(BODY)))],
        [("request", (None, json.dumps(BODY))), *[(f"p{n}", ("a", b"")) for n in range(9)]],
    ],
)
def test_malformed_forms(client: httpx.Client, parts: list) -> None:
    assert_problem(client.post("/v1/insertions", files=parts), 400, "malformed_request")


def test_broken_multipart(client: httpx.Client) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = client.post("/v1/insertions", content=b"nonsense", headers={"Content-Type": kind})
        assert_problem(answer, 400, "malformed_request")


def test_a_forgotten_part_is_an_error(client: httpx.Client) -> None:
    parts: dict[str, Any] = {"request": (None, json.dumps(BODY)), "photo": ("a.png", b"x")}
    assert (
        "photo" in assert_problem(client.post("/v1/insertions", files=parts), 422, "invalid_request").detail
    )


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/insertions/", "/v1/nothing", "/v1/insertions/a%2Fb", "/docs2"]
)
def test_unknown_paths(client: httpx.Client, path: str) -> None:
    assert_problem(client.get(path), 404, "not_found")


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "job_id", ["ins_%00", "..%2f..%2fetc", "%F0%9F%92%A9", "a" * 4000, "*", "ins_\u0131"]
)
def test_strange_ids(client: httpx.Client, job_id: str) -> None:
    assert_problem(client.get(f"/v1/insertions/{job_id}"), 404, "not_found")


def test_methods_that_are_not_there(client: httpx.Client) -> None:
    answer = client.put("/v1/insertions")
    assert_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) <= {"GET", "POST", "HEAD"}


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/insertions", "GET, POST"), ("/v1/insertions/x", "DELETE, GET"), ("/v1/images/edits", "POST"),
        ("/admin/tenants/acme", "GET, PUT"),
    ],
)  # fmt: skip
def test_the_allowed_methods_are_all_of_the_path(
    address: str, admin_address: str, path: str, methods: str
) -> None:
    there = admin_address if path.startswith("/admin/") else address
    assert httpx.options(there + path).headers["Allow"] == methods


@pytest.mark.fault(46)
@pytest.mark.parametrize(
    "change",
    [
        {"seeds": [True]}, {"seeds": ["1"]}, {"retain_seconds": "600"}, {"options": {"guidance_scale": "3"}},
        {"options": {"use_offset": 1}}, {"options": {"use_offset": "yes"}}, {"prompt": 7},
    ],
)  # fmt: skip
def test_values_have_the_types_that_are_described(client: httpx.Client, change: dict) -> None:
    assert_problem(client.post("/v1/insertions", json={**BODY, **change}), 422, "invalid_request")


def test_a_whole_number_may_be_written_with_a_point(client: httpx.Client) -> None:
    asked = {**BODY, "seeds": [3.0], "metadata": {"size": 10**400, "ratio": 1.0}}
    job = client.post("/v1/insertions", json=asked).json()
    assert job["request"]["seeds"] == [3]
    assert job["metadata"] == asked["metadata"]


@pytest.mark.parametrize("query", ["created_after=0.5", "created_before=1769860800"])
def test_moments_are_written_out(client: httpx.Client, query: str) -> None:
    assert_problem(client.get(f"/v1/insertions?{query}"), 422, "invalid_request")
    assert_problem(client.get("/v1/usage?since=20000"), 422, "invalid_request")


def test_bad_parameters(client: httpx.Client) -> None:
    problem = assert_problem(client.get("/v1/insertions", params={"limit": "many"}), 422, "invalid_request")
    assert problem.errors[0].path == "query.limit"


@pytest.mark.fault(47)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic dTpw", STRANGE_KEY])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/insertions"), ("GET", "/v1/insertions"), ("GET", "/v1/insertions/x"),
        ("GET", "/v1/insertions/x/events"), ("POST", "/v1/insertions/x/cancel"),
        ("DELETE", "/v1/insertions/x"), ("POST", "/v1/images"), ("GET", "/v1/images/x"),
        ("GET", "/v1/models"), ("POST", "/v1/insertions/x/variations"), ("POST", "/v1/insertions/x/mask"),
        ("POST", "/v1/estimates"),
    ],
)  # fmt: skip
def test_no_route_works_without_a_key(address: str, method: str, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = httpx.request(method, address + path, headers=headers)
    assert_problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_key_is_no_key(client: httpx.Client, redis: Redis) -> None:
    assert client.get("/v1/models").status_code == 200
    (key,) = ApiKeys(redis).list("acme")
    ApiKeys(redis).revoke(key.id)
    assert_problem(client.get("/v1/models"), 401, "unauthorized")


def test_request_ids_are_kept_when_tame(client: httpx.Client) -> None:
    assert client.get("/livez", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    assert client.get("/livez", headers={"X-Request-Id": "a b"}).headers["X-Request-Id"].startswith("req_")


@pytest.mark.fault(48)
def test_a_body_announced_too_large_is_not_read(client: httpx.Client, figure: Figure) -> None:
    answer = client.post("/v1/images", content=b"x" * 3 * 2**20)
    assert_problem(answer, 413, "body_too_large")
    figure(48, "status of a refusal", answer.status_code)


@pytest.mark.fault(48)
def test_an_endless_body_is_cut_off_early(client: httpx.Client, figure: Figure) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sent, answer = endless_upload(client, 1 << 30)
    assert b"body_too_large" in answer
    figure(48, "status of a refusal", int(answer.split(b" ", 2)[1]))
    figure(48, "sent of a gigabyte", sent / (1 << 20))
    figure(48, "memory added", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def endless_upload(client: httpx.Client, size: int) -> tuple[int, bytes]:
    """Send chunks until something comes back. (bytes sent, the answer)"""
    url, sent = client.base_url, 0
    chunk = b"%x\r\n%s\r\n" % (65_536, b"x" * 65_536)
    with socket.create_connection((url.host, url.port or 80), timeout=20) as connection:
        head = f"POST /v1/images HTTP/1.1\r\nHost: x\r\nAuthorization: {client.headers['Authorization']}\r\n"
        connection.sendall(f"{head}Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        while sent < size and not select.select([connection], [], [], 0)[0]:
            connection.sendall(chunk)
            sent += len(chunk)
        return sent, connection.recv(65_536)


def test_what_nobody_foresaw_is_an_internal_problem(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a secret of the house")

    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            return await client.get("/broken")

    answer = asyncio.run(call())
    assert_problem(answer, 500, "internal")
    assert "secret" not in answer.text
