"""Toyland's detector asked in words, as the method asks any detector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from workers.addit.boxes import Detection
from workers.addit.localizers import Picture
from workers.models.toyland.detector import COARSEST, Detector, load_detector


@dataclass(frozen=True)
class Finder:
    """The detector of `folder`, opened on first use and then kept; always on the CPU, where it is fast."""

    folder: Path

    def __call__(self, picture: Picture, text: str) -> list[Detection]:
        """Every thing of the first class that the text names, the surest first; none where it names none."""
        name = self._class_of(text)
        found = self._detector.detect(padded(picture)) if name else []
        return [Detection(thing.box, thing.score) for thing in found if thing.name == name]

    def _class_of(self, text: str) -> str | None:
        return next((word for word in text.lower().split() if word in self._detector.config.names), None)

    @cached_property
    def _detector(self) -> Detector:
        return load_detector(self.folder)


def padded(picture: Picture) -> Picture:
    """(H, W, 3) with its last row and column repeated up to sides that the detector can take."""
    height, width = picture.shape[:2]
    below, beside = -height % COARSEST, -width % COARSEST
    return np.pad(picture, ((0, below), (0, beside), (0, 0)), mode="edge")
