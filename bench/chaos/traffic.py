"""Clients: ask at a steady rate, ask again under the same key while nobody answers, follow their job."""

from __future__ import annotations

import asyncio
import base64
import io
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
from PIL import Image

from api_schemas.insertions import InsertionRequest
from api_schemas.jobs import TERMINAL
from bench.known_engine import TOLD
from client.async_client import AsyncAddit
from client.errors import ApiError, ClientError

PATIENCE_SECONDS = 90.0
"""A client that was not answered for so long gives up."""
CALL_SECONDS = 5.0
AGAIN_SECONDS = 2.0
FOLLOW_SECONDS = 10
SERVICE_SECONDS = 0.4
"""Of one job, whatever it asks for."""
TALLY = "order"
"""The field of a job's metadata that tells which order it is."""


@dataclass(frozen=True)
class Order:
    """What one client wants. number: its own, under which it asks again; begun_at: Unix seconds."""

    number: int
    begun_at: float
    request: InsertionRequest
    cancels: bool


@dataclass
class Book:
    """What clients were told. accepted: the job of each order; seen: the end of each job."""

    accepted: dict[int, str] = field(default_factory=dict)
    begun_at: dict[int, float] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    given_up: list[int] = field(default_factory=list)


@dataclass
class Traffic:
    """Orders at `per_second` on average, by the dice. Each client has connections of its own."""

    url: str
    key: str
    hook: str
    dice: random.Random
    per_second: float
    book: Book = field(default_factory=Book)

    async def flow(self, seconds: float) -> None:
        """Orders for so long; returns when every client has got what it wanted, or given up."""
        ends_at, number = time.monotonic() + seconds, 0
        async with asyncio.TaskGroup() as clients:
            while time.monotonic() < ends_at:
                await asyncio.sleep(self.dice.expovariate(self.per_second))
                clients.create_task(self._serve_oneself(self._order(number)))
                number += 1

    def _order(self, number: int) -> Order:
        """One in four brings a picture, one in ten changes its mind, one in five is not in a hurry."""
        dice = self.dice
        generated = {"kind": "generated", "prompt": "a room", "seed": dice.randrange(10)}
        brought = {"kind": "image", "image": {"data": picture(dice)}, "prompt": "a room"}
        request = InsertionRequest.model_validate(
            {
                "source": brought if dice.random() < 0.25 else generated,
                "prompt": "a dog in a room",
                "subject": "dog",
                "seeds": [1, 2] if dice.random() < 0.2 else [1],
                "priority": "bulk" if dice.random() < 0.2 else "interactive",
                "webhook": {"url": self.hook},
                "metadata": {TALLY: number, TOLD: SERVICE_SECONDS},
            }
        )
        return Order(number, time.time(), request, cancels=dice.random() < 0.1)

    async def _serve_oneself(self, order: Order) -> None:
        self.book.begun_at[order.number] = order.begun_at
        plain = httpx.AsyncHTTPTransport(verify=False)  # no TLS here: its context costs more than an order
        async with AsyncAddit(self.url, self.key, seconds=CALL_SECONDS, transport=plain) as addit:
            job_id = await self._submit(addit, order)
            if job_id is None:
                self.book.given_up.append(order.number)
                return
            self.book.accepted[order.number] = job_id
            if order.cancels:
                await self._cancel(addit, job_id)
            await self._follow(addit, job_id)

    async def _submit(self, addit: AsyncAddit, order: Order) -> str | None:
        """The job's id; None if nobody took it for long."""
        while time.time() < order.begun_at + PATIENCE_SECONDS:
            try:
                return (await addit.submit(order.request, f"order-{order.number}")).id
            except ApiError as refusal:
                self.book.refusals[refusal.code] += 1
            except ClientError:
                self.book.unanswered += 1
            await asyncio.sleep(AGAIN_SECONDS)
        return None

    async def _cancel(self, addit: AsyncAddit, job_id: str) -> None:
        """Tried once: by then the job may be over."""
        try:
            await addit.cancel(job_id)
        except ClientError:
            self.book.refusals["cancel"] += 1

    async def _follow(self, addit: AsyncAddit, job_id: str) -> None:
        """Until its end."""
        while job_id not in self.book.seen:
            try:
                job = await addit.job(job_id, wait=FOLLOW_SECONDS)
            except ClientError:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if job.status in TERMINAL:
                self.book.seen[job_id] = job.status


def picture(dice: random.Random) -> str:
    """A small PNG of some colour, in base64."""
    out = io.BytesIO()
    Image.new("RGB", (48, 32), (dice.randrange(256), 90, 90)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()
