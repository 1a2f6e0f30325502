"""The catalogue: every object of the world, the emoji that draws it, where it belongs and how large it is."""

from dataclasses import dataclass

from toyland.zones import Zone

SKY, WATER, GROUND, ROAD = Zone.SKY, Zone.WATER, Zone.GROUND, Zone.ROAD
TABLE, SHELF, BED, FLOOR, WALL = Zone.TABLE, Zone.SHELF, Zone.BED, Zone.FLOOR, Zone.WALL
HEAD, HAND = Zone.HEAD, Zone.HAND

FIELDS = ("beach", "lake", "meadow", "snowy field", "desert")
GREEN = ("lake", "meadow")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple")


@dataclass(frozen=True)
class ObjectKind:
    """One word of the world.

    size: its longer side where things look largest, pixels of 256
    scenes: where it occurs, if a place in one of its zones is not enough
    colours: those it is painted in; none: its own
    """

    name: str
    codepoint: str
    zones: tuple[Zone, ...]
    size: int
    scenes: tuple[str, ...] | None = None
    colours: tuple[str, ...] = ()


OBJECTS: tuple[ObjectKind, ...] = (
    ObjectKind("airplane", "1f6e9-fe0f", (SKY,), 74),
    ObjectKind("helicopter", "1f681", (SKY,), 68),
    ObjectKind("balloon", "1f388", (SKY, HAND), 60, colours=COLOURS),
    ObjectKind("eagle", "1f985", (SKY,), 62),
    ObjectKind("rocket", "1f680", (SKY,), 64),
    ObjectKind("kite", "1fa81", (SKY,), 62),
    ObjectKind("ufo", "1f6f8", (SKY,), 66),
    ObjectKind("butterfly", "1f98b", (SKY,), 50),
    ObjectKind("sailboat", "26f5", (WATER,), 84),
    ObjectKind("ship", "1f6a2", (WATER,), 90),
    ObjectKind("duck", "1f986", (WATER,), 54),
    ObjectKind("whale", "1f433", (WATER,), 80),
    ObjectKind("swan", "1f9a2", (WATER,), 58),
    ObjectKind("dog", "1f415", (GROUND, BED, FLOOR), 70),
    ObjectKind("cat", "1f408", (GROUND, BED, FLOOR), 62),
    ObjectKind("cow", "1f404", (GROUND,), 94, FIELDS),
    ObjectKind("horse", "1f40e", (GROUND,), 98, FIELDS),
    ObjectKind("sheep", "1f411", (GROUND,), 80, FIELDS),
    ObjectKind("pig", "1f416", (GROUND,), 80, FIELDS),
    ObjectKind("elephant", "1f418", (GROUND,), 110, FIELDS),
    ObjectKind("giraffe", "1f992", (GROUND,), 116, FIELDS),
    ObjectKind("camel", "1f42a", (GROUND,), 100, ("desert", "beach", "meadow")),
    ObjectKind("rabbit", "1f407", (GROUND, FLOOR), 52, (*FIELDS, "bedroom", "living room")),
    ObjectKind("penguin", "1f427", (GROUND,), 62, ("snowy field", "beach", "lake")),
    ObjectKind("turtle", "1f422", (GROUND,), 54, ("beach", "lake", "meadow", "desert")),
    ObjectKind("crab", "1f980", (GROUND,), 48, ("beach", "lake")),
    ObjectKind("shell", "1f41a", (GROUND, SHELF, TABLE), 40, ("beach", "lake", "living room", "room")),
    ObjectKind("mushroom", "1f344", (GROUND,), 48, GREEN),
    ObjectKind("cactus", "1f335", (GROUND,), 88, ("desert", "beach", "meadow")),
    ObjectKind("tree", "1f333", (GROUND,), 116, (*FIELDS, "street")),
    ObjectKind("tent", "26fa", (GROUND,), 98, FIELDS, ("green", "red", "orange", "blue", "purple")),
    ObjectKind("snowman", "26c4", (GROUND,), 84, ("snowy field", "meadow", "lake", "street")),
    ObjectKind("house", "1f3e0", (GROUND,), 118, FIELDS),
    ObjectKind("man", "1f9cd-1f3fb-200d-2642-fe0f", (GROUND, FLOOR), 116),
    ObjectKind("woman", "1f9cd-1f3fd-200d-2640-fe0f", (GROUND, FLOOR), 114),
    ObjectKind("car", "1f697", (ROAD,), 92, colours=COLOURS),
    ObjectKind("bus", "1f68c", (ROAD,), 108),
    ObjectKind("truck", "1f69a", (ROAD,), 104),
    ObjectKind("motorcycle", "1f3cd-fe0f", (ROAD,), 80),
    ObjectKind("bicycle", "1f6b2", (ROAD, GROUND), 78),
    ObjectKind("tractor", "1f69c", (ROAD, GROUND), 94, (*FIELDS, "street")),
    ObjectKind("apple", "1f34e", (TABLE,), 40, colours=("red", "green", "yellow")),
    ObjectKind("banana", "1f34c", (TABLE,), 46),
    ObjectKind("pizza", "1f355", (TABLE,), 50),
    ObjectKind("cup", "2615", (TABLE, SHELF), 42),
    ObjectKind("cake", "1f382", (TABLE,), 56),
    ObjectKind("laptop", "1f4bb", (TABLE, BED), 60),
    ObjectKind("clock", "23f0", (TABLE, SHELF), 46),
    ObjectKind("teapot", "1fad6", (TABLE, SHELF), 52, colours=("red", "blue", "green", "purple")),
    ObjectKind("candle", "1f56f-fe0f", (TABLE, SHELF), 50),
    ObjectKind("plant", "1fab4", (TABLE, SHELF, FLOOR), 58),
    ObjectKind("vase", "1f3fa", (TABLE, SHELF), 54),
    ObjectKind("book", "1f4d5", (TABLE, SHELF, BED), 46, colours=COLOURS),
    ObjectKind("mirror", "1fa9e", (WALL,), 62),
    ObjectKind("picture", "1f5bc-fe0f", (WALL,), 60),
    ObjectKind("bear", "1f9f8", (BED, FLOOR, SHELF), 62),
    ObjectKind("suitcase", "1f9f3", (BED, FLOOR), 68, colours=COLOURS),
    ObjectKind("ball", "26bd", (FLOOR, GROUND), 42, colours=("blue", "red", "green", "purple")),
    ObjectKind("guitar", "1f3b8", (BED, FLOOR), 82),
    ObjectKind(
        "flower", "1f337", (GROUND, HAND), 52, (*FIELDS, "street"), ("purple", "red", "yellow", "blue")
    ),
    ObjectKind("flag", "1f6a9", (GROUND, HAND), 66, colours=COLOURS),
    ObjectKind("umbrella", "2602-fe0f", (HAND,), 104, colours=("purple", "red", "blue", "green")),
    ObjectKind("hat", "1f3a9", (HEAD, BED, TABLE), 46),
    ObjectKind("crown", "1f451", (HEAD, BED, TABLE, SHELF), 44),
    ObjectKind("cap", "1f9e2", (HEAD, BED, SHELF), 44, colours=("blue", "red", "green", "purple")),
)


def find_object(name: str) -> ObjectKind:
    """The kind of that name."""
    return _BY_NAME[name]


_BY_NAME = {kind.name: kind for kind in OBJECTS}
