"""Schemathesis over the whole API description, with keys, against a running stack.

    python -m tests.api_fuzz --max-examples 100    prints operations, cases and failures; the long run

A share of it runs with the tests (tests/service/test_api_fuzz.py). What it may do to pictures and addresses,
which nobody draws at random, stands in api_fuzz_hooks.py.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from job_store.api_keys import ApiKeys
from job_store.connection import connect
from job_store.workers import WorkerRegistry, WorkerState
from runtime.logs import configure
from runtime.settings import Settings
from runtime.valkey import embedded_valkey, free_port
from tests.service.conftest import admin_address_of, serving
from tests.workers.fleet import Fleet, short
from tests.workers.scripted_runner import CARD

ROOT = Path(__file__).parents[1]
OPERATORS = "the-operators-key-of-a-test"
IDLE = "idle"
"""A model and worker in name only: what is paused and drained, so that the others go on."""
NOT_ALWAYS = ("positive_data_acceptance",)
"""Checks that do not hold: what is of the right shape may still name what is not there, or no known word."""
LARGE = (r"/insertions$", r"/(variations|mask|estimates|scenes|edits)$")
"""Patterns of paths whose bodies have so many fields that walking them all takes minutes."""


@dataclass(frozen=True)
class Found:
    """What a run came to. problems: a line each, of failures and errors."""

    operations: int
    cases: int
    problems: tuple[str, ...]
    output: str


@contextmanager
def stack(folder: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """((tenants' address, operators' address), key) of a whole stack whose engine is scripted."""
    with embedded_valkey(folder / "valkey") as valkey, connect(valkey.url) as redis:
        settings = short(
            valkey.url, folder, port=free_port(), admin_port=free_port(), admin_key=OPERATORS,
            max_body_bytes=2 * 2**20,
            lease_seconds=30.0, step_seconds=30.0, affinity_seconds=0.25, reconcile_seconds=1.0,
        )  # fmt: skip
        fleet = Fleet(redis, settings, folder)
        try:
            fleet.until_ready(fleet.worker())
            fleet.background()
            _stand_by(WorkerRegistry(redis))
            with serving(settings) as address:
                yield (address, admin_address_of(settings)), ApiKeys(redis).create("acme", "fuzz")
        finally:
            fleet.end()


def _stand_by(registry: WorkerRegistry) -> None:
    registry.announce(CARD.model_copy(update={"name": IDLE}))
    now = datetime.now(UTC)
    state = WorkerState(
        name=IDLE, model=IDLE, state="ready", pid=1, engine_pid=2, last_ok=now, started_at=now
    )
    registry.put_state(state, 24 * 3600)


def fuzz(
    addresses: Sequence[str],
    key: str,
    folder: Path,
    *,
    max_examples: int,
    phases: Sequence[str],
    quick: bool,
    seed: int,
) -> Found:
    """Run Schemathesis at each address. quick: the coverage phase walks no body of `LARGE`."""
    runs = [
        _run(address, key, folder, max_examples=max_examples, phases=phases, quick=quick, seed=seed)
        for address in addresses
    ]
    return Found(
        operations=sum(one.operations for one in runs),
        cases=sum(one.cases for one in runs),
        problems=tuple(problem for one in runs for problem in one.problems),
        output="\n".join(one.output for one in runs),
    )


def _run(
    address: str, key: str, folder: Path, *, max_examples: int, phases: Sequence[str], quick: bool, seed: int
) -> Found:
    config, report = folder / "schemathesis.toml", folder / "report.json"
    report.unlink(missing_ok=True)
    config.write_text(_config(key, quick))
    command = [
        str(Path(sys.executable).parent / "st"), "--config-file", str(config), "run",
        f"{address}/openapi.json", "--no-color", "--phases", ",".join(phases), "--continue-on-failure",
        "--exclude-checks", ",".join(NOT_ALWAYS), "--max-examples", str(max_examples), "--seed", str(seed),
        "--request-timeout", "90", "--warnings", "off",
        "--report", "json", "--report-json-path", str(report),
    ]  # fmt: skip
    bare = {"PYTHONPATH": str(ROOT), "HOME": str(folder)}  # what it keeps goes with the folder
    done = subprocess.run(command, cwd=folder, env=bare, capture_output=True, text=True, check=False)
    told = json.loads(report.read_text()) if report.exists() else {}
    assert told.get("operations"), done.stdout + done.stderr  # it could not even begin
    return _found(told, done.stdout)


def _config(key: str, quick: bool) -> str:
    skipped = "phases.coverage.enabled = false"
    large = [_of(f'include-path-regex = "{pattern}"', skipped) for pattern in LARGE] if quick else []
    return "\n".join(
        [
            'hooks = "tests.api_fuzz_hooks"',
            f'parameters = {{ "path.model" = "{IDLE}", "path.worker" = "{IDLE}" }}',
            f'[auth.openapi.HTTPBearer]\nbearer = "{key}"',
            f'[auth.openapi.AdminKey]\nbearer = "{OPERATORS}"',
            # A line that is no request is told of in the results, and keeps no other from being accepted.
            _of('include-path = "/v1/batches"', "checks.negative_data_rejection.enabled = false"),
            *large,
        ]
    )


def _of(which: str, setting: str) -> str:
    return f'[[operations]]\n{which}\ninclude-method = "POST"\n{setting}'


def _found(report: dict[str, Any], output: str) -> Found:
    problems = [
        f"{one['count']} x {one['title']}: {', '.join(one.get('operations', []))}"
        for one in (*report["failures"], *report["errors"])
    ]
    tested = report["operations"]
    return Found(tested["tested"], report["test_cases"]["generated"], tuple(problems), output)


def main() -> int:
    """The long run, from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-examples", type=int, default=100, help="drawn per operation and way")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    asked = parser.parse_args()
    configure(Settings(_env_file=None, log_level="ERROR"), "fuzz")
    with tempfile.TemporaryDirectory() as name, stack(Path(name)) as (addresses, key):
        found = fuzz(
            addresses, key, Path(name), max_examples=asked.max_examples, phases=asked.phases.split(","),
            quick=False, seed=asked.seed,
        )  # fmt: skip
    print(found.output)  # noqa: T201
    print(f"{found.operations} operations, {found.cases} cases, {len(found.problems)} failures")  # noqa: T201
    return bool(found.problems)


if __name__ == "__main__":
    sys.exit(main())
