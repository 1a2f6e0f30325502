"""The grammar that the shipped captioner words its captions by, written beside the weights."""

import json
from pathlib import Path
from typing import Any

from toyland.hosts import GRIPS, HOSTS, can_carry
from toyland.objects import OBJECTS
from toyland.paint import SIZE
from toyland.phrases import SCENE_PHRASES, with_article
from toyland.zones import Zone


def grammar() -> dict[str, Any]:
    """What `workers.models.toyland.captioner.Grammar` reads."""
    return {
        "side": SIZE,
        "scenes": list(SCENE_PHRASES.values()),
        "things": {kind.name: with_article(kind.name) for kind in OBJECTS},
        "worn": [kind.name for kind in OBJECTS if Zone.HEAD in kind.zones],
        "held": sorted(GRIPS),
        "heads": sorted(HOSTS),
        "hands": sorted(name for name in HOSTS if can_carry(name, Zone.HAND)),
    }


def write_grammar(file: Path) -> None:
    """Write it, the same for the same world."""
    file.write_text(json.dumps(grammar(), indent=1) + "\n", encoding="utf-8")
