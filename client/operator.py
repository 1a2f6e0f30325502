"""`addit up` and `addit keys`: for whoever runs the service, on its machine and with its packages."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from api_schemas.keys import DAY_SECONDS, KeyInfo
from client.admin_key_commands import KeyLife, KeyName, KeyScopes, Overlap, key_table, scopes_of
from client.examples import Example, examples
from client.terminal import console
from job_store.api_keys import ApiKeys
from job_store.connection import connect
from job_store.errors import StoreError
from job_store.operations import Operations
from runtime.settings import Settings
from runtime.up import Stack, StackFailed, local_stack

keys = typer.Typer(no_args_is_help=True, help="API keys, in the store that ADDIT_REDIS_URL names.")


@contextmanager
def running(folder: Path, settings: Settings, workers: int) -> Iterator[tuple[Stack, str]]:
    """A ready stack and a key for it; the key of a folder is made once and kept there."""
    with local_stack(folder, settings, workers) as stack:
        stack.wait_until_ready()
        yield stack, _first_key(stack)


def _first_key(stack: Stack) -> str:
    file, api_keys = stack.folder / "key", ApiKeys(connect(stack.settings.redis_url))
    if not file.exists() or api_keys.find(file.read_text()) is None:
        file.touch(mode=0o600)
        file.write_text(api_keys.create("local", "first key"))
    return file.read_text()


def up(
    folder: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path("addit-data"),
    workers: Annotated[int, typer.Option(min=1, help="Worker processes, each with its own model.")] = 1,
    port: Annotated[
        int | None, typer.Option(help="Of the API; ADDIT_PORT by default, 0 for a free one.")
    ] = None,
) -> None:
    """Run the whole service on this machine until Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = Settings()
    if port is not None:
        settings = settings.model_copy(update={"port": port} | ({} if port else {"studio_port": 0}))
    try:
        console.print("Starting; the model takes a while to load.")
        with running(folder, settings, workers) as (stack, key):
            _announce(stack, key, stack.start_studio(key) if find_spec("gradio") else None)
            while True:
                stack.check()
                time.sleep(1)
    except KeyboardInterrupt:
        console.print("Stopped.")
    except StackFailed as failure:
        console.print(str(failure), style="red", markup=False)
        raise typer.Exit(1) from None


def _announce(stack: Stack, key: str, studio: str | None) -> None:
    if studio is not None:
        console.print(f"Studio   {studio}")
    console.print(f"API      {stack.url}   (reference: {stack.url}/docs)")
    if stack.admin_url:
        console.print(f"Admin    {stack.admin_url}   (for ADDIT_ADMIN_KEY)")
    console.print(f"Key      {key}   (kept in {stack.folder}/key)")
    console.print(f"Data     {stack.folder}   (logs in its folder logs)\n")
    for example in examples()[:1]:
        console.print(_curl(stack.url, key, example), markup=False)


def _curl(url: str, key: str, example: Example) -> str:
    """A line to paste that inserts into the example."""
    request = {
        "source": {"kind": "image", "image": {"part": "photo"}, "prompt": example.source_prompt},
        "prompt": example.prompt,
        "subject": example.subject,
    }
    return (
        f"curl -sS {url}/v1/insertions -H 'Authorization: Bearer {key}' -H 'Prefer: wait=60' "
        f"-F 'request={json.dumps(request)}' -F photo=@{example.path}"
    )


@contextmanager
def _store() -> Iterator[tuple[ApiKeys, Operations]]:
    """The configured store's keys, and acts of whoever is at the terminal; what goes wrong becomes a message
    and exit code 1."""
    try:
        redis = connect(Settings().redis_url)
        yield ApiKeys(redis), Operations(redis, by=f"uid {os.getuid()}")
    except (StoreError, ValueError) as error:
        console.print(str(error) or type(error).__name__, style="red", markup=False)
        raise typer.Exit(1) from None


@keys.command()
def create(tenant: str, name: KeyName = "", scope: KeyScopes = None, expires: KeyLife = None) -> None:
    """A new key of a tenant, shown this once."""
    with _store() as (_, acting):
        console.print(acting.create_key(tenant, name, scopes_of(scope), expires)[1])


@keys.command("list")
def list_keys(tenant: str) -> None:
    """A tenant's live keys, without their secrets."""
    with _store() as (api_keys, _):
        found = [KeyInfo.model_validate(asdict(key)) for key in api_keys.list(tenant)]
    console.print(key_table(found))


@keys.command()
def rotate(key_id: str, overlap: Overlap = DAY_SECONDS, expires: KeyLife = None) -> None:
    """A new key that may do the same, shown this once; the old one works until the overlap ends."""
    with _store() as (_, acting):
        console.print(acting.rotate_key(key_id, overlap, expires)[1])


@keys.command()
def revoke(key_id: str) -> None:
    """End a key at once."""
    with _store() as (_, acting):
        acting.revoke_key(key_id)
    console.print(f"{key_id} revoked")
