"""Who may touch what (OWASP API1, BOLA): every call of the API's description by every kind of key.

Calls are read from the committed descriptions, so that a new one is judged as soon as it is described.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from redis import Redis

from job_store.api_keys import ApiKeys
from job_store.result_images import result_image_id
from service.document import OPERATORS as OPERATORS_FILE
from service.document import TENANTS as TENANTS_FILE
from service.openapi import operations
from tests.service.conftest import BODY, OPERATORS_KEY
from tests.service.pictures import encoded, gradient

pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.fault(47)]
DOCUMENTS = [json.loads(file.read_text()) for file in (TENANTS_FILE, OPERATORS_FILE)]
STRANGE_KEY = "addit_" + "0" * 12 + "_" + "0" * 32
OPEN = {"/livez", "/readyz", "/metrics", "/v1/artifacts/{key}"}
"""Calls without a key: probes, and links that carry their right with them."""
OWN = {"seed": "1"}
"""What a path names within a job: a number of BODY's, no id."""
SAME = {"X-Request-Id": "same"}
Ids = dict[str, str]


class Operation:
    """A call as described."""

    def __init__(self, path: str, method: str, described: dict[str, Any]) -> None:
        self.path, self.method = path, method
        self.schemes = {name for one in described.get("security", ()) for name in one}
        in_path = [one["name"] for one in described.get("parameters", ()) if one["in"] == "path"]
        self.names = [name for name in in_path if name not in OWN]
        self._contents = described.get("requestBody", {}).get("content", {})

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def send(self, client: httpx.Client, ids: Ids) -> httpx.Response:
        """With the body that the description gives as its example."""
        none: tuple[str, dict[str, Any]] = ("", {})
        kind, shown = next(iter(self._contents.items()), none)
        example = next(iter(shown.get("examples", {"": {"value": shown.get("example")}}).values()))
        body = example["value"] if isinstance(example["value"], str) else json.dumps(example["value"])
        headers = SAME | ({"Content-Type": kind} if kind else {})
        return client.request(
            self.method, self.path.format(**ids, **OWN), content=body if kind else None, headers=headers
        )


def described() -> Iterator[Operation]:
    for path, methods in (DOCUMENTS[0]["paths"] | DOCUMENTS[1]["paths"]).items():
        yield from (Operation(path, method, one) for method, one in methods.items())


ALL = list(described())
TENANTS = [one for one in ALL if "HTTPBearer" in one.schemes]
OPERATORS = [one for one in ALL if "AdminKey" in one.schemes]
NAMING = [one for one in TENANTS if one.names]
Client = Callable[[str], httpx.Client]


def made(client: httpx.Client, finish: Callable[[], str]) -> Ids:
    """One of everything a path can name."""
    job = client.post("/v1/insertions", json=BODY).json()["id"]
    finish()
    picture = client.post("/v1/images", content=encoded(gradient()), headers={"Content-Type": "image/png"})
    scene = client.post("/v1/scenes", json={"source": {"kind": "generated", "prompt": "a room"}})
    lines = {"Content-Type": "application/jsonl"}
    batch = client.post("/v1/batches", content=json.dumps({"prompt": "no source"}), headers=lines)
    hook = {"url": "http://127.0.0.1:9/hook"}
    endpoint = client.post("/v1/webhook-endpoints", json=hook).json()["id"]
    delivery = client.post(f"/v1/webhook-endpoints/{endpoint}/test")
    return {
        "job_id": job,
        "image_id": picture.json()["id"],
        "scene_id": scene.json()["id"],
        "batch_id": batch.json()["id"],
        "endpoint_id": endpoint,
        "message_id": delivery.json()["id"],
    }


