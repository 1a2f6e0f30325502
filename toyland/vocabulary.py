"""The closed vocabulary: which words captions use."""

from itertools import product

from toyland.captions import HELD_OUT_TEMPLATES, TRAINED_TEMPLATES, Parts, Phrase
from toyland.phrases import (
    CONDITION_PHRASES,
    INSIDE_PHRASES,
    SCENE_PHRASES,
    place_phrases,
    short_place,
    with_article,
)
from toyland.world import World
from toyland.zones import CARRIED, Zone

_SIZES = "small big"
_CARRYING = "wearing holding and"


def caption_words(world: World) -> list[str]:
    """Every word that a caption of the world may contain, sorted."""
    texts = [
        _SIZES,
        _CARRYING,
        *CONDITION_PHRASES.values(),
        *INSIDE_PHRASES.values(),
        *SCENE_PHRASES.values(),
    ]
    for kind in world.objects:
        texts.extend(with_article(kind.name, colour) for colour in ("", *kind.colours))
    for scene, zone in product(SCENE_PHRASES, Zone):
        if zone in CARRIED:
            continue
        try:
            texts.extend([*place_phrases(scene, zone), short_place(scene, zone)])
        except KeyError:  # this scene has no such zone
            continue
    texts.extend(_skeletons())
    return sorted({word for text in texts for word in text.split()})


def _skeletons() -> list[str]:
    """Every template around two things."""
    phrases = (Phrase("a dog", "", "", 0, 1), Phrase("a cat", "", "", 1, None))
    parts = Parts("a beach", "at a beach", phrases)
    return [template.text(parts) for template in (*TRAINED_TEMPLATES, *HELD_OUT_TEMPLATES)]
