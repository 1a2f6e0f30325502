"""Who wears and holds things, and where on their pictures: fractions of a sprite's width and height."""

from dataclasses import dataclass

from toyland.zones import Zone

Spot = tuple[float, float]  # column and row as fractions of a sprite, looking as drawn


@dataclass(frozen=True)
class Host:
    """head: where a hat's lower edge rests, its middle; head_width: a hat's width in relation to the host's;
    hand: what a held thing is held by comes here; none: this one has no free hand."""

    head: Spot
    head_width: float
    hand: Spot | None = None


HOSTS = {
    "man": Host((0.5, 0.085), 0.98, (0.93, 0.60)),
    "woman": Host((0.5, 0.085), 0.98, (0.93, 0.60)),
    "snowman": Host((0.42, 0.27), 0.66, (0.95, 0.50)),
    "bear": Host((0.5, 0.15), 0.58, (0.94, 0.66)),
    "penguin": Host((0.5, 0.16), 0.62, (0.95, 0.66)),
    "dog": Host((0.23, 0.16), 0.42),
}

GRIPS: dict[str, Spot] = {
    "balloon": (0.10, 0.96),
    "umbrella": (0.50, 0.80),
    "flag": (0.08, 0.92),
    "flower": (0.52, 0.90),
}

BEHIND = frozenset({"umbrella"})  # held so that the holder's head is before it

HELD_SIZE = 0.8  # of a held thing in relation to the same standing or flying at that depth


def can_carry(name: str, zone: Zone) -> bool:
    """Whether this object has a head or a hand to carry something."""
    host = HOSTS.get(name)
    return host is not None and (zone is Zone.HEAD or host.hand is not None)
