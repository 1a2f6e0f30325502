"""Logs: one JSON object a line on stdout, whoever speaks (our code, libraries), with nothing secret in it."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import structlog

from runtime import telemetry
from runtime.settings import Settings

# Keys, webhook secrets, and the signature that makes a link work.
_SECRETS = re.compile(r"addit_\w+|whsec_[\w+/=-]+|(?<=signature=)[^&\s\"']+|(?<=Bearer )[^\s\"']+")
_PROMPTS = frozenset({"prompt", "source_prompt", "subject"})

_Event = structlog.typing.EventDict


def configure(settings: Settings, service: str) -> None:
    """Send what this process logs to stdout. `service` names it: gateway, worker, background."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
        _with_trace,
        structlog.processors.format_exc_info,
        _without_secrets(settings.log_prompts),
    ]
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_worth_saying)
    handler.setFormatter(_formatter(shared, settings))
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _formatter(
    shared: list[structlog.typing.Processor], settings: Settings
) -> structlog.stdlib.ProcessorFormatter:
    as_json = settings.log_format == "json"
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False),
        ],
    )


def _worth_saying(record: logging.LogRecord) -> bool:
    """Some libraries (sam2) talk of every step on the nameless root logger."""
    return record.name != "root" or record.levelno >= logging.WARNING


def _named(service: str) -> Callable[[Any, str, _Event], _Event]:
    def add(_: Any, __: str, event: _Event) -> _Event:
        event.setdefault("service", service)
        return event

    return add


def _with_trace(_: Any, __: str, event: _Event) -> _Event:
    trace_id = telemetry.trace_id()
    if trace_id is not None:
        event.setdefault("trace_id", trace_id)
    return event


def _without_secrets(log_prompts: bool) -> Callable[[Any, str, _Event], _Event]:
    hidden = frozenset() if log_prompts else _PROMPTS

    def clean(_: Any, __: str, event: _Event) -> _Event:
        event.pop("color_message", None)  # uvicorn says things twice
        return {name: "[not logged]" if name in hidden else _clean(value) for name, value in event.items()}

    return clean


def _clean(value: Any) -> Any:
    return _SECRETS.sub("[secret]", value) if isinstance(value, str) else value
