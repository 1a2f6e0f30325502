"""What belongs where: the zones of each scene, and the objects that can be in them."""

from collections import Counter
from collections.abc import Mapping

from toyland.hosts import GRIPS, HOSTS
from toyland.objects import OBJECTS, ObjectKind
from toyland.zones import CARRIED, Zone

SCENE_ZONES: Mapping[str, tuple[Zone, ...]] = {
    "beach": (Zone.SKY, Zone.WATER, Zone.GROUND),
    "lake": (Zone.SKY, Zone.WATER, Zone.GROUND),
    "meadow": (Zone.SKY, Zone.GROUND),
    "snowy field": (Zone.SKY, Zone.GROUND),
    "desert": (Zone.SKY, Zone.GROUND),
    "street": (Zone.SKY, Zone.ROAD, Zone.GROUND),
    "room": (Zone.TABLE, Zone.WALL),
    "bedroom": (Zone.BED, Zone.FLOOR, Zone.WALL),
    "living room": (Zone.SHELF, Zone.FLOOR, Zone.WALL),
}


def standing_zones(kind: ObjectKind, scene: str) -> list[Zone]:
    """Zones of the scene where the object can be by itself."""
    if kind.scenes is not None and scene not in kind.scenes:
        return []
    return [zone for zone in kind.zones if zone in SCENE_ZONES[scene]]


def carrying_zones(kind: ObjectKind, scene: str) -> list[Zone]:
    """Head or hand, if a thing that can be in the scene may carry the object."""
    if not CARRIED.intersection(kind.zones):
        return []
    hosts = [HOSTS[host.name] for host in OBJECTS if host.name in HOSTS and standing_zones(host, scene)]
    free = {Zone.HEAD} if hosts else set()
    free |= {Zone.HAND} if kind.name in GRIPS and any(host.hand for host in hosts) else set()
    return [zone for zone in kind.zones if zone in free]


def possible_pairs() -> list[tuple[str, str]]:
    """Every (object, scene) the world can draw."""
    return [
        (kind.name, scene)
        for kind in OBJECTS
        for scene in SCENE_ZONES
        if standing_zones(kind, scene) or carrying_zones(kind, scene)
    ]


# In how many scenes each object occurs. It is chosen the more often in each of them the fewer they are.
SCENE_COUNTS = Counter(name for name, _ in possible_pairs())
