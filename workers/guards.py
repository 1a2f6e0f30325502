"""All attempts that are in one engine: one at the model, or some that take turns there, and behind them those
whose pictures are being stored. What the engine says comes to them by token."""

from __future__ import annotations

import math
import time

import structlog

from job_store.records import Claim
from workers.engine_process import EngineGone
from workers.guard import Guard, Post
from workers.messages import Beat, Ended, FromEngine, Lap, Left, Room, Seat
from workers.outage import OUTAGES

log = structlog.get_logger()


class Guards:
    """Those of one engine. Where the engine ends, however that comes, every record in it is ended or given
    back before `EngineGone` is raised."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._guards: dict[str, Guard] = {}  # by token, in the order of their begin
        self._pulse_at = 0.0

    def __len__(self) -> int:
        return len(self._guards)

    @property
    def at_model(self) -> list[Guard]:
        """Those that have the model, longest first."""
        return [guard for guard in self._guards.values() if guard.at_model]

    def begin(self, claim: Claim, seat: Seat) -> None:
        """Hand a record over. Raises EngineGone."""
        self._guards[claim.token] = Guard(claim, self._post, seat)
        try:
            self._guards[claim.token].begin()
        except EngineGone:
            self._cut_short()
            raise

    def attend(self, seconds: float = math.inf) -> None:
        """Wait for the next message, but not beyond what is due, nor longer than `seconds`.

        Raises EngineGone, also where a shutdown lets nobody finish.
        """
        try:
            self._attend(seconds)
        except EngineGone:
            self._cut_short()
            raise

    def until_empty(self, seconds: float = math.inf) -> None:
        """Stay until nobody is left, but not longer than so many seconds. Raises EngineGone."""
        ends_at = time.monotonic() + seconds
        while self._guards and (left := ends_at - time.monotonic()) > 0:
            self.attend(left)

    def rest(self, seconds: float) -> None:
        """Do nothing else for so long. Raises EngineGone."""
        ends_at = time.monotonic() + seconds
        while (left := ends_at - time.monotonic()) > 0:
            self.attend(left)

    def _attend(self, seconds: float) -> None:
        post, now = self._post, time.monotonic()
        if self._guards and post.shutdown.is_due(post.settings.grace_seconds):
            code = post.engine.kill()
            self._cut_short(by_shutdown=True)
            raise EngineGone(code)
        due = [guard.renew_at - now for guard in self._guards.values()]
        message = post.engine.receive(min([seconds, *due]))
        if message is not None:
            self._pass_on(message)
        for guard in [*self._guards.values()]:
            guard.look()
        self._pulse()
        self._judge()

    def _pass_on(self, message: FromEngine) -> None:
        match message:
            case Ended(token):
                guard = self._guards.pop(token, None)
                if guard is not None:
                    self._end(guard, message)
            case Beat(token) | Lap(token) | Room(token) | Left(token):
                if token in self._guards:
                    self._hear(self._guards[token], message)

    def _hear(self, guard: Guard, message: Beat | Lap | Room | Left) -> None:
        guard.hear(message)
        if isinstance(message, Beat) and guard.at_model:
            for other in self.at_model:
                if other is not guard:
                    other.hear_beside()

    def _end(self, guard: Guard, ended: Ended) -> None:
        guard.end(ended)
        if ended.fatal:
            raise EngineGone(self._post.engine.kill())

    def _pulse(self) -> None:
        """Once a beat, however many there are; at once for the first."""
        now, settings = time.monotonic(), self._post.settings
        if not self._guards:
            self._pulse_at = 0.0
        elif now >= self._pulse_at:
            self._pulse_at = now + settings.beat_seconds
            stepped = [guard for guard in self._guards.values() if guard.stepped]
            for guard in stepped:
                guard.stepped = False
            try:
                self._post.pulse(bool(stepped))
            except OUTAGES:
                log.warning("not shown as busy: no store")

    def _judge(self) -> None:
        verdict = next(filter(None, (guard.verdict() for guard in self._guards.values())), None)
        if verdict is not None:
            log.error("engine killed", reason=verdict)
            raise EngineGone(self._post.engine.kill())

    def _cut_short(self, by_shutdown: bool = False) -> None:
        """The engine is no more."""
        while self._guards:
            _, guard = self._guards.popitem()
            guard.cut_short(by_shutdown)
