"""`python -m studio`: serves the studio for a running service."""

from __future__ import annotations

import signal
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from client.terminal import ADMIN_HERE, HERE, ApiKey, Url, console
from studio.app import serve
from studio.connection import Connection


def main(
    url: Url = HERE,
    key: ApiKey = None,
    admin_url: Annotated[
        str, typer.Option(envvar="ADDIT_ADMIN_URL", help="Of the gateway's port for operators.")
    ] = ADMIN_HERE,
    host: Annotated[
        str, typer.Option(envvar="ADDIT_STUDIO_HOST", help="Address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="ADDIT_STUDIO_PORT", help="Port to listen on.")] = 7860,
    study: Annotated[
        Path | None,
        typer.Option(
            envvar="ADDIT_STUDIO_STUDY", help="A folder with pairs.json to be judged.", file_okay=False
        ),
    ] = None,
    scenes: Annotated[
        Path | None,
        typer.Option(
            envvar="ADDIT_STUDIO_SCENES",
            help="A folder of scenes, to draw plausible places in.",
            file_okay=False,
        ),
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(
            envvar="ADDIT_PUBLIC_URL", help="Of the service as callers reach it, where not by --url."
        ),
    ] = None,
) -> None:
    """Pages where people place things. With --key everybody who opens them works by that key; without, each
    visitor gives an own one."""
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    page = serve(Connection(url, key or "", admin_url, public_url or ""), host, port, study, scenes)
    console.print(f"Studio   http://{host}:{port}")
    stopped.wait()
    page.close(verbose=False)


if __name__ == "__main__":
    typer.run(main)
