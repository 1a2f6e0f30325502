"""The studio as it is served, before a real stack, in a real browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright
from pydantic import SecretStr

from client.examples import FOLDER
from job_store.api_keys import ApiKeys
from job_store.connection import connect
from runtime.settings import Settings, environment
from runtime.up import Stack, local_stack
from runtime.valkey import free_port
from tests.studio.visitor import Visitor

COMMON = Settings(port=0, threads=1, grace_seconds=3, admin_key=SecretStr("operate"))
SCRIPTED = COMMON.model_copy(update={"runner": "tests.workers.scripted_runner:load", "model": "scripted"})
MISSING = "no Chromium: the studio is tested in a real one; `apt-get install chromium` brings it"
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium, as the system has it. Playwright keeps a loop in this thread until a module ends."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        with playwright.chromium.launch(executable_path=found, args=["--no-sandbox"]) as launched:
            yield launched


@contextmanager
def visit(browser: Browser, address: str, width: int = 1280, **choices: Any) -> Iterator[Visitor]:
    """A fresh visitor of one studio."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **choices)
    try:
        yield Visitor(context.new_page(), address)
    finally:
        context.close()


@contextmanager
def studio(url: str, *words: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """(address, process) of a studio before a service."""
    port = free_port()
    command = [sys.executable, "-m", "studio", "--url", url, "--port", str(port), *words]
    process = subprocess.Popen(command, env=environment(COMMON), stdout=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(address, timeout=5, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the studio did not come up; exit code {process.poll()}")


def new_key(stack: Stack) -> str:
    """Of a tenant of its own."""
    return ApiKeys(connect(stack.settings.redis_url)).create("local", "studio")


def write_study(folder: Path) -> Path:
    """Two pairs to be judged, in a new folder."""
    folder.mkdir()
    for name in ("meadow", "street", "table"):
        shutil.copy(FOLDER / f"{name}.png", folder)
    first = {"method": "addit", "image": "meadow.png"}
    second = {"method": "other", "image": "street.png"}
    pairs: list[dict[str, object]] = [{"id": "1", "source": "table.png", "first": first, "second": second}]
    pairs += [{"id": "2", "question": "Which has more sky?", "first": first, "second": second}]
    (folder / "pairs.json").write_text(json.dumps(pairs))
    return folder


def write_scenes(folder: Path) -> Path:
    """Two pictures, in a new folder."""
    folder.mkdir()
    for name in ("meadow", "street"):
        shutil.copy(FOLDER / f"{name}.png", folder)
    return folder


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pairs to be judged."""
    return write_study(tmp_path_factory.mktemp("studies") / "one")


@pytest.fixture(scope="session")
def scene_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures in which nobody has drawn yet."""
    return write_scenes(tmp_path_factory.mktemp("scenes") / "one")


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A studio before a stack with the embedded model, with a common key."""
    with local_stack(tmp_path_factory.mktemp("embedded"), COMMON) as stack:
        with studio(stack.url, "--key", new_key(stack)) as found:  # comes up while the model loads
            stack.wait_until_ready()
            yield found


@pytest.fixture(scope="session")
def scripted(
    tmp_path_factory: pytest.TempPathFactory, study_folder: Path, scene_folder: Path
) -> Iterator[tuple[str, str, str]]:
    """(studio's address, key, service's URL): a model that does as told, each visitor with an own key."""
    with local_stack(tmp_path_factory.mktemp("scripted"), SCRIPTED) as stack:
        folders = ("--study", str(study_folder), "--scenes", str(scene_folder))
        with studio(stack.url, "--admin-url", stack.admin_url or "", *folders) as (address, _):
            stack.wait_until_ready()
            yield address, new_key(stack), stack.url