def told(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """All that a client can see of an answer, but the time."""
    return answer.status_code, answer.content, {k: v for k, v in answer.headers.items() if k != "date"}


def test_every_call_but_a_few_asks_for_a_key() -> None:
    assert {one.path for one in ALL if not one.schemes} == OPEN
    called = {(path, one["operationId"]) for document in DOCUMENTS for path, one in operations(document)}
    assert len(TENANTS) + len(OPERATORS) + len(OPEN) == len(called)
    assert {one.path.startswith("/admin/") for one in TENANTS} == {False}
    assert {one.path.startswith("/admin/") for one in OPERATORS} == {True}


@pytest.mark.parametrize("operation", NAMING, ids=str)
def test_what_is_anothers_answers_like_what_is_not_there(
    client_of: Client, finish: Callable[[], str], operation: Operation
) -> None:
    owner, stranger = client_of("acme"), client_of("globex")
    ids = made(owner, finish)
    assert {*operation.names} <= ids.keys(), "say in `made` how to make one of these"
    before = [told(owner.get(path.format(**ids), headers=SAME)) for path in LOOKS]
    absent = {name: f"{given.partition('_')[0]}_" + "0" * 24 for name, given in ids.items()}
    foreign, missing = operation.send(stranger, ids), operation.send(stranger, absent)
    assert missing.status_code == 404, missing.text
    assert told(foreign) == told(missing)
    assert [told(owner.get(path.format(**ids), headers=SAME)) for path in LOOKS] == before
    assert operation.send(owner, ids).status_code not in (401, 403, 404)


LOOKS = [one.path for one in NAMING if one.method == "get" and not one.path.endswith("/events")]


@pytest.mark.parametrize("operation", TENANTS + OPERATORS, ids=str)
def test_without_a_live_key_of_its_kind_nothing_is_told(
    address: str,
    admin_address: str,
    client_of: Client,
    finish: Callable[[], str],
    redis: Redis,
    operation: Operation,
) -> None:
    owner = client_of("acme")
    ids = made(owner, finish) | {"tenant": "acme", "model": "small", "worker": "one", "key_id": "0" * 12}
    keys = ApiKeys(redis)
    revoked = keys.create("acme", "revoked")
    keys.revoke(next(key.id for key in keys.list("acme") if key.name == "revoked"))
    live = owner.headers["Authorization"].removeprefix("Bearer ")
    others = [live] if operation in OPERATORS else [OPERATORS_KEY]
    there = admin_address if operation in OPERATORS else address
    sent = ["", "Bearer", "Bearer x", "Basic dTpw", f"Bearer {STRANGE_KEY}", f"Bearer {revoked}"]
    sent += [f"Bearer {key}" for key in others] + [f"Bearer {live[:-1]}", f"Bearer {live}0"]
    with httpx.Client(base_url=there, timeout=20) as nobody:
        answers = [told(operation.send(nobody, ids))]
        for header in sent:
            nobody.headers["Authorization"] = header
            answers += [told(operation.send(nobody, one)) for one in (ids, dict.fromkeys(ids, "absent"))]
    status, _, headers = answers[0]
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert all(answer == answers[0] for answer in answers)


def image(ids: Ids) -> dict[str, Any]:
    return {"id": ids["image_id"]}


REFERENCES: dict[str, tuple[str, Callable[[Ids], dict[str, Any]]]] = {
    "a picture as a source": (
        "/v1/insertions",
        lambda ids: {**BODY, "source": {"kind": "image", "image": image(ids), "prompt": "a photo of a room"}},
    ),
    "a result as a source": (
        "/v1/insertions",
        lambda ids: {
            **BODY,
            "source": {
                "kind": "image",
                "image": {"id": result_image_id(ids["job_id"], 0)},
                "prompt": "a photo",
            },
        },
    ),
    "a mask": ("/v1/insertions", lambda ids: {**BODY, "region": {"mask": image(ids)}}),
    "an avoided mask": ("/v1/insertions", lambda ids: {**BODY, "avoid": {"mask": image(ids)}}),
    "a scene": (
        "/v1/insertions",
        lambda ids: {**BODY, "source": {"kind": "scene", "scene_id": ids["scene_id"]}},
    ),
    "a first picture": (
        "/v1/scenes",
        lambda ids: {"source": {"kind": "image", "image": image(ids), "prompt": "a photo of a room"}},
    ),
    "an estimate's picture": (
        "/v1/estimates",
        lambda ids: {**BODY, "source": {"kind": "image", "image": image(ids), "prompt": "a photo of a room"}},
    ),
    "an edit's picture": (
        "/v1/images/edits",
        lambda ids: {"prompt": "a photo of a dog", "subject": "dog", "image": {"file_id": ids["image_id"]}},
    ),
}
"""What a body can name besides its path: (where, body)."""


@pytest.mark.parametrize("name", REFERENCES)
def test_no_body_reaches_what_is_anothers(client_of: Client, finish: Callable[[], str], name: str) -> None:
    owner, stranger = client_of("acme"), client_of("globex")
    ids, (path, body) = made(owner, finish), REFERENCES[name]
    absent = {name: given[:-4] + "0000" for name, given in ids.items()}
    answers = [stranger.post(path, json=body(one), headers=SAME) for one in (ids, absent)]
    texts = [json.dumps(told(one)[1].decode()) for one in answers]
    for which, one in zip((ids, absent), range(2), strict=True):
        for given in {**which, "result": result_image_id(which["job_id"], 0)}.values():
            texts[one] = texts[one].replace(given, "ID")
    assert texts[0] == texts[1]
    assert "source_unavailable" in texts[0]


@pytest.mark.parametrize("query", ["parent=job_id", "scene=scene_id"])
def test_no_query_reaches_what_is_anothers(client_of: Client, finish: Callable[[], str], query: str) -> None:
    stranger, ids = client_of("globex"), made(client_of("acme"), finish)
    field, _, name = query.partition("=")
    answers = [
        stranger.get("/v1/insertions", params={field: given}, headers=SAME) for given in (ids[name], "absent")
    ]
    assert told(answers[0]) == told(answers[1])
    assert answers[0].json()["data"] == []
