"""The operator's judge: what it is told, and what its word, or its silence, leads to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from runtime.moderation import (
    MAX_VERDICT_BYTES,
    NO_REASON,
    Asked,
    ContentRefused,
    Moderator,
    ModeratorUnavailable,
    moderator_of,
)
from runtime.settings import Settings
from tests.runtime.judge import Judge, judging

ASKED = Asked("ins_1", "acme", "small", "a dog on a bed", ["dog"], "a bed")


@pytest.fixture
def judge() -> Iterator[Judge]:
    with judging() as judge:
        yield judge


def before(judge: Judge, **changes: Any) -> Moderator:
    """The moderator of a service that is set up for this judge."""
    return Moderator(Settings(**{**judge.settings, **changes}))


def test_nobody_judges_unless_somebody_is_named() -> None:
    assert moderator_of(Settings()) is None


def test_a_prompt_is_told_with_whose_it_is(judge: Judge) -> None:
    before(judge).judge_prompt(ASKED)
    assert judge.asked == [{"kind": "prompt", **vars(ASKED)}]
    assert "Authorization" not in judge.headers[0]


def test_a_key_goes_along_as_a_bearer_token(judge: Judge) -> None:
    before(judge, moderation_key=SecretStr("of the judge")).judge_prompt(ASKED)
    assert judge.headers[0]["Authorization"] == "Bearer of the judge"


def test_a_result_goes_along_as_it_would_be_delivered(judge: Judge) -> None:
    before(judge).judge_result(ASKED, b"picture", "image/webp")
    [asked] = judge.asked
    assert (asked["kind"], asked["picture"], asked["media_type"]) == ("result", "cGljdHVyZQ==", "image/webp")


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        ({"allowed": False, "reason": "no weapons", "categories": ["violence"]}, "no weapons"),
        ({"allowed": False}, NO_REASON),
    ],
)
@pytest.mark.parametrize("fails", ["open", "closed"])
def test_a_no_is_a_no_whatever_the_policy(judge: Judge, verdict: Any, reason: str, fails: str) -> None:
    judge.sees = lambda asked: verdict
    with pytest.raises(ContentRefused, match=reason):
        before(judge, moderation_fails=fails).judge_prompt(ASKED)


NO_VERDICTS: list[tuple[int, Any]] = [
    (200, b""), (200, b"yes"), (200, {}), (200, {"allowed": "yes"}), (200, {"allowed": 1}), (200, []),
    (200, {"allowed": False, "reason": "x" * 501}), (200, b" " * (MAX_VERDICT_BYTES + 1)),
    (500, {"allowed": True}), (204, b""), (302, {"allowed": True}), (403, {"allowed": False}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "answer"), NO_VERDICTS)
def test_whatever_is_no_verdict_passes_only_where_the_policy_is_open(
    judge: Judge, status: int, answer: Any
) -> None:
    judge.status, judge.sees = status, lambda asked: answer
    with pytest.raises(ModeratorUnavailable):
        before(judge).judge_prompt(ASKED)
    before(judge, moderation_fails="open").judge_prompt(ASKED)


def test_a_judge_that_is_away_or_slow_gives_no_verdict(judge: Judge) -> None:
    with pytest.raises(ModeratorUnavailable):
        before(judge, moderation_seconds=0.0).judge_prompt(ASKED)
    with pytest.raises(ModeratorUnavailable):
        before(judge, moderation_url="http://127.0.0.1:1/").judge_prompt(ASKED)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "https://127.0.0.1/", "https://10.0.0.1/", "http://93.184.215.14/"]
)
def test_one_of_this_network_must_be_allowed(judge: Judge, url: str) -> None:
    with pytest.raises(ModeratorUnavailable, match="not allowed|not public"):
        before(judge, moderation_url=url, moderation_internal=False).judge_prompt(ASKED)
    assert judge.asked == []
