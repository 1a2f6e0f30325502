"""Server-sent events, line by line, into job events, and when a broken stream is worth resuming. No I/O."""

from __future__ import annotations

import httpx

from api_schemas.events import JobEvent
from client.errors import ApiError, Unreachable
from client.retries import worth_another

PAUSES = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0)  # seconds before the next tries: a gateway may start anew


class Following:
    """Where the reader of one job's events is. `headers` resume the stream there."""

    def __init__(self) -> None:
        self._last_id: str | None = None
        self._data: list[str] = []
        self._failures = 0
        self.completed = False

    @property
    def headers(self) -> dict[str, str]:
        """For the next request."""
        return {"Last-Event-ID": self._last_id} if self._last_id else {}

    def feed(self, line: str) -> JobEvent | None:
        """The event that this line completes, if it does. Comments (heartbeats) and other fields pass by."""
        if line:
            name, _, value = line.partition(":")
            if name == "data":
                self._data.append(value.removeprefix(" "))
            return None
        return self._event() if self._data else None

    def _event(self) -> JobEvent:
        event = JobEvent.model_validate_json("\n".join(self._data))
        self._data, self._last_id, self._failures = [], event.id, 0
        self.completed = event.type == "completed"
        return event

    def pause_after(self, error: httpx.TransportError | ApiError | None) -> float:
        """Seconds before resuming a stream that broke, or ended early (None). Raises when it is no use."""
        if isinstance(error, ApiError) and not worth_another(error):
            raise error
        self._data = []  # half an event is sent again
        self._failures += 1
        if self._failures > len(PAUSES):
            raise (
                error if isinstance(error, ApiError) else Unreachable("the events broke off again and again")
            )
        asked = error.retry_after if isinstance(error, ApiError) else None
        return PAUSES[self._failures - 1] if asked is None else asked
