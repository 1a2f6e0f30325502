"""Journeys of whole clients, for Locust: who submits, follows the events and fetches the picture; who polls;
who waits for a webhook. `python -m bench.gateway clients` runs it against a stack of its own, or by hand:

    locust -f bench/gateway/locustfile.py --headless --host URL --keys KEY,… -u 12 -t 30s
"""

from __future__ import annotations

import itertools
import json
import time
from argparse import ArgumentParser
from typing import Any

from gevent.event import AsyncResult  # type: ignore[import-untyped]
from gevent.pywsgi import WSGIServer  # type: ignore[import-untyped]
from locust import FastHttpUser, constant_pacing, events, task
from locust.env import Environment

from bench.stack import body

SERVICE_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
numbers = itertools.count(10_000_000)
heard: dict[str, AsyncResult] = {}
"""Of each job whose webhook is waited for: when it came."""


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def take_keys(parser: ArgumentParser) -> None:
    """Tenants' keys, used in turn."""
    parser.add_argument("--keys", default="", help="API keys, separated by commas.")


@events.init.add_listener  # type: ignore[untyped-decorator]
def listen(environment: Environment, **_: Any) -> None:
    """For webhooks, on a free port."""
    server = WSGIServer(("127.0.0.1", 0), _take_webhook, log=None)
    server.start()
    Client.hook = f"http://127.0.0.1:{server.server_port}/hook"
    options = environment.parsed_options
    Client.keys = itertools.cycle(options.keys.split(",") if options else [""])


def _take_webhook(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    job = json.loads(environ["wsgi.input"].read())["data"]
    heard.setdefault(job["id"], AsyncResult()).set(time.time())
    start_response("204 No Content", [])
    return []


class Client(FastHttpUser):
    """One of a tenant; begins a journey each second, or as soon as the last is over."""

    abstract = True
    wait_time = constant_pacing(1)
    keys: itertools.cycle[str] = itertools.cycle([""])
    hook = ""

    def on_start(self) -> None:
        """Its key."""
        self.client.auth_header = f"Bearer {next(Client.keys)}"

    def submit(self, **fields: Any) -> dict[str, Any]:
        """The job."""
        with self.rest(
            "POST", "/v1/insertions", json=body(SERVICE_SECONDS, next(numbers), **fields)
        ) as answer:
            told: dict[str, Any] = answer.js or {}
        return told

    def note(self, name: str, began: float, error: Exception | None = None) -> None:
        """A journey that is over."""
        self.environment.events.request.fire(
            request_type="JOURNEY", name=name, response_time=1000 * (time.time() - began), response_length=0,
            exception=error, context={},
        )  # fmt: skip


class Follower(Client):
    """Submits, follows the events, fetches the picture."""

    @task
    def follow(self) -> None:
        """Its journey."""
        began, job = time.time(), self.submit()
        url = f"/v1/insertions/{job['id']}"
        self.client.get(f"{url}/events", name="/v1/insertions/[id]/events")
        with self.rest("GET", url, name="/v1/insertions/[id]") as answer:
            done = answer.js
        picture = self.client.get(done["result"]["images"][0]["url"], name="picture")
        whole = picture.content is not None and picture.content.startswith(b"\x89PNG")
        self.note("submit, follow, fetch", began, None if whole else ValueError("no picture"))


class Poller(Client):
    """Submits, and looks every tenth of a second."""

    @task
    def poll(self) -> None:
        """Its journey."""
        began, job = time.time(), self.submit()
        while job["status"] in ("queued", "running") and time.time() < began + PATIENCE_SECONDS:
            time.sleep(0.1)
            with self.rest("GET", f"/v1/insertions/{job['id']}", name="/v1/insertions/[id]") as answer:
                job = answer.js
        succeeded = job["status"] == "succeeded"
        self.note("submit, poll", began, None if succeeded else ValueError(job["status"]))


class Listener(Client):
    """Submits, and hears of the end by webhook."""

    @task
    def listen(self) -> None:
        """Its journey."""
        began, job = time.time(), self.submit(webhook={"url": Client.hook})
        told = heard.setdefault(job["id"], AsyncResult())
        came = told.wait(PATIENCE_SECONDS)
        heard.pop(job["id"], None)
        self.note("submit, webhook", began, None if came else TimeoutError())
