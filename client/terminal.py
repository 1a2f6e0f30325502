"""What the commands of a client share: where the service is, who asks, how trouble is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from client.client import Addit
from client.errors import ClientError

console = Console(highlight=False, soft_wrap=True)
KEPT_KEY = Path("addit-data/key")  # where `addit up` keeps the first key

Url = Annotated[str, typer.Option(envvar="ADDIT_URL", help="Of the service.")]
ApiKey = Annotated[
    str | None, typer.Option("--key", envvar="ADDIT_KEY", help="An API key; that of `addit up` here.")
]
AdminUrl = Annotated[str, typer.Option(envvar="ADDIT_ADMIN_URL", help="Of the gateway's port for operators.")]
AdminKey = Annotated[str, typer.Option("--key", envvar="ADDIT_ADMIN_KEY", help="The operators' key.")]
JobId = Annotated[str, typer.Argument(help="ins_….")]
HERE = "http://127.0.0.1:8080"
ADMIN_HERE = "http://127.0.0.1:8081"


@contextmanager
def service(url: str, key: str | None) -> Iterator[Addit]:
    """The client; what it raises becomes a message and exit code 1."""
    kept = KEPT_KEY.read_text().strip() if key is None and KEPT_KEY.exists() else None
    try:
        with Addit(url, key or kept or "") as addit:
            yield addit
    except ClientError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
