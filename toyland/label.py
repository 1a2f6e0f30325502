"""What is known of a picture in words."""

from dataclasses import dataclass

from toyland.light import Condition
from toyland.zones import Zone


@dataclass(frozen=True)
class Thing:
    """An object of a picture.

    words: its colour or "small" or "big", if that is told; else empty
    host: index of the thing that wears or holds it, or of one that it stands next to
    """

    name: str
    zone: Zone
    words: str = ""
    host: int | None = None


@dataclass(frozen=True)
class Label:
    """A picture's scene, its light, and its things in the order they were put there."""

    scene: str
    things: tuple[Thing, ...]
    condition: Condition = Condition.DAY

    @property
    def names(self) -> list[str]:
        """The things alone."""
        return [thing.name for thing in self.things]
