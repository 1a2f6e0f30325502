"""Scenes by both clients and on the command line, against a running service."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api_schemas.insertions import ImageRef, ImageSource
from api_schemas.scenes import FIRST, SceneRequest
from client.async_client import AsyncAddit
from client.async_scenes import AsyncScenes
from client.cli import app
from client.client import Addit
from client.errors import ApiError
from client.scenes import Scenes
from tests.client.conftest import Served

ADD = {"prompt": "a room with a dog", "subject": "dog", "seeds": [1]}


def test_both_clients_offer_the_same_calls() -> None:
    def calls(kind: type) -> dict[str, list[str]]:
        members = inspect.getmembers(kind, inspect.isfunction)
        return {name: list(inspect.signature(it).parameters) for name, it in members if name[0] != "_"}

    assert calls(Scenes) == calls(AsyncScenes)


def test_a_scene_grows_and_goes(served: Served, photo: Path) -> None:
    with Addit(served.url, served.key) as addit:
        image = addit.upload(photo.read_bytes())
        source = ImageSource(image=ImageRef(id=image.id), prompt="a room")
        scene = addit.scenes.begin(SceneRequest(source=source))
        first = addit.until_succeeded(addit.scenes.add(scene.id, ADD).id)
        second = addit.until_succeeded(
            addit.scenes.add(scene.id, ADD | {"prompt": "add a cat", "subject": None}).id
        )
        assert second.request.source.prompt == ADD["prompt"]
        assert addit.scenes.get(scene.id).history == [first.id, second.id]
        assert addit.scenes.undo(scene.id).head.step == first.id
        assert addit.scenes.choose_head(scene.id).head.step == FIRST
        assert addit.scenes.list().data[0].id == scene.id

        async def look() -> str:
            async with AsyncAddit(served.url, served.key) as other:
                return (await other.scenes.choose_head(scene.id, second.id)).head.step

        assert asyncio.run(look()) == second.id
        addit.scenes.delete(scene.id)
        with pytest.raises(ApiError):
            addit.scenes.get(scene.id)


def test_the_command_builds_a_scene(served: Served, photo: Path, tmp_path: Path) -> None:
    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["scene", *words, "--url", served.url, "--key", served.key])
        assert result.exit_code == 0, result.output
        return result.output

    scene_id = run("begin", str(photo), "--source-prompt", "a room").strip()
    out, layer = tmp_path / "out.png", tmp_path / "layer.png"
    run("add", scene_id, "--prompt", "add a dog", "--seed", "1", "--out", str(out), "--layer", str(layer))
    assert out.read_bytes().startswith(b"\x89PNG")
    run("add", scene_id, "--prompt", "add a cat", "--step", "first")
    shown = run("show", scene_id)
    assert "a room with a dog" in shown
    assert "a room with a cat" in shown
    assert scene_id in run("list")
    assert "at first" in run("undo", scene_id)
    step = next(word for word in shown.split() if word.startswith("ins_"))
    assert f"at {step}" in run("head", scene_id, step)
    assert "deleted" in run("delete", scene_id)
