"""A tenant's server for webhooks that is not always well."""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.http_server import Handler, serving

FAILING = 0.2
"""Share of the requests that it answers with 500, or not at all."""


@dataclass
class Receiver:
    """What came, and when (Unix seconds). taken: the ids of the messages of each job that it confirmed."""

    dice: random.Random
    url: str = ""
    taken: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    came_at: list[float] = field(default_factory=list)
    failed: int = 0

    def take(self, handler: Handler) -> None:
        """One request: confirmed, refused, or hung up on."""
        body = handler.body()
        if self.dice.random() < FAILING:
            self.failed += 1
            if self.dice.random() < 0.5:
                handler.answer(500)
            return
        self.taken[json.loads(body)["data"]["id"]].add(handler.headers["webhook-id"])
        self.came_at.append(time.time())
        handler.answer(204)


@contextmanager
def receiving(dice: random.Random) -> Iterator[Receiver]:
    """One on a free port of this machine."""
    receiver = Receiver(dice)

    class Taker(Handler):
        def do_POST(self) -> None:
            receiver.take(self)

    with serving(Taker) as address:
        receiver.url = f"{address}/hook"
        yield receiver
