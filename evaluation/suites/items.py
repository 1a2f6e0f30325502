"""One thing to be added to one scene, whatever suite it is of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.addit.boxes import Box
from workers.addit.localizers import Picture

Relation = Literal["left of", "behind", "on", "two of", "next to"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)


@dataclass(frozen=True)
class Item:
    """`subject`, in the words of `prompt`, is to be added to what `source_prompt` tells.

    instruction: the same as an order, for methods that are told what to do
    seed: of the source's noise where it is generated, and the first of the target's
    image: file of the source; None: the model draws it from `source_prompt`
    boxes: plausible places of the subject, in pixels; region: file of a mask that is white at every plausible
        place, where those are known exactly; neither: places are not judged
    relation, anchor: how the subject is to lie, and to what in the source; "two of" needs no anchor
    """

    name: str
    source_prompt: str
    prompt: str
    subject: str
    instruction: str
    seed: int = 0
    image: Path | None = None
    boxes: tuple[Box, ...] = ()
    region: Path | None = None
    relation: Relation | None = None
    anchor: str | None = None

    def open_picture(self) -> Picture | None:
        """(H, W, 3), None where the source is only told."""
        return None if self.image is None else np.array(Image.open(self.image).convert("RGB"))

    def open_region(self) -> NDArray[np.bool_] | None:
        """(H, W), None where places are not known exactly."""
        return None if self.region is None else np.asarray(Image.open(self.region).convert("L")) > 127
