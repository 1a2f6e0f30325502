"""Batches by both clients and on the command line, and usage, against a running service."""

from __future__ import annotations

import asyncio
import inspect
import json
from pathlib import Path

from typer.testing import CliRunner

from api_schemas.batches import Batch
from client.async_batches import AsyncBatches
from client.async_client import AsyncAddit
from client.batches import Batches
from client.cli import app
from client.client import Addit
from tests.client.answers import REQUEST
from tests.client.conftest import Served
from tests.workers.fleet import until


def test_both_clients_offer_the_same_calls() -> None:
    def calls(kind: type) -> dict[str, list[str]]:
        members = inspect.getmembers(kind, inspect.isfunction)
        return {name: list(inspect.signature(it).parameters) for name, it in members if name[0] != "_"}

    assert calls(Batches) == calls(AsyncBatches)


def test_a_batch_comes_to_its_results_and_counts_as_used(served: Served) -> None:
    with Addit(served.url, served.key) as addit:
        made = addit.batches.submit([REQUEST, REQUEST.model_copy(update={"preset": "none"})])

        def completed() -> Batch | None:
            found = addit.batches.get(made.id)
            return found if found.status == "completed" else None

        until(completed)
        first, second = addit.batches.results(made.id)
        assert first.insertion is not None
        assert first.insertion.status == "succeeded"
        assert second.problem is not None
        assert second.problem.code == "unknown_preset"
        assert addit.batches.list().data[0].id == made.id
        today = addit.usage().data[-1]
        assert today.succeeded >= 1
        assert today.stored_bytes > 0

        async def cancel() -> str:
            async with AsyncAddit(served.url, served.key) as other:
                assert (await other.usage()).data[-1].day == today.day
                return (await other.batches.cancel(made.id)).status

        assert asyncio.run(cancel()) == "canceled"


def test_the_command_submits_a_file(served: Served, tmp_path: Path) -> None:
    def run(*words: str) -> str:
        result = CliRunner().invoke(app, [*words, "--url", served.url, "--key", served.key])
        assert result.exit_code == 0, result.output
        return result.output

    lines = tmp_path / "lines.jsonl"
    lines.write_text(f"{REQUEST.model_dump_json()}\n{{}}\n")
    batch_id, said = run("batch", "submit", str(lines)).split(maxsplit=1)
    assert "1 refused" in said
    until(lambda: "completed" in run("batch", "status", batch_id))
    told = [json.loads(line) for line in run("batch", "results", batch_id).splitlines()]
    assert [one["line"] for one in told] == [1, 2]
    assert told[1]["problem"]["code"] == "invalid_request"
    assert "canceled" in run("batch", "cancel", batch_id)
    assert "GPU s" in run("usage")
