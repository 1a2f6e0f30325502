"""The sheet shows every scene."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from toyland.__main__ import main
from toyland.world import SCENES, World
from toyland.world_sheet import ROWS, SIDE, world_sheet


def test_a_column_for_each_scene(world: World) -> None:
    assert world_sheet(world).size == (len(SCENES) * SIDE, ROWS * SIDE)


def test_the_command_writes_the_sheet(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(world.sprites, tmp_path / "sprites" / "package" / "assets")
    file = tmp_path / "world.png"
    monkeypatch.setattr("sys.argv", ["toyland", "--cache", str(tmp_path), "world", "--output", str(file)])
    main()
    with Image.open(file) as sheet:
        assert sheet.size == (len(SCENES) * SIDE, ROWS * SIDE)
