"""The pictures of `make fuzz`: 5,000 mutated ones into a gateway of their own."""

from __future__ import annotations

import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from job_store.api_keys import ApiKeys
from job_store.connection import connect
from runtime.settings import Settings
from runtime.valkey import embedded_valkey, free_port
from tests.fuzz.images import MEGABYTE, ROOT, Tally, fuzz, gateway


def main(
    count: Annotated[int, typer.Option(min=1, help="Of pictures.")] = 5000,
    seed: Annotated[int | None, typer.Option(help="Of the pictures; drawn and printed if none.")] = None,
) -> None:
    """Print what was answered; exit code 1 if anything was answered with 5xx."""
    seed, began = secrets.randbelow(2**32) if seed is None else seed, time.monotonic()
    tally = pictures(count, seed)
    show(tally, seed, time.monotonic() - began)
    sys.exit(bool(tally.worst))


def pictures(count: int, seed: int) -> Tally:
    """Sent to a gateway of their own."""
    with tempfile.TemporaryDirectory(prefix="addit-fuzz-") as folder, embedded_valkey(Path(folder)) as valkey:
        with connect(valkey.url) as redis:
            key = ApiKeys(redis).create("fuzz", "fuzz")
        artifacts, port = f"file://{folder}/artifacts", free_port()
        settings = Settings(
            redis_url=valkey.url, artifact_url=artifacts, port=port, signing_secret=secrets.token_hex(16)
        )
        headers, url = {"Authorization": f"Bearer {key}"}, f"http://127.0.0.1:{port}"
        with gateway(settings, Path(folder) / "gateway.log") as process:
            with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
                return fuzz(client, process, count, seed)


def show(tally: Tally, seed: int, seconds: float) -> None:
    """What was answered, and the figures. Inputs that were answered with 5xx are kept."""
    table = Table("answer", "pictures", title=f"{tally.tried} mutated pictures, seed {seed}, {seconds:.0f} s")
    for answer, number in sorted(tally.answers.items()):
        table.add_row(answer, str(number))
    for name, number in (("4xx", tally.of_hundred(4)), ("5xx", tally.of_hundred(5))):
        table.add_row(name, str(number), style="bold")
    for name, peak in (("decoder", tally.decoder_peak), ("gateway", tally.gateway_peak)):
        table.add_row(f"peak memory of a {name}", f"{peak / MEGABYTE:.0f} MiB")
    table.add_row("decoders that had to be replaced", str(len(tally.decoders) - 2))
    table.add_row("slowest answer", f"{tally.slowest_seconds:.2f} s")
    Console(width=100).print(table)
    for index, data in enumerate(tally.worst):
        (ROOT / f"fuzz-{seed}-{index}.bin").write_bytes(data)


if __name__ == "__main__":
    typer.run(main)
