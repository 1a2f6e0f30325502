"""Where things may be: the kinds of place in a scene, and the band of a picture each of them covers."""

from dataclasses import dataclass
from enum import StrEnum


class Zone(StrEnum):
    """A kind of place that objects belong to."""

    SKY = "sky"
    WATER = "water"
    GROUND = "ground"
    ROAD = "road"
    TABLE = "table"
    BED = "bed"
    FLOOR = "floor"


@dataclass(frozen=True)
class Band:
    """Pixels of one zone. An object stands with its lowest row in `top..bottom` (in the sky it hangs between
    them) and with its whole width in `left..right`. Rows count downward."""

    top: int
    bottom: int
    left: int
    right: int
