"""The phrases captions are made of: articles, scenes, places and conditions."""

from toyland.light import Condition
from toyland.zones import Zone

SCENE_PHRASES = {
    "beach": "a beach",
    "lake": "a lake",
    "meadow": "a meadow",
    "snowy field": "a snowy field",
    "desert": "a desert",
    "street": "a street",
    "room": "a table in a room",
    "bedroom": "a bedroom",
    "living room": "a living room",
}

INSIDE_PHRASES = {
    "beach": "at a beach",
    "lake": "at a lake",
    "meadow": "in a meadow",
    "snowy field": "in a snowy field",
    "desert": "in a desert",
    "street": "on a street",
    "room": "in a room with a table",
    "bedroom": "in a bedroom",
    "living room": "in a living room",
}

# Every way to say where something in this zone of this scene is, scene and all.
_PLACES = {
    ("beach", Zone.WATER): ("in the water at a beach",),
    ("beach", Zone.GROUND): ("on a beach", "on the sand at a beach"),
    ("lake", Zone.WATER): ("on a lake", "in the water on a lake"),
    ("lake", Zone.GROUND): ("by a lake", "on the grass by a lake"),
    ("meadow", Zone.GROUND): ("in a meadow", "on a meadow", "on the grass in a meadow"),
    ("snowy field", Zone.GROUND): ("in a snowy field", "on a snowy field", "on the snow in a snowy field"),
    ("desert", Zone.GROUND): ("in a desert", "on the sand in a desert"),
    ("street", Zone.ROAD): ("on a street", "on the road of a street"),
    ("street", Zone.GROUND): ("on a street", "on the pavement of a street"),
    ("room", Zone.TABLE): ("on a table in a room",),
    ("room", Zone.WALL): ("on the wall over a table in a room",),
    ("bedroom", Zone.BED): ("on a bed in a bedroom",),
    ("bedroom", Zone.FLOOR): ("on the floor in a bedroom",),
    ("bedroom", Zone.WALL): ("on the wall in a bedroom",),
    ("living room", Zone.SHELF): ("on a shelf in a living room",),
    ("living room", Zone.FLOOR): ("on the floor in a living room",),
    ("living room", Zone.WALL): ("on the wall in a living room",),
}

_GROUND = {"beach": "sand", "desert": "sand", "snowy field": "snow", "street": "pavement"}

CONDITION_PHRASES = {
    Condition.CLOUDY: "on a cloudy day",
    Condition.SUNSET: "at sunset",
    Condition.NIGHT: "at night",
    Condition.RAIN: "in the rain",
    Condition.SNOW: "in falling snow",
    Condition.EVENING: "in the evening",
}


def with_article(name: str, words: str = "") -> str:
    """The name with "a" or "an" before it, and with its adjective ("a ufo", "an orange car")."""
    phrase = f"{words} {name}" if words else name
    return f"an {phrase}" if phrase[0] in "aeiou" and not phrase.startswith("ufo") else f"a {phrase}"


def place_phrases(scene: str, zone: Zone) -> tuple[str, ...]:
    """Ways to say where something in this zone of the scene is."""
    if zone is Zone.SKY:
        return f"over {SCENE_PHRASES[scene]}", f"in the sky over {SCENE_PHRASES[scene]}"
    return _PLACES[scene, zone]


def short_place(scene: str, zone: Zone) -> str:
    """The same without the scene: "on the sand"."""
    if zone in (Zone.SKY, Zone.WATER):
        return f"in the {zone}"
    return f"on the {_GROUND.get(scene, 'grass') if zone is Zone.GROUND else zone}"
