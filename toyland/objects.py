"""The catalogue: every object of the world, the emoji that draws it, where it belongs and how large it is."""

from dataclasses import dataclass

from toyland.zones import Zone

SKY, WATER, GROUND, ROAD = Zone.SKY, Zone.WATER, Zone.GROUND, Zone.ROAD
TABLE, BED, FLOOR = Zone.TABLE, Zone.BED, Zone.FLOOR


@dataclass(frozen=True)
class ObjectKind:
    """One word of the world. `smallest` and `largest` bound its longer side, pixels of 128."""

    name: str
    codepoint: str
    zones: tuple[Zone, ...]
    smallest: int
    largest: int


OBJECTS: tuple[ObjectKind, ...] = (
    ObjectKind("airplane", "1f6e9-fe0f", (SKY,), 30, 46),
    ObjectKind("helicopter", "1f681", (SKY,), 30, 44),
    ObjectKind("balloon", "1f388", (SKY,), 28, 42),
    ObjectKind("eagle", "1f985", (SKY,), 28, 42),
    ObjectKind("rocket", "1f680", (SKY,), 28, 44),
    ObjectKind("kite", "1fa81", (SKY,), 28, 42),
    ObjectKind("ufo", "1f6f8", (SKY,), 28, 44),
    ObjectKind("sailboat", "26f5", (WATER,), 30, 46),
    ObjectKind("ship", "1f6a2", (WATER,), 32, 48),
    ObjectKind("duck", "1f986", (WATER,), 26, 36),
    ObjectKind("whale", "1f433", (WATER,), 30, 44),
    ObjectKind("swan", "1f9a2", (WATER,), 28, 38),
    ObjectKind("dog", "1f415", (GROUND, BED, FLOOR), 32, 46),
    ObjectKind("cat", "1f408", (GROUND, BED, FLOOR), 30, 42),
    ObjectKind("cow", "1f404", (GROUND,), 38, 52),
    ObjectKind("horse", "1f40e", (GROUND,), 38, 52),
    ObjectKind("sheep", "1f411", (GROUND,), 34, 46),
    ObjectKind("pig", "1f416", (GROUND,), 34, 46),
    ObjectKind("elephant", "1f418", (GROUND,), 42, 56),
    ObjectKind("rabbit", "1f407", (GROUND,), 28, 38),
    ObjectKind("tree", "1f333", (GROUND,), 42, 60),
    ObjectKind("tent", "26fa", (GROUND,), 38, 52),
    ObjectKind("snowman", "26c4", (GROUND,), 34, 48),
    ObjectKind("house", "1f3e0", (GROUND,), 46, 62),
    ObjectKind("car", "1f697", (ROAD,), 34, 48),
    ObjectKind("bus", "1f68c", (ROAD,), 42, 56),
    ObjectKind("bicycle", "1f6b2", (ROAD,), 32, 44),
    ObjectKind("tractor", "1f69c", (ROAD, GROUND), 36, 50),
    ObjectKind("apple", "1f34e", (TABLE,), 22, 32),
    ObjectKind("pizza", "1f355", (TABLE,), 24, 34),
    ObjectKind("cup", "2615", (TABLE,), 24, 34),
    ObjectKind("cake", "1f382", (TABLE,), 28, 40),
    ObjectKind("laptop", "1f4bb", (TABLE,), 30, 44),
    ObjectKind("clock", "23f0", (TABLE,), 24, 34),
    ObjectKind("banana", "1f34c", (TABLE,), 24, 34),
    ObjectKind("teapot", "1fad6", (TABLE,), 26, 38),
    ObjectKind("candle", "1f56f-fe0f", (TABLE,), 26, 36),
    ObjectKind("plant", "1fab4", (TABLE,), 28, 40),
    ObjectKind("bear", "1f9f8", (BED, FLOOR), 30, 42),
    ObjectKind("suitcase", "1f9f3", (BED, FLOOR), 30, 42),
    ObjectKind("ball", "26bd", (FLOOR, GROUND), 20, 30),
    ObjectKind("guitar", "1f3b8", (BED, FLOOR), 34, 46),
)
