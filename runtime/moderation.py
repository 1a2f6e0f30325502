"""The operator's own judge of prompts and results, asked over HTTP (docs/moderation.md). Off without a URL.

ModerationError
  ├─ ContentRefused          it said no
  └─ ModeratorUnavailable    it gave no verdict, and nothing passes without one
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.egress import EgressError, ask
from runtime.settings import Settings

MAX_VERDICT_BYTES = 16 * 2**10
NO_REASON = "it is against the rules of this service"

log = structlog.get_logger()


class ModerationError(Exception):
    """Something may not pass."""


class ContentRefused(ModerationError):
    """The judge refused it; the message is its reason."""


class ModeratorUnavailable(ModerationError):
    """The judge does not answer, or not with a verdict."""


class _Verdict(BaseModel):
    """What it answers; more fields are passed over."""

    model_config = ConfigDict(strict=True)

    allowed: bool
    reason: str = Field(default="", max_length=500)


@dataclass(frozen=True)
class Asked:
    """What is told of a job. Texts as they are understood, inferred ones included."""

    job_id: str
    tenant: str
    model: str
    prompt: str
    subject: str | list[str] | None
    source_prompt: str | None


class Moderator:
    """The judge behind `moderation_url`."""

    def __init__(self, settings: Settings) -> None:
        self._url, self._internal = settings.moderation_url, settings.moderation_internal
        self._seconds, self._open = settings.moderation_seconds, settings.moderation_fails == "open"
        key = settings.moderation_key.get_secret_value()
        known = {"Authorization": f"Bearer {key}"} if key else {}
        self._headers = {"Content-Type": "application/json", **known}

    def judge_prompt(self, asked: Asked) -> None:
        """Before a job is accepted. Raises ModerationError."""
        self._judge("prompt", asked, {})

    def judge_result(self, asked: Asked, data: bytes, media_type: str) -> None:
        """A result before it is stored. Raises ModerationError."""
        self._judge("result", asked, {"picture": b64encode(data).decode(), "media_type": media_type})

    def _judge(self, kind: str, asked: Asked, more: Mapping[str, str]) -> None:
        body = json.dumps({"kind": kind, **vars(asked), **more}).encode()
        try:
            verdict = self._verdict(body)
        except ModeratorUnavailable as error:
            log.warning("no verdict", job_id=asked.job_id, kind=kind, error=str(error), passed=self._open)
            if self._open:
                return
            raise
        if not verdict.allowed:
            log.info("refused by the moderator", job_id=asked.job_id, kind=kind)
            raise ContentRefused(verdict.reason or NO_REASON)

    def _verdict(self, body: bytes) -> _Verdict:
        try:
            told = ask(
                self._url, body, self._headers,
                max_bytes=MAX_VERDICT_BYTES, seconds=self._seconds, internal=self._internal,
            )  # fmt: skip
            return _Verdict.model_validate_json(told)
        except EgressError as error:
            raise ModeratorUnavailable(f"the moderator {error}") from None
        except ValidationError:
            raise ModeratorUnavailable("the moderator answered no verdict") from None


def moderator_of(settings: Settings) -> Moderator | None:
    """The one that the settings name, if any."""
    return Moderator(settings) if settings.moderation_url else None
