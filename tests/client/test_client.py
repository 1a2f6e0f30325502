"""The blocking client: retries what is worth it, resumes broken streams, says what the service said."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from api_schemas.masks import MaskRequest
from client.client import Addit
from client.errors import ApiError, NotSucceeded, Unreachable
from client.event_stream import PAUSES
from tests.client.answers import REQUEST, job, problem, stream

Answer = httpx.Response | Exception


class Service(httpx.MockTransport):
    """Gives the answers one after the other and remembers the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)
        super().__init__(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def client() -> Callable[..., tuple[Addit, Service]]:
    def make(*answers: Answer) -> tuple[Addit, Service]:
        service = Service(*answers)
        return Addit("http://service", "addit_k", transport=service), service

    return make


Make = Callable[..., tuple[Addit, Service]]


def test_a_lost_answer_is_asked_for_again_with_the_same_idempotency_key(client: Make) -> None:
    addit, service = client(
        httpx.ReadTimeout("lost"), problem(503, "store_unavailable", Retry_After="0"), job()
    )
    assert addit.submit(REQUEST).status == "queued"
    keys = {request.headers["idempotency-key"] for request in service.requests}
    assert (len(service.requests), len(keys)) == (3, 1)
    assert service.requests[0].headers["authorization"] == "Bearer addit_k"


@pytest.mark.parametrize(
    "answer",
    [
        problem(422, "subject_not_in_prompt"),
        problem(401, "unauthorized"),
        problem(503, "no_worker"),
        problem(429, "queue_full", Retry_After="3600"),
    ],
)
def test_a_no_that_will_stay_a_no_is_told_at_once(client: Make, answer: httpx.Response) -> None:
    addit, service = client(answer)
    with pytest.raises(ApiError, match="because") as caught:
        addit.submit(REQUEST)
    assert caught.value.code == answer.json()["code"]
    assert len(service.requests) == 1


def test_a_service_that_stays_away_is_unreachable(client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    addit, service = client(*[httpx.ConnectError("refused")] * 5)
    with pytest.raises(Unreachable, match="http://service: refused"):
        addit.models()
    assert len(service.requests) == 5


def test_an_answer_of_something_else_is_not_taken_for_ours(client: Make) -> None:
    addit, _ = client(httpx.Response(404, text="<html>nginx</html>"))
    with pytest.raises(Unreachable, match="404"):
        addit.models()


def test_a_broken_stream_is_resumed_after_the_last_whole_event(client: Make) -> None:
    addit, service = client(
        httpx.Response(200, content=stream(("1", "queued"), ("2", "started"), ended=False)),
        httpx.ConnectError("gone"),
        problem(503, "store_unavailable", Retry_After="0"),
        httpx.Response(200, content=stream(("3", "completed"))),
    )
    assert [event.id for event in addit.events("ins_1")] == ["1", "2", "3"]
    assert [request.headers.get("last-event-id") for request in service.requests] == [None, "2", "2", "2"]


def test_a_stream_that_never_comes_back_is_given_up(client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("client.client.time.sleep", lambda _: None)
    addit, service = client(*[httpx.ConnectError("gone")] * (len(PAUSES) + 1))
    with pytest.raises(Unreachable, match="again and again"):
        list(addit.events("ins_1"))
    assert len(service.requests) == len(PAUSES) + 1


def test_a_foreign_job_has_no_stream(client: Make) -> None:
    addit, _ = client(problem(404, "not_found"))
    with pytest.raises(ApiError, match="not_found"):
        list(addit.events("ins_1"))


@pytest.mark.parametrize("status", ["failed", "canceled", "expired"])
def test_insert_raises_with_the_job_that_did_not_succeed(client: Make, status: str) -> None:
    error = {"code": "out_of_memory", "message": "too big"} if status == "failed" else None
    completed = httpx.Response(200, content=stream(("1", "completed")))
    addit, _ = client(job(), completed, job(status, error=error))
    seen: list[str] = []
    with pytest.raises(NotSucceeded, match=f"ins_1 {status}") as caught:
        addit.insert(REQUEST, lambda event: seen.append(event.type))
    assert (caught.value.job.status, seen) == (status, ["completed"])


def test_the_key_does_not_follow_a_link(client: Make) -> None:
    addit, service = client(httpx.Response(200, content=b"png"))
    assert addit.download("http://elsewhere/picture.png?signature=x") == b"png"
    assert "authorization" not in service.requests[0].headers


def test_an_upload_names_its_type(client: Make) -> None:
    asset = {
        "id": "img_1", "created_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-02T00:00:00Z",
        "width": 1, "height": 1, "sha256": "0", "url": "/x",
    }  # fmt: skip
    addit, service = client(httpx.Response(201, json=asset))
    assert addit.upload(b"bytes", "photo.webp").id == "img_1"
    assert b"Content-Type: image/webp" in service.requests[0].content


def test_purging_dropping_and_canceling(client: Make) -> None:
    addit, service = client(httpx.Response(204), job(dropped_seeds=[7]), job("canceled"), job("running"))
    with addit:
        addit.delete("ins_1")
        assert addit.drop_seed("ins_1", 7).dropped_seeds == [7]
        assert addit.cancel("ins_1").status == "canceled"
        assert addit.job("ins_1", wait=5).status == "running"
    assert [f"{request.method} {request.url.raw_path.decode()}" for request in service.requests] == [
        "DELETE /v1/insertions/ins_1",
        "DELETE /v1/insertions/ins_1/seeds/7",
        "POST /v1/insertions/ins_1/cancel",
        "GET /v1/insertions/ins_1?wait=5",
    ]


def test_a_variation_and_its_lineage(client: Make) -> None:
    page = httpx.Response(200, json={"data": [], "next_cursor": None})
    addit, service = client(job(parent_id="ins_0"), page)
    assert addit.vary("ins_0", {"seeds": [4]}, "once").parent_id == "ins_0"
    assert addit.insertions(parent="ins_0", status=None, limit=5).data == []
    sent, listed = service.requests
    assert (sent.url.path, sent.content) == ("/v1/insertions/ins_0/variations", b'{"seeds":[4]}')
    assert sent.headers["idempotency-key"] == "once"
    assert dict(listed.url.params) == {"parent": "ins_0", "limit": "5"}


def test_another_mask(client: Make) -> None:
    addit, service = client(job(parent_id="ins_0"))
    assert addit.remask("ins_0", MaskRequest(localizer="attention")).parent_id == "ins_0"
    assert service.requests[0].url.path == "/v1/insertions/ins_0/mask"
    assert b'"localizer":"attention"' in service.requests[0].content
