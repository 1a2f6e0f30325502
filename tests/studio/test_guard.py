"""Errors of a handler become words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from api_schemas.errors import Problem
from client.errors import ApiError, NotSucceeded, Unreachable
from studio.areas import Unclear
from studio.guard import Updates, guarded
from studio.words import told
from tests.studio.samples import job

REFUSED = ApiError(Problem(title="No", status=429, code="queue_full", detail="9 wait."))


async def collected(error: Exception | None) -> list[Updates]:
    async def handler(said: str) -> AsyncIterator[Updates]:
        yield {"said": said}
        if error is not None:
            raise error

    return [updates async for updates in guarded(handler, "trouble", {"place": "usable"})("hello")]


@pytest.mark.parametrize("error", [Unreachable("no"), REFUSED, Unclear("what?")])
def test_an_error_is_told_and_the_page_is_usable(error: Exception) -> None:
    first, second, last = asyncio.run(collected(error))
    assert first == {"trouble": ""}
    assert second == {"trouble": "", "said": "hello"}
    assert 'role="alert"' in last["trouble"]
    assert last["place"] == "usable"


def test_without_an_error_nothing_is_told() -> None:
    assert asyncio.run(collected(None)) == [{"trouble": ""}, {"trouble": "", "said": "hello"}]


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        asyncio.run(collected(KeyError("bug")))


def test_errors_are_told_in_words_and_with_what_the_service_said() -> None:
    assert told(REFUSED) == "Too many jobs are waiting. Try again in a moment. (9 wait.)"
    assert "does not answer" in told(Unreachable("x"))
    assert told(NotSucceeded(job(status="canceled"))).startswith("Stopped, as you asked")
