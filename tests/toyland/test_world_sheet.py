"""The sheet shows every scene."""

from toyland.world import SCENES, World
from toyland.world_sheet import ROWS, SIDE, world_sheet


def test_a_column_for_each_scene(world: World) -> None:
    assert world_sheet(world).size == (len(SCENES) * SIDE, ROWS * SIDE)
