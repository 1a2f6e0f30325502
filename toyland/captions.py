"""How people name a picture: the scene, the things in it, and where one of them is."""

from collections.abc import Sequence

from toyland.paint import Rng
from toyland.zones import Zone

SCENE_PHRASES = {
    "beach": "a beach",
    "lake": "a lake",
    "meadow": "a meadow",
    "snowy field": "a snowy field",
    "street": "a street",
    "room": "a table in a room",
    "bedroom": "a bedroom",
}

# Every way to say where something in this zone of this scene is; the others of the scene follow after "with".
_PLACES = {
    ("beach", Zone.WATER): ("in the water at a beach",),
    ("beach", Zone.GROUND): ("on a beach",),
    ("lake", Zone.WATER): ("on a lake", "in the water on a lake"),
    ("lake", Zone.GROUND): ("by a lake",),
    ("meadow", Zone.GROUND): ("in a meadow", "on a meadow"),
    ("snowy field", Zone.GROUND): ("in a snowy field", "on a snowy field"),
    ("street", Zone.ROAD): ("on a street",),
    ("room", Zone.TABLE): ("on a table in a room",),
    ("bedroom", Zone.BED): ("on a bed in a bedroom",),
    ("bedroom", Zone.FLOOR): ("on the floor in a bedroom",),
}

PLAIN_SHARE = 0.6  # of captions read "a photo of SCENE with A and B"
PREFIX_SHARE = 0.6  # of the others begin with "a photo of"


def with_article(name: str) -> str:
    """The name with "a" or "an" before it ("a ufo")."""
    return f"an {name}" if name[0] in "aei" else f"a {name}"


def place_phrases(scene: str, zone: Zone) -> tuple[str, ...]:
    """Ways to say where something in this zone of the scene is."""
    if zone is Zone.SKY:
        return f"over {SCENE_PHRASES[scene]}", f"in the sky over {SCENE_PHRASES[scene]}"
    return _PLACES[scene, zone]


def plain_caption(scene: str, names: Sequence[str]) -> str:
    """ "a photo of a beach with a dog and a cat"."""
    return "a photo of " + _scene_first(scene, names)


def caption(scene: str, things: Sequence[tuple[str, Zone]], rng: Rng) -> str:
    """One of the captions a picture of these (name, zone) things may have."""
    names = [name for name, _ in things]
    if rng.random() < PLAIN_SHARE:
        return plain_caption(scene, names)
    text = _thing_first(scene, things, rng) if things and rng.random() < 0.7 else _scene_first(scene, names)
    return "a photo of " + text if rng.random() < PREFIX_SHARE else text


def _scene_first(scene: str, names: Sequence[str]) -> str:
    return SCENE_PHRASES[scene] + _with_others(names)


def _thing_first(scene: str, things: Sequence[tuple[str, Zone]], rng: Rng) -> str:
    """ "a dog on a beach with a cat": any one of the things may come first."""
    first = int(rng.integers(len(things)))
    name, zone = things[first]
    places = place_phrases(scene, zone)
    others = [other for index, (other, _) in enumerate(things) if index != first]
    return f"{with_article(name)} {places[rng.integers(len(places))]}{_with_others(others)}"


def _with_others(names: Sequence[str]) -> str:
    return " with " + " and ".join(map(with_article, names)) if names else ""
