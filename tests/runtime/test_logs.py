"""Logs are JSON lines with ids and without secrets."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime.logs import configure
from runtime.settings import Settings
from runtime.telemetry import following
from tests.figures import Figure


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_our_lines_and_those_of_libraries_have_one_shape(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(), "gateway")
    structlog.get_logger().info("job accepted", job_id="ins_1")
    logging.getLogger("uvicorn.error").warning("shutting %s", "down", extra={"job_id": "ins_2"})
    ours, theirs = lines(capsys)
    assert (
        ours.items()
        >= {"event": "job accepted", "level": "info", "service": "gateway", "job_id": "ins_1"}.items()
    )
    assert theirs.items() >= {"event": "shutting down", "level": "warning", "job_id": "ins_2"}.items()
    assert str(ours["timestamp"]).endswith("Z")


def test_context_follows_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(), "gateway")
    with structlog.contextvars.bound_contextvars(request_id="req_1"):
        logging.getLogger("library").info("hello")
    assert lines(capsys)[0]["request_id"] == "req_1"


def test_a_line_names_its_trace_where_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(), "engine")
    with following("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
        structlog.get_logger().info("attempt ended", job_id="ins_1")
        logging.getLogger("library").info("hello")
    structlog.get_logger().info("waiting")
    assert [line.get("trace_id") for line in lines(capsys)] == ["0af7651916cd43dd8448eb211c80319c"] * 2 + [
        None
    ]


def test_chatter_on_the_nameless_logger_is_left_out_but_not_its_warnings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(Settings(), "engine")
    logging.getLogger().info("computing embeddings")
    logging.getLogger().warning("low memory")
    assert [line["event"] for line in lines(capsys)] == ["low memory"]


def test_an_exception_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(), "worker")
    try:
        raise ValueError("key addit_ab12_cd34 is wrong")
    except ValueError:
        structlog.get_logger().exception("job failed")
    (line,) = lines(capsys)
    assert "ValueError: key [secret] is wrong" in str(line["exception"])


@pytest.mark.fault(54)
@pytest.mark.parametrize(
    "secret",
    [
        "addit_0123_abcd",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "https://gw/v1/artifacts/a.png?expires=1&signature=c2VjcmV0",
        "Authorization: Bearer c2VjcmV0",
    ],
)
def test_no_secret_is_logged(secret: str, capsys: pytest.CaptureFixture[str], figure: Figure) -> None:
    configure(Settings(), "gateway")
    structlog.get_logger().info("said " + secret, value=secret)
    logging.getLogger("library").error("said %s", secret)
    printed = capsys.readouterr().out
    assert printed.count("[secret]") == 3
    figure(54, "secrets told", sum(part in printed for part in ("0123_abcd", "MfKQ9r8", "c2VjcmV0")))


@pytest.mark.parametrize(("log_prompts", "printed"), [(False, "[not logged]"), (True, "a dog")])
def test_prompts_are_logged_by_policy(
    log_prompts: bool, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(Settings(log_prompts=log_prompts), "gateway")
    structlog.get_logger().info("job accepted", prompt="a dog")
    assert lines(capsys)[0]["prompt"] == printed


def test_text_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_format="console"), "gateway")
    structlog.get_logger().info("job accepted", job_id="ins_1")
    assert "job accepted" in (out := capsys.readouterr().out)
    assert not out.startswith("{")
