"""Nothing that waits happens on the event loop: no file, no socket of Python's, no question to the store."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from redis.connection import AbstractConnection

from api_schemas.base import new_id
from job_store.workers import WorkerRegistry
from runtime.valkey import EmbeddedValkey
from service.server import build_server
from tests.service.conftest import BODY, make_settings, run
from tests.service.pictures import encoded, gradient

WAITS = frozenset({
    "open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "shutil.rmtree",
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "time.sleep",
    "fcntl.flock",
})  # fmt: skip
"""Audit events (docs.python.org/3/library/audit_events.html) of calls that may take their time."""
PHOTO = encoded(gradient())


class Watch:
    """Sees every such call of a thread whose event loop runs at that moment."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.on = False
        sys.addaudithook(self._hook)  # for the life of this process: hooks cannot be taken away

    @contextmanager
    def watching(self) -> Iterator[list[str]]:
        """What is found in between."""
        self.found, self.on = [], True
        try:
            yield self.found
        finally:
            self.on = False

    def note(self, what: str) -> None:
        """Unless an import does it, which happens once."""
        if self.on and asyncio._get_running_loop() is not None:
            self.on = False  # looking at the stack opens files
            frames = traceback.extract_stack()[:-2]
            if not any("importlib" in frame.filename for frame in frames):
                self.found.append(
                    f"{what}: " + " < ".join(f"{f.name} {f.filename}:{f.lineno}" for f in frames[:-9:-1])
                )
            self.on = True

    def _hook(self, event: str, args: object) -> None:
        if self.on and event in WAITS:
            self.note(f"{event} {args}")


WATCH = Watch()


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    send = AbstractConnection.send_packed_command

    def noted(self: AbstractConnection, command: object, *args: object, **options: object) -> object:
        WATCH.note("a question to the store")
        return send(self, command, *args, **options)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(AbstractConnection, "send_packed_command", noted)
    with WATCH.watching() as found:
        yield found


def test_what_waits_is_found(found: list[str], tmp_path: Path) -> None:
    async def waits() -> None:
        (tmp_path / "file").write_text("")

    thread = threading.Thread(target=asyncio.run, args=(waits(),))
    thread.start()
    thread.join()
    assert any("write_text" in one for one in found)


def test_no_call_of_the_api_makes_the_loop_wait(
    client: httpx.Client, worker: WorkerRegistry, finish: Callable[[], str], found: list[str]
) -> None:
    ask_everything(client, finish)  # FastAPI reads each route's source when it is first asked for
    found.clear()
    ask_everything(client, finish)
    assert found == []


def test_the_description_is_made_beside_the_loop(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    """It takes long, once in a process's life."""
    made_in = list[threading.Thread]()
    server = build_server(make_settings(valkey, tmp_path))
    app = cast(FastAPI, server.config.app)
    describe = app.openapi

    def noted() -> dict[str, Any]:
        made_in.append(threading.current_thread())
        assert asyncio._get_running_loop() is None
        return describe()

    app.openapi = noted  # type: ignore[method-assign]
    with run(server) as url:
        assert httpx.get(f"{url}/openapi.json", timeout=60).json()["openapi"]
    assert made_in


def ask_everything(client: httpx.Client, finish: Callable[[], str]) -> None:
    """Every kind of call, most of which succeed."""
    statuses = [client.get(path).status_code for path in ("/livez", "/readyz", "/metrics")]
    image = client.post("/v1/images", content=PHOTO, headers={"Content-Type": "image/png"}).json()
    source = {"kind": "image", "image": {"part": "photo"}, "prompt": "a photo of a bed"}
    sent: dict[str, Any] = {"request": (None, json.dumps(BODY | {"source": source})), "photo": PHOTO}
    key = new_id("key")
    posts = [
        client.post("/v1/insertions", json=BODY),
        client.post("/v1/insertions", json=BODY, headers={"Prefer": "wait=1", "Idempotency-Key": key}),
        client.post("/v1/insertions", json=BODY, headers={"Idempotency-Key": key}),
        client.post("/v1/insertions", files=sent),
        client.post("/v1/estimates", json=BODY),
        client.post("/v1/scenes", json={"source": BODY["source"]}),
        client.post("/v1/batches", content="{}", headers={"Content-Type": "application/jsonl"}),
        client.post("/v1/webhook-endpoints", json={"url": "https://example.com/hook"}),
        client.get("/v1/models"),
    ]
    job_id = finish()
    job = client.get(f"/v1/insertions/{job_id}").json()
    other = posts[1].json()["id"]
    gets = [
        client.get(f"/v1/insertions/{other}"),
        client.get(f"/v1/insertions/{other}?wait=1"),
        client.get(f"/v1/insertions/{job_id}/events"),
        client.get("/v1/insertions"),
        client.get(f"/v1/images/{image['id']}"),
        client.get(job["result"]["images"][0]["url"]),
        client.get("/v1/usage"),
        client.get("/v1/webhook-endpoints"),
        client.post(f"/v1/insertions/{job_id}/variations", json={"seeds": [5]}),
        client.post(f"/v1/insertions/{other}/cancel"),
        client.delete(f"/v1/insertions/{job_id}"),
        client.get("/v1/insertions/ins_nothing"),
    ]
    statuses += [answer.status_code for answer in (*posts, *gets)]
    assert max(statuses) < 500, statuses
    assert statuses.count(200) + statuses.count(202) > 15, statuses
