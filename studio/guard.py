"""What keeps a handler's trouble on the page: an error becomes words, and the page is usable again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from functools import wraps
from typing import Any

from pydantic import ValidationError

from client.errors import ClientError
from studio.areas import Unclear
from studio.words import alert, told

Updates = dict[Any, Any]
"""What of a page changes, by component."""
Handler = Callable[..., AsyncIterator[Updates]]


def guarded(handler: Handler, trouble: Any, rest: Mapping[Any, Any] | None = None) -> Handler:
    """The handler; its error is shown in `trouble`, which is emptied when it begins. rest: updates that go
    with the error."""

    @wraps(handler)
    async def run(*said: Any) -> AsyncIterator[Updates]:
        yield {trouble: ""}
        try:
            async for updates in handler(*said):
                yield {trouble: "", **updates}  # each time: see docs/decisions.md on the last updates
        except (ClientError, Unclear, ValidationError) as error:
            yield {trouble: alert(in_words(error)), **(rest or {})}

    return run


def in_words(error: ClientError | Unclear | ValidationError) -> str:
    """The error for people."""
    if isinstance(error, ClientError):
        return told(error)
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'The request'}: {first['msg']}."
    return str(error)
