"""A moderator for tests: a real server that answers as it is told and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.http_server import Handler, serving


def allow(asked: dict[str, Any]) -> Any:
    """Lets everything pass."""
    return {"allowed": True}


@dataclass
class Judge:
    """sees: makes the answer to what it is asked, JSON or the raw body; status: of its answers."""

    url: str
    sees: Callable[[dict[str, Any]], Any] = allow
    status: int = 200
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, Any]:
        """That lead to it: it is of this machine."""
        return {"moderation_url": self.url, "moderation_internal": True, "moderation_seconds": 10.0}


@contextmanager
def judging() -> Iterator[Judge]:
    """It, for as long as the context lasts."""
    judge = Judge("")

    class Asked(Handler):
        def do_POST(self) -> None:
            judge.asked.append(json.loads(self.body()))
            judge.headers.append(dict(self.headers))
            answer = judge.sees(judge.asked[-1])
            self.answer(judge.status, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    with serving(Asked) as address:
        judge.url = f"{address}/judge"
        yield judge
