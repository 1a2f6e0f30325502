"""A scene before anything stands in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from toyland.light import Light
from toyland.zones import Band, Zone


@dataclass(frozen=True)
class Backdrop:
    """The picture of an empty scene, the light in it, and the bands where objects may be."""

    scene: str
    picture: Image.Image
    zones: Mapping[Zone, Band]
    light: Light
