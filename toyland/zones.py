"""Where things may be: the kinds of place in a scene, and the part of a picture each of them covers."""

from dataclasses import dataclass
from enum import StrEnum


class Zone(StrEnum):
    """A kind of place that objects belong to."""

    SKY = "sky"
    WATER = "water"
    GROUND = "ground"
    ROAD = "road"
    TABLE = "table"
    SHELF = "shelf"
    BED = "bed"
    FLOOR = "floor"
    WALL = "wall"
    HEAD = "head"
    HAND = "hand"


HANGING = frozenset(
    {Zone.SKY, Zone.WALL}
)  # a thing lies within them whole; elsewhere it stands with its foot
CARRIED = frozenset({Zone.HEAD, Zone.HAND})  # a thing is where its wearer or holder has its head or hand


@dataclass(frozen=True)
class Band:
    """Pixels of one zone; rows count downward.

    A thing stands with its lowest row in `top..bottom`, in sky and on walls its whole box lies between them;
    its whole width lies in `left..right`. `far` is the size at `top` in relation to the size at `bottom`,
    `near` the size at `bottom` in relation to what is usual.
    """

    top: int
    bottom: int
    left: int
    right: int
    far: float = 1.0
    near: float = 1.0

    def scale(self, foot: int) -> float:
        """How large things look whose lowest row is `foot`: linear, as perspective on flat ground is."""
        depth = (self.bottom - foot) / max(1, self.bottom - self.top)
        return self.near * (1 + (self.far - 1) * min(1.0, max(0.0, depth)))
