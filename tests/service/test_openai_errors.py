"""On one path errors are OpenAI's, whoever raised them; everywhere else they stay problems."""

from __future__ import annotations

from typing import Any, get_args

import httpx
import pytest

from api_schemas.errors import JobErrorCode
from api_schemas.image_edits import OpenAIError
from job_store.workers import WorkerRegistry
from service.errors import STATUS, Refusal
from service.openai_errors import CODE_PARAMS, openai_error
from tests.service.pictures import encoded, gradient

EDITS = "/v1/images/edits"


def told(answer: httpx.Response, status: int) -> str:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json"), answer.text
    assert answer.headers["X-Request-Id"]
    return OpenAIError.model_validate(answer.json()).error.code


@pytest.mark.usefixtures("worker")
def test_whoever_raises_it_has_one_shape(client: httpx.Client) -> None:
    json = {"Content-Type": "application/json"}
    assert told(client.put(EDITS), 405) == "method_not_allowed"
    assert told(client.get(EDITS), 404) == "not_found"
    assert told(client.post(EDITS, content=b"{", headers=json), 400) == "malformed_request"
    assert told(client.post(EDITS, content=b"[]", headers=json), 400) == "invalid_request"
    assert told(client.post(EDITS, content=b"x" * 3 * 2**20), 400) == "body_too_large"
    assert told(client.post(EDITS, content=b"a=1", headers={"Content-Type": "text/plain"}), 400)
    assert told(client.post(EDITS, json={"prompt": "add a dog"}), 400) == "invalid_request"
    assert told(client.post(EDITS, headers={"Authorization": ""}), 401) == "invalid_api_key"
    assert client.put("/v1/insertions").headers["Content-Type"] == "application/problem+json"


def test_clients_are_told_whether_to_try_again(client: httpx.Client, worker: WorkerRegistry) -> None:
    parts: dict[str, Any] = {"image": ("a.png", encoded(gradient())), "prompt": (None, "a photo of a dog")}
    worker.remove("one")
    away = client.post(EDITS, files=parts)
    assert told(away, 503) == "no_worker"
    assert (away.headers["X-Should-Retry"], away.headers["Retry-After"]) == ("true", "10")
    assert client.post(EDITS, json={}).headers["X-Should-Retry"] == "false"


@pytest.mark.parametrize("code", STATUS)
def test_every_refusal_has_a_type_and_a_status(code: str) -> None:
    status, body = openai_error(Refusal(code, "no"))
    kinds = {429: "rate_limit_error"} | dict.fromkeys(range(500, 600), "server_error")
    assert body.error.type == kinds.get(status, "invalid_request_error")


def test_causes_are_codes() -> None:
    assert set(CODE_PARAMS) <= {*STATUS, *get_args(JobErrorCode)}
